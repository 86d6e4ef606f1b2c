"""What holds for every launcher, each with the real platform behind it."""

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.environment import Environment, Kind, Local, Timeouts
from runner.errors import UsageError
from runner.launch.base import Launcher
from runner.launch.local import LocalLauncher
from runner.outcome import FailureClass, State
from runner.request import RunRequest
from tests.testbed.runner_process import BEHAVIOURS, await_file

Requests = Callable[..., RunRequest]


@pytest.fixture(params=[Kind.LOCAL])
def launcher(request: pytest.FixtureRequest) -> Launcher:
    return LocalLauncher()


@pytest.fixture
def environment() -> Environment:
    return Environment(kind=Kind.LOCAL, name="test", local=Local(), timeouts=Timeouts(grace_seconds=5))


@pytest.fixture
def asked() -> Requests:
    def asked(function: str, run_id: str = "the-run", **parameters: object) -> RunRequest:
        flow = f"{BEHAVIOURS}:{function}"
        return RunRequest(run_id=run_id, accepted_at=time.time(), flow=flow, parameters=parameters)

    return asked


def test_a_run_from_submit_to_outcome(launcher: Launcher, environment: Environment, asked: Requests) -> None:
    seen: list[bytes] = []

    assert launcher.submit(environment, asked("print_much", lines=3000))
    outcome = launcher.follow("the-run", seen.append)

    output = b"".join(seen)
    assert (outcome.state, outcome.exit_code, outcome.environment, outcome.kind) == ("succeeded", 0, "test", "local")
    assert outcome.log.lines == output.count(b"\n") == 6000
    assert outcome.log.sha256 == hashlib.sha256(output).hexdigest()
    assert launcher.log("the-run", tail=None) == output
    assert launcher.find("the-run").outcome == outcome
    assert [record.outcome for record in launcher.runs()] == [outcome]


def test_submitting_twice_is_one_run(launcher: Launcher, environment: Environment, asked: Requests) -> None:
    first = launcher.submit(environment, asked("answer", seconds=0.3))
    second = launcher.submit(environment, asked("answer", seconds=0.3))
    launcher.follow("the-run", lambda _: None)
    third = launcher.submit(environment, asked("answer", seconds=0.3))

    assert (first, second, third) == (True, False, False)
    assert len(list(launcher.runs())) == 1


def test_submitting_at_the_same_time_is_one_run(
    launcher: Launcher, environment: Environment, asked: Requests, tmp_path: Path
) -> None:
    started: list[bool] = []
    barrier = threading.Barrier(8)

    def submit() -> None:
        barrier.wait()
        started.append(launcher.submit(environment, asked("answer")))

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(started) == [False] * 7 + [True]
    assert launcher.follow("the-run", lambda _: None).exit_code == 0


@pytest.mark.parametrize("change", ["flow", "parameters", "environment"])
def test_the_same_id_for_something_else_is_refused(
    launcher: Launcher, environment: Environment, asked: Requests, change: str
) -> None:
    launcher.submit(environment, asked("answer", seconds=0.0))
    others = {"flow": asked("succeed"), "parameters": asked("answer", seconds=1.0)}
    other = others.get(change, asked("answer", seconds=0.0))
    place = Environment(kind=Kind.LOCAL, name="other", local=Local()) if change == "environment" else environment

    with pytest.raises(UsageError, match="A run 'the-run' exists already"):
        launcher.submit(place, other)
    assert launcher.follow("the-run", lambda _: None).exit_code == 0


def test_stopping(launcher: Launcher, environment: Environment, asked: Requests, tmp_path: Path) -> None:
    launcher.submit(environment, asked("wait", ready=str(tmp_path / "ready")))
    await_file(tmp_path / "ready")

    launcher.stop("the-run")
    outcome = launcher.follow("the-run", lambda _: None)
    launcher.stop("the-run")

    assert outcome.failure is not None
    assert (outcome.state, outcome.exit_code) == (State.CANCELLED, 143)
    assert outcome.failure.failure_class is FailureClass.CANCELLED
    assert launcher.find("the-run").outcome == outcome


def test_stopping_right_after_the_start(
    launcher: Launcher, environment: Environment, asked: Requests, tmp_path: Path
) -> None:
    launcher.submit(environment, asked("wait", ready=str(tmp_path / "ready")))
    launcher.stop("the-run")

    assert launcher.follow("the-run", lambda _: None).state is State.CANCELLED


def test_a_next_attempt(launcher: Launcher, environment: Environment, asked: Requests) -> None:
    launcher.submit(environment, asked("fail"))
    launcher.follow("the-run", lambda _: None)

    assert launcher.retry("the-run") == 2
    outcome = launcher.follow("the-run", lambda _: None)

    assert (outcome.attempt, outcome.exit_code) == (2, 1)
    assert len(list(launcher.runs())) == 1


def test_no_next_attempt_while_the_last_one_is_up(
    launcher: Launcher, environment: Environment, asked: Requests, tmp_path: Path
) -> None:
    launcher.submit(environment, asked("wait", ready=str(tmp_path / "ready")))

    with pytest.raises(UsageError, match="The run the-run has not ended"):
        launcher.retry("the-run")
    launcher.stop("the-run")
    launcher.follow("the-run", lambda _: None)


def test_following_from_the_middle(launcher: Launcher, environment: Environment, asked: Requests) -> None:
    launcher.submit(environment, asked("print_much", lines=100))
    whole: list[bytes] = []
    rest: list[bytes] = []
    launcher.follow("the-run", whole.append)
    launcher.follow("the-run", rest.append, skip=1000)

    assert b"".join(rest) == b"".join(whole)[1000:]


@pytest.mark.parametrize(("tail", "expected"), [(0, 0), (1, 1), (5, 5), (4000, 4000), (6000, 6000), (9999, 6000)])
def test_the_end_of_the_log(
    launcher: Launcher, environment: Environment, asked: Requests, tail: int, expected: int
) -> None:
    launcher.submit(environment, asked("print_much", lines=3000))
    launcher.follow("the-run", lambda _: None)
    whole = launcher.log("the-run", tail=None).splitlines(keepends=True)

    assert launcher.log("the-run", tail=tail).splitlines(keepends=True) == whole[len(whole) - expected :]


@pytest.mark.parametrize("verb", ["find", "stop", "retry"])
def test_a_run_that_there_is_not(launcher: Launcher, verb: str) -> None:
    with pytest.raises(UsageError, match="There is no run 'nobody'"):
        getattr(launcher, verb)("nobody")
