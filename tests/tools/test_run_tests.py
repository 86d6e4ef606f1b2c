from __future__ import annotations

from pathlib import Path

import pytest

from tools import estimate, pulumi_cli, run_tests, setup
from tools.errors import UnavailableError


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    calls: list[tuple[list[str], dict[str, str]]] = []

    def follow(command: list[object], *, cwd: Path, env: dict[str, str]) -> int:
        calls.append(([str(word) for word in command], env))
        return 5

    monkeypatch.setattr(run_tests, "RESULTS", tmp_path)
    monkeypatch.setattr(run_tests, "follow", follow)
    monkeypatch.setattr(setup, "prepare", lambda *_: None)
    monkeypatch.setattr(setup, "seconds_needed", lambda *_: 0)
    monkeypatch.setattr(estimate, "cli_seconds", lambda: 0)
    monkeypatch.setattr(pulumi_cli, "obtain", lambda: Path("/cli"))
    monkeypatch.setattr(run_tests, "MEASURED", tmp_path / "coverage")
    monkeypatch.delenv(run_tests.COVERAGE, raising=False)
    return calls


def test_pytest_gets_the_arguments_and_the_path_and_its_code_is_ours(
    started: list[tuple[list[str], dict[str, str]]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_tests.main(["-k", "a or b"]) == 5
    ((command, env),) = started
    assert command[1:] == ["-m", "pytest", f"--junit-xml={tmp_path}/tests.xml", "-k", "a or b"]
    assert env["PATH"].split(":")[1] == "/cli"
    assert run_tests.NO_ENGINE not in env
    assert "runs pytest -k 'a or b': about" in capsys.readouterr().err


def test_without_a_cli_the_tests_run_and_are_told_why(
    started: list[tuple[list[str], dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def none() -> Path:
        raise UnavailableError("There is none.")

    monkeypatch.setattr(pulumi_cli, "obtain", none)
    assert run_tests.main([]) == 5
    ((command, env),) = started
    assert command[-len(run_tests.DISTRIBUTED) :] == list(run_tests.DISTRIBUTED)
    assert env[run_tests.NO_ENGINE] == "There is none."
    assert "marked `engine` are going to be skipped. There is none." in capsys.readouterr().err


def test_coverage_is_measured_when_it_is_asked_for(
    started: list[tuple[list[str], dict[str, str]]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(run_tests.COVERAGE, "1")
    monkeypatch.setattr("tools.run_tests.subprocess.run", lambda *_, **__: None)

    run_tests.main([])

    commands = [command[1:5] for command, _ in started]
    assert commands == [["-m", "coverage", "run", "-m"]]
    assert started[0][1]["COVERAGE_FILE"] == str(tmp_path / "coverage" / "tests" / "data")
