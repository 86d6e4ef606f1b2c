from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import stamp


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(stamp, "CHECKOUT", tmp_path)
    (tmp_path / "a.lock").write_text("a==1")
    programs = tmp_path / "venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").touch()
    (programs / "penstock").touch()
    return tmp_path


def test_an_environment_is_current_until_something_changes(checkout: Path) -> None:
    venv, inputs = checkout / "venv", [checkout / "a.lock", checkout / "not-there-yet"]
    assert not stamp.is_current(venv, inputs)
    stamp.write(venv, inputs)
    assert stamp.is_current(venv, inputs)
    inputs[0].write_text("a==2")
    assert not stamp.is_current(venv, inputs)


def test_another_python_and_another_place_are_other_environments(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv, inputs = checkout / "venv", [checkout / "a.lock"]
    stamp.write(venv, inputs)
    moved = venv.rename(checkout / "moved")
    assert not stamp.is_current(moved, inputs)
    moved.rename(venv)
    assert stamp.is_current(venv, inputs)
    monkeypatch.setattr(sys, "version", "3.99.0 (of the future)")
    assert not stamp.is_current(venv, inputs)


@pytest.mark.parametrize("program", ["python", "penstock"])
def test_a_broken_environment_is_not_current(checkout: Path, program: str) -> None:
    venv, inputs = checkout / "venv", [checkout / "a.lock"]
    stamp.write(venv, inputs)
    (venv / "bin" / program).unlink()
    (venv / "bin" / program).symlink_to(checkout / "uninstalled")
    assert not stamp.is_current(venv, inputs)


def test_an_interrupted_change_leaves_no_stamp(checkout: Path) -> None:
    venv, inputs = checkout / "venv", [checkout / "a.lock"]
    stamp.write(venv, inputs)
    stamp.remove(venv)
    stamp.remove(venv)
    assert not stamp.is_current(venv, inputs)
