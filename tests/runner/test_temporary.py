import os
from pathlib import Path

import pytest

from runner import temporary
from runner.temporary import temporary_folder


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Set first, so that whatever the function changes is put back.
    for name in ("TMPDIR", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("TMPDIR")


def test_the_usual_folder_where_it_can_be_written() -> None:
    assert temporary_folder() == "/tmp"
    assert "TMPDIR" not in os.environ


def test_the_folder_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    assert temporary_folder() == str(tmp_path)


def test_another_folder_where_the_usual_one_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(temporary, "CANDIDATES", ("/nowhere", str(tmp_path)))
    monkeypatch.setenv("HOME", "/nowhere")

    assert temporary_folder() == str(tmp_path)
    assert (os.environ["TMPDIR"], os.environ["HOME"]) == (str(tmp_path), str(tmp_path))


def test_a_home_that_can_be_written_stays() -> None:
    home = os.environ["HOME"]

    temporary_folder()

    assert os.environ["HOME"] == home
