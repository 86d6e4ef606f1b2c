from __future__ import annotations

from pathlib import Path

import pytest

from tools import setup, stamp
from tools.errors import CommandError


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    current: set[str] = set()

    def make(environment: setup.Environment) -> None:
        names.append(environment.folder.name)
        current.add(environment.folder.name)

    monkeypatch.setattr(setup, "PRIVATE", tmp_path)
    monkeypatch.setattr(setup, "_make", make)
    monkeypatch.setattr(stamp, "is_current", lambda folder, _inputs: folder.name in current)
    return names


def test_only_what_is_asked_for_is_made_and_only_once(made: list[str]) -> None:
    assert setup.main([]) == 0
    assert made == [".venv"]
    assert setup.main(["--with", "prefect", "--with", "bench"]) == 0
    assert made == [".venv", "prefect", "metaflow"]
    assert setup.main(["--with", "prefect"]) == 0
    assert made == [".venv", "prefect", "metaflow"]


def test_nothing_to_do_prints_nothing_and_takes_no_time(made: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert setup.seconds_needed() > 0
    setup.prepare()
    assert setup.seconds_needed() == 0
    setup.prepare()
    assert capsys.readouterr() == ("", "")


def test_a_failed_installation_is_a_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: str) -> None:
        raise CommandError("`uv pip sync` ended with exit code 2:\nno such package")

    monkeypatch.setattr(setup, "prepare", fail)
    assert setup.main([]) == 69
    assert capsys.readouterr().err == "`uv pip sync` ended with exit code 2:\nno such package\n"


def test_an_unknown_environment_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        setup.main(["--with", "spark"])
    assert "invalid choice: 'spark'" in capsys.readouterr().err


@pytest.mark.parametrize("environment", [setup.MAIN, *setup.EXTRA.values()], ids=lambda e: e.folder.name)
def test_locks_are_exact_hashed_and_name_no_place(environment: setup.Environment) -> None:
    for lock in (*environment.locks, setup.UV_LOCK):
        text = lock.read_text()
        assert "://" not in text
        pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert all("==" in pin and pin.endswith("\\") for pin in pins)
        assert text.count("--hash=sha256:") >= len(pins) > 0


def test_every_environment_that_holds_dask_holds_the_same() -> None:
    def pins(lock: Path) -> dict[str, str]:
        pairs = [line.split()[0].split("==") for line in lock.read_text().splitlines() if line[:1].isalpha()]
        return dict(pairs)  # the last of those for several versions of Python

    mine, prefects = pins(setup.MAIN.locks[0]), pins(setup.EXTRA["prefect"].locks[0])
    assert {"dask", "distributed", "cryptography"} <= mine.keys() & prefects.keys()
    differing = {name for name in mine.keys() & prefects.keys() if mine[name] != prefects[name]}
    # The official client of Kubernetes needs it, which only tests use; Prefect refuses the version that this one takes.
    assert differing <= {"python-dateutil"}
