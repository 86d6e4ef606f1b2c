from __future__ import annotations

from pathlib import Path

import pytest

from tools import go_tools, lint, setup, tool_cache
from tools.errors import CommandError


@pytest.fixture(autouse=True)
def _ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(setup, "prepare", lambda: None)
    monkeypatch.setattr(lint, "python_checks", lambda: [lint.Check("one", ("false",)), lint.Check("two", ("true",))])
    monkeypatch.setattr(lint, "workflow_check", lambda: lint.Check("three", ("false",)))


def test_every_check_runs_and_the_last_line_names_those_that_failed(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint.main() == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "Failed: one, three."
    assert any(line.startswith("two: ") for line in lines)


def test_a_machine_without_go_skips_actionlint_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(go_tools, "missing", lambda: "Go 1.26 is not installed")
    monkeypatch.setattr(tool_cache, "folder_for", lambda *_: Path("/nowhere/at/all"))
    monkeypatch.setattr(tool_cache, "obtain", lambda folder, fill: fill(folder))
    with pytest.raises(CommandError, match=r"Go 1\.26 is not installed"):
        lint.workflow_check()
