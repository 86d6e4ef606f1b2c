from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tools import virtualenv
from tools.errors import UnpreparedError
from tools.paths import VENV


@pytest.fixture
def without_ensurepip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(virtualenv, "find_spec", lambda name: None if name == "ensurepip" else name)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_our_own_environment_is_usable_and_rubble_is_not(tmp_path: Path) -> None:
    assert virtualenv.is_usable(VENV)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/no/python/here")
    assert not virtualenv.is_usable(tmp_path)


def test_without_root_one_sentence_says_what_to_install(
    without_ensurepip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UnpreparedError, match=r"without `venv` and `ensurepip`\. .*sudo apt-get install python3-venv$"):
        virtualenv.create(without_ensurepip / "venv")


def test_root_on_debian_gets_the_package_after_one_update(
    without_ensurepip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = without_ensurepip / "calls"
    apt = without_ensurepip / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >>{calls}\n')
    apt.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sys, "_base_executable", "/bin/true")
    virtualenv.create(without_ensurepip / "venv")
    assert calls.read_text() == "noninteractive update -q\nnoninteractive install -q -y python3-venv\n"
