"""Versions that a run and its workers must have in common."""

import importlib
import platform
import subprocess
import sys

import pytest

import runner
from runner.clusters import versions
from runner.clusters.versions import PACKAGES, difference, own_versions


def test_the_versions_are_those_of_what_is_imported() -> None:
    python = ".".join(platform.python_version().split(".")[:2])
    imported = {name: importlib.import_module(name).__version__ for name in ("dask", "distributed", "cloudpickle")}
    msgpack = ".".join(str(number) for number in importlib.import_module("msgpack").version)

    assert own_versions() == {"python": python, "penstock": runner.__version__, "msgpack": msgpack, **imported}


def test_two_processes_of_one_interpreter_do_not_differ() -> None:
    program = "from runner.clusters.versions import own_versions; print(own_versions())"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert other == f"{own_versions()}\n"
    assert difference(own_versions(), own_versions()) is None


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ({"python": "3.11", "dask": "2026.1"}, None),
        ({"python": "3.11", "dask": "2026.1", "newer": "1"}, None),
        ({"python": "3.12", "dask": "2026.1"}, "python 3.11 instead of 3.12"),
        ({"python": "3.12", "dask": "2025.9"}, "python 3.11 instead of 3.12, dask 2026.1 instead of 2025.9"),
        ({"python": "3.11", "dask": "(not installed)"}, "dask 2026.1 instead of (not installed)"),
        ({"python": "3.11"}, "dask 2026.1 instead of None"),
    ],
)
def test_a_difference_in_words(there: dict[str, str], words: str | None) -> None:
    assert difference({"python": "3.11", "dask": "2026.1"}, there) == words


def test_what_is_not_installed_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "PACKAGES", ("nothing-of-that-name",))

    assert own_versions()["nothing-of-that-name"] == "(not installed)"


def test_nothing_of_it_is_imported_to_know_its_version() -> None:
    program = f"""
import sys
from runner.clusters.versions import own_versions
own_versions()
print(*{{*sys.modules}} & {{*{PACKAGES!r}}})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "\n"
