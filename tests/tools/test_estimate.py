from __future__ import annotations

from pathlib import Path

import pytest

from tools import estimate, go_tools, pulumi_cli


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "about 5 s"), (15, "about 15 s"), (99, "about 100 s"), (315, "about 5 min")]
)
def test_rounding(seconds: int, text: str) -> None:
    assert estimate.about(seconds) == text


@pytest.mark.parametrize(
    ("cli", "go", "text"),
    [
        (Path("/cli"), None, "about 15 s"),
        (None, None, "about 5 min, about 5 min of it for getting the Pulumi CLI, once"),
        (None, "Go is not there", "about 45 s, about 30 s of it for getting the Pulumi CLI, once"),
    ],
)
def test_the_announcement_counts_what_is_missing_here(
    monkeypatch: pytest.MonkeyPatch, cli: Path | None, go: str | None, text: str
) -> None:
    monkeypatch.setattr(pulumi_cli, "at_hand", lambda: cli)
    monkeypatch.setattr(go_tools, "missing", lambda: go)
    assert estimate.with_cli(15) == text
