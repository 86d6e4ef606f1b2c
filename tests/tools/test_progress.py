from __future__ import annotations

import pytest

from tools import progress


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (3.14, "3.1 s"), (9.94, "9.9 s"), (9.96, "10 s"), (119.4, "119 s"), (250, "4 min 10 s")],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert progress.duration(seconds) == text


def test_a_quiet_step_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.step("Fetching"):
        assert capsys.readouterr().err == "Fetching … "
    printed = capsys.readouterr()
    assert printed.err.endswith(" s\n")
    assert printed.out == ""


def test_a_note_within_a_step_has_its_own_line_and_the_step_is_named_again(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.step("Fetching"):
        progress.note("half")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["Fetching … ", "half"]
    assert lines[2].startswith("Fetching: ")


def test_a_step_that_raises_says_so_and_passes_it_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="broken"), progress.step("Fetching", own_output=True):
        raise ValueError("broken")
    assert "Fetching: failed after 0.0 s\n" in capsys.readouterr().err
