"""What the tests of the client share."""

import pytest

from runner.http import retry


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "SHORTEST_SECONDS", 0.002)
