"""What holds for every launcher, each with the real platform behind it."""

import hashlib
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from runner.errors import UsageError
from runner.outcome import FailureClass, Outcome, State
from runner.sections import Kind
from tests.runner.launch import places
from tests.runner.launch.places import Place

LONG_SECONDS = 120


ON_ECS = {Kind.FARGATE_TASK: "flows", Kind.DASK_CLOUD_PROVIDER: "flows_with_workers"}
ON_KUBERNETES = {
    Kind.KUBERNETES_JOB: ("namespace", places.kubernetes),
    Kind.DASK_KUBERNETES: ("namespace_with_workers", places.dask),
}


@pytest.fixture(
    params=[
        Kind.LOCAL,
        pytest.param(Kind.FARGATE_TASK, marks=pytest.mark.aws),
        pytest.param(Kind.DASK_CLOUD_PROVIDER, marks=[pytest.mark.aws, pytest.mark.long]),
        *(pytest.param(kind, marks=pytest.mark.cluster) for kind in ON_KUBERNETES),
    ],
    ids=str,
)
def place(request: pytest.FixtureRequest) -> Place:
    if request.param is Kind.LOCAL:
        return places.local()
    if request.param in ON_ECS:
        return places.ecs(request.getfixturevalue(ON_ECS[request.param]))
    namespace, make = ON_KUBERNETES[request.param]
    return make(request.getfixturevalue("client"), request.getfixturevalue(namespace))


def _facts(outcome: Outcome) -> Outcome:
    """The outcome without the steps of the ledger that only a follower has seen."""
    return replace(outcome, ledger={})


def test_a_run_from_submit_to_outcome(place: Place) -> None:
    run = place.start("print_much", lines=3000)

    outcome = run.follow()

    assert (outcome.state, outcome.exit_code) == ("succeeded", 0)
    assert (outcome.environment, outcome.kind) == (place.environment.name, place.environment.kind)
    assert {"started", "flow_called", "flow_ended", "finished"} <= outcome.ledger.keys()
    assert outcome.log.lines == run.output.count(b"\n") == 6000
    assert outcome.log.sha256 == hashlib.sha256(run.output).hexdigest()
    assert place.launcher.log("the-run") == run.output
    assert _facts(place.launcher.find("the-run").outcome) == _facts(outcome)
    assert _facts(place.launcher.follow("the-run", lambda _: None)) == _facts(outcome)
    assert [record.outcome.run_id for record in place.launcher.runs()] == ["the-run"]


def test_submitting_twice_is_one_run(place: Place) -> None:
    first = place.submit(place.asked("answer", seconds=0.3))
    second = place.submit(place.asked("answer", seconds=0.3))
    place.launcher.follow("the-run", lambda _: None)
    third = place.submit(place.asked("answer", seconds=0.3))

    assert (first, second, third) == (True, False, False)
    assert len(list(place.launcher.runs())) == 1


def test_submitting_at_the_same_time_is_one_run(place: Place) -> None:
    started: list[bool] = []
    barrier = threading.Barrier(8)

    def submit() -> None:
        barrier.wait()
        started.append(place.submit(place.asked("answer")))

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(started) == [False] * 7 + [True]
    assert place.launcher.follow("the-run", lambda _: None).exit_code == 0


@pytest.mark.parametrize("change", ["flow", "parameters"])
def test_the_same_id_for_something_else_is_refused(place: Place, change: str) -> None:
    place.submit(place.asked("answer", seconds=0.0))
    other = {"flow": place.asked("succeed"), "parameters": place.asked("answer", seconds=1.0)}[change]

    with pytest.raises(UsageError, match="A run 'the-run' exists already"):
        place.submit(other)
    assert place.launcher.follow("the-run", lambda _: None).exit_code == 0


def test_stopping(place: Place) -> None:
    run = place.start("wait_until", moment=time.time() + LONG_SECONDS)
    run.start_following()
    run.await_output(b"up")

    place.launcher.stop("the-run")
    outcome = run.end()
    place.launcher.stop("the-run")

    assert outcome.failure is not None
    assert (outcome.state, outcome.exit_code) == (State.CANCELLED, 143)
    assert outcome.failure.failure_class is FailureClass.CANCELLED
    assert _facts(place.launcher.find("the-run").outcome) == _facts(outcome)
    assert place.launcher.log("the-run") == run.output


