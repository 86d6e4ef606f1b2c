"""The local launcher where processes and files fail it."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from runner import contract
from runner.environment import Environment
from runner.errors import UnavailableError, UsageError
from runner.launch.folders import runs_folder
from runner.launch.local import LocalLauncher
from runner.launch.run_directory import START_SECONDS, RunDirectory
from runner.outcome import FailureClass, State
from runner.request import RunRequest
from runner.sections import Kind, Local
from tests.testbed.runner_process import BEHAVIOURS, await_file, await_gone


def _environment(**local: str) -> Environment:
    return Environment(kind=Kind.LOCAL, name="test", local=Local(**local))


def _request(function: str = "succeed", **parameters: object) -> RunRequest:
    flow = f"{BEHAVIOURS}:{function}"
    return RunRequest(run_id="the-run", accepted_at=time.time(), flow=flow, parameters=parameters)


def test_a_run_survives_the_client_that_started_it(tmp_path: Path) -> None:
    go = tmp_path / "go"
    paths = {"ready": str(tmp_path / "ready"), "go": str(go)}
    code = f"""
import time
from tests.runner.launch.test_local import _environment, _request
from runner.launch.local import LocalLauncher
LocalLauncher().submit(_environment(), _request("print_slowly", **{paths!r}))
time.sleep(60)
"""
    client = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3], start_new_session=True)
    while not (tmp_path / "ready").exists():
        time.sleep(0.01)  # the file of another process
    os.killpg(client.pid, signal.SIGKILL)
    client.wait()
    go.touch()
    seen: list[bytes] = []

    assert LocalLauncher().follow("the-run", seen.append).exit_code == 0
    assert b"".join(seen) == b"first second\n"


def test_the_same_id_in_another_environment_is_refused() -> None:
    LocalLauncher().submit(_environment(), _request())

    with pytest.raises(UsageError, match="A run 'the-run' exists already"):
        LocalLauncher().submit(replace(_environment(), name="other"), _request())
    LocalLauncher().follow("the-run", lambda _: None)


def test_a_client_killed_before_it_started_the_process_leaves_a_run_that_a_repeat_starts() -> None:
    # What is there after a kill between the two steps of `submit`.
    RunDirectory("the-run").create(_environment(), _request())

    assert LocalLauncher().find("the-run").outcome.state is State.QUEUED
    assert LocalLauncher().submit(_environment(), _request())
    assert LocalLauncher().follow("the-run", lambda _: None).exit_code == 0


def test_a_run_that_never_came_up_is_told_as_such_and_can_be_tried_again() -> None:
    RunDirectory("the-run").create(_environment(), _request())
    request = RunDirectory("the-run").attempt().request_file
    os.utime(request, (time.time() - 60, time.time() - 60))

    outcome = LocalLauncher().find("the-run").outcome
    assert outcome.failure is not None
    assert (outcome.state, outcome.exit_code) == (State.FAILED, 69)
    assert outcome.failure.failure_class is FailureClass.NEVER_STARTED
    assert LocalLauncher().retry("the-run") == 2
    assert LocalLauncher().follow("the-run", lambda _: None).exit_code == 0


def test_a_runner_that_is_killed_is_told_as_such(tmp_path: Path) -> None:
    launcher = LocalLauncher()
    launcher.submit(_environment(), _request("wait", ready=str(tmp_path / "ready")))
    flow = int(await_file(tmp_path / "ready"))
    runner = RunDirectory("the-run").attempt().runner_pid()
    assert runner is not None

    os.kill(runner, signal.SIGKILL)
    outcome = launcher.follow("the-run", lambda _: None)

    assert outcome.failure is not None
    assert (outcome.state, outcome.exit_code) == (State.FAILED, 75)
    assert outcome.failure.failure_class is FailureClass.PREEMPTED
    assert await_gone(flow)


def test_records_are_for_their_owner_only(tmp_path: Path) -> None:
    LocalLauncher().submit(_environment(), _request())
    LocalLauncher().follow("the-run", lambda _: None)

    assert (runs_folder() / "the-run").stat().st_mode & 0o077 == 0


def test_the_records_of_a_run() -> None:
    request = _request()
    LocalLauncher().submit(_environment(), request)
    LocalLauncher().follow("the-run", lambda _: None)

    folder = runs_folder() / "the-run"
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    first = "attempts/1"
    records = [f"{first}/{name}" for name in ("lock", "log", "outcome.json", "request.json")]
    assert files == [*records, "environment.json"]
    assert (folder / "environment.json").read_bytes() == contract.to_bytes(_environment())
    assert (folder / first / "request.json").read_bytes() == contract.to_bytes(request)
    assert list(runs_folder().iterdir()) == [folder]


@pytest.mark.parametrize("obstacle", ["a file in the way", "a full disk"])
def test_records_that_cannot_be_written(state_home: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str) -> None:
    if obstacle == "a file in the way":
        state_home.write_text("")
    else:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)

    with pytest.raises(UnavailableError, match=r"The run cannot be recorded in .*set XDG_STATE_HOME"):
        LocalLauncher().submit(_environment(), _request())
    assert not runs_folder().exists() or list(runs_folder().iterdir()) == []


@pytest.mark.parametrize(
    ("local", "sentence"),
    [
        ({"working_directory": "/nowhere"}, "the folder /nowhere"),
        ({"python": "/nowhere/python"}, "with /nowhere/python in"),
    ],
)
def test_an_environment_that_cannot_start(local: dict[str, str], sentence: str) -> None:
    with pytest.raises(UnavailableError, match=sentence):
        LocalLauncher().submit(_environment(**local), _request())
    assert list(runs_folder().iterdir()) == []


def test_whoever_looks_while_a_run_starts_does_not_keep_it_from_starting() -> None:
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            for record in LocalLauncher().runs():
                assert record.outcome.run_id.startswith("run-")

    watchers = [threading.Thread(target=look) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    try:
        for number in range(10):
            request = replace(_request(), run_id=f"run-{number}")
            assert LocalLauncher().submit(_environment(), request)
            assert LocalLauncher().follow(request.run_id, lambda _: None).exit_code == 0
    finally:
        done.set()
        for watcher in watchers:
            watcher.join()


def test_an_interpreter_without_penstock_is_told_at_once(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "No module named runner" >&2\nexit 1\n')
    python.chmod(0o755)
    LocalLauncher().submit(_environment(python=str(python)), _request())
    began = time.monotonic()

    outcome = LocalLauncher().follow("the-run", lambda _: None)

    assert time.monotonic() - began < START_SECONDS
    assert outcome.failure is not None
    assert (outcome.exit_code, outcome.failure.failure_class) == (69, FailureClass.NEVER_STARTED)
    assert outcome.failure.evidence == "No module named runner"


def test_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "place.py").write_text("import os\ndef where(): return os.getcwd()")
    request = RunRequest(run_id="the-run", accepted_at=time.time(), flow="place:where")
    LocalLauncher().submit(_environment(working_directory=str(tmp_path)), request)

    assert LocalLauncher().follow("the-run", lambda _: None).result == str(tmp_path)


def test_another_interpreter(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nMARK=mine exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "place.py").write_text("import os\ndef mark(): return os.environ.get('MARK')")
    request = RunRequest(run_id="the-run", accepted_at=time.time(), flow=f"{tmp_path}/place.py:mark")
    LocalLauncher().submit(_environment(python=str(python)), request)

    assert LocalLauncher().follow("the-run", lambda _: None).result == "mine"