def test_stopping_right_after_the_start(place: Place) -> None:
    place.start("wait_until", moment=time.time() + LONG_SECONDS)
    place.launcher.stop("the-run")

    assert place.launcher.follow("the-run", lambda _: None).state is State.CANCELLED


ENDS: list[tuple[str, dict[str, Any], int, str]] = [
    ("fail", {}, 1, "flow"),
    ("exit_with", {"code": 7}, 7, "flow"),
    ("crash", {}, 139, "crash"),
    ("kill_itself", {}, 137, "crash"),
    ("succeed", {"number": "many"}, 66, "flow"),
]


@pytest.mark.parametrize(("function", "parameters", "code", "failure"), ENDS)
def test_the_end_of_a_flow_that_fails(
    place: Place, function: str, parameters: dict[str, Any], code: int, failure: str
) -> None:
    outcome = place.start(function, **parameters).follow()

    assert outcome.failure is not None
    assert (outcome.exit_code, outcome.failure.failure_class) == (code, failure)
    assert _facts(place.launcher.find("the-run").outcome) == _facts(outcome)


def test_a_next_attempt(place: Place) -> None:
    place.start("fail").follow()

    assert place.launcher.retry("the-run") == 2
    outcome = place.launcher.follow("the-run", lambda _: None)

    assert (outcome.attempt, outcome.exit_code) == (2, 1)
    assert [record.outcome.attempt for record in place.launcher.runs()] == [2]
    assert place.launcher.find("the-run", attempt=1).outcome.exit_code == 1
    with pytest.raises(UsageError, match="The run the-run has no attempt 3"):
        place.launcher.find("the-run", attempt=3)


def test_no_next_attempt_while_the_last_one_is_up(place: Place) -> None:
    place.start("wait_until", moment=time.time() + LONG_SECONDS)

    with pytest.raises(UsageError, match="The run the-run has not ended"):
        place.launcher.retry("the-run")
    place.launcher.stop("the-run")
    place.launcher.follow("the-run", lambda _: None)


def test_following_from_the_middle(place: Place) -> None:
    run = place.start("print_much", lines=100)
    run.follow()
    rest: list[bytes] = []

    place.launcher.follow("the-run", rest.append, skip=1000)

    assert b"".join(rest) == run.output[1000:]


@pytest.mark.parametrize(("tail", "expected"), [(0, 0), (1, 1), (5, 5), (6000, 6000), (9999, 6000)])
def test_the_end_of_the_log(place: Place, tail: int, expected: int) -> None:
    place.start("print_much", lines=3000).follow()
    whole = place.launcher.log("the-run").splitlines(keepends=True)

    assert place.launcher.log("the-run", tail=tail).splitlines(keepends=True) == whole[len(whole) - expected :]


def test_files_and_results_that_are_large_are_kept(place: Place) -> None:
    outcome = place.start("keep_artifacts").follow()
    found = place.launcher.find("the-run").outcome

    for each in (outcome, found):
        assert [item.name for item in each.artifacts] == ["charts/delays.svg", "table.csv"]
        with open(each.artifacts[1].path, "rb") as file:  # noqa: PTH123
            assert file.read() == b"a,b\n"


def test_a_file_of_many_records_of_the_log_is_kept(place: Place) -> None:
    outcome = place.start("keep_a_large_artifact", size=700_000).follow()
    found = place.launcher.find("the-run").outcome

    assert found.result == outcome.result is not None
    for each in (outcome, found):
        with open(each.artifacts[0].path, "rb") as file:  # noqa: PTH123
            assert sum(file.read()) == outcome.result
    assert place.launcher.log("the-run", tail=1) == b"second\n"


@pytest.mark.parametrize("verb", ["find", "stop", "retry", "log"])
def test_a_run_that_there_is_not(place: Place, verb: str) -> None:
    with pytest.raises(UsageError, match="There is no run 'nobody'"):
        getattr(place.launcher, verb)("nobody")
