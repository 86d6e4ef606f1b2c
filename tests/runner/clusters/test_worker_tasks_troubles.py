"""What keeps tasks of workers from starting on the test AWS: what is told of it, and when they are asked for again."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from runner.clusters import troubles
from runner.clusters import worker_tasks as module
from runner.outcome import FailureClass
from tests.runner.clusters.started_tasks import EVERYTHING, SECONDS, Started, nothing_is_up, started
from tests.testbed.aws.faults import Kind
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import DaskPlace, dask_place
from tests.testbed.waiting import wait_until

pytestmark = [pytest.mark.aws, pytest.mark.timeout(90), pytest.mark.long]
LINES = {
    Kind.CAPACITY: "unschedulable): No capacity of AWS has room for a worker",
    Kind.RESOURCE: "unschedulable): No instance of the cluster has room for a worker (its memory)",
    Kind.QUOTA: "quota): The account's limit of Fargate leaves no room for a worker",
    Kind.PULL_BUSY: "registry): The image's registry, or the way to it, does not answer now",
    Kind.PULL_TIMEOUT: "registry): The image's registry, or the way to it, does not answer now",
    Kind.FAILS_TO_START: "never-started): The task stopped before its container was up",
}
"""What passes by itself."""
FATAL: list[tuple[Kind, str, str]] = [
    (Kind.PULL_MISSING, "image", "could not be started: the image cannot be pulled"),
    (Kind.PULL_DENIED, "image", "could not be started: the registry does not give the image to this task"),
    (Kind.SECRET, "config", "could not be started: a secret of a worker cannot be read"),
    (Kind.LOG_GROUP, "config", "could not be started: the log group of a worker is not there"),
]
OFTEN_TESTED = {Kind.RESOURCE, Kind.PULL_TIMEOUT, Kind.PULL_DENIED, Kind.SECRET, Kind.LOG_GROUP}
"""What goes the way of another that is tested, with other words."""


@pytest.fixture
def place(aws: Aws) -> Iterator[DaskPlace]:
    with dask_place(aws, 2) as place:
        yield place


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was refused is asked for again soon, and what lasts is told sooner."""
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.6)
    monkeypatch.setattr(troubles, "SETTLE_SECONDS", 0.1)


@pytest.fixture
def workers(place: DaskPlace, hasty: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    with started(place, monkeypatch) as workers:
        yield workers
    nothing_is_up(place)


def hit(workers: Started, kind: Kind, **options: Any) -> None:
    workers.place.aws.inject(kind, family=workers.place.names.worker_family, **options)


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.long if kind in OFTEN_TESTED else ()) for kind in LINES]
)
def test_what_passes_is_told_once_and_asked_for_again_with_the_same_number(
    workers: Started, kind: Kind, capfd: pytest.CaptureFixture[str]
) -> None:
    hit(workers, kind, times=2)
    workers.request(7)
    task = workers.await_task(7)

    assert workers.tasks.number_of(task["taskArn"].rpartition("/")[2]) == 7
    assert workers.calls("RunTask") == 3
    assert (workers.tasks.waiting(), workers.tasks.held(), workers.ends.told) == (None, 0, [])
    assert capfd.readouterr().err == f"penstock: 1 of 1 workers wait ({LINES[kind]}. The flow waits for one.\n"


def test_where_there_is_room_for_some_these_are_started_and_the_others_later(
    workers: Started, capfd: pytest.CaptureFixture[str]
) -> None:
    hit(workers, Kind.CAPACITY, times=2)
    workers.request(*range(5))
    arns = {workers.await_task(number)["taskArn"] for number in range(5)}

    assert len(arns) == 5
    assert {task["taskArn"] for task in workers.place.workers()} == arns
    assert workers.calls("RunTask") in {2, 3}  # the two have pauses of their own
    assert capfd.readouterr().err == (
        f"penstock: 2 of 5 workers wait ({LINES[Kind.CAPACITY]}. The flow goes on with those that there are.\n"
    )


def test_what_keeps_workers_is_known_while_it_lasts(workers: Started) -> None:
    hit(workers, Kind.QUOTA, times=99)
    workers.request(0, 1)
    wait_until(lambda: workers.tasks.held() == 2 or None)

    waiting = workers.tasks.waiting()
    assert waiting is not None
    assert (waiting.failure.failure_class, waiting.fatal) == (FailureClass.QUOTA, False)
    assert waiting.failure.evidence == "You've reached the limit on the number of vCPUs you can run concurrently"
    workers.tasks.remove(0)
    workers.tasks.remove(1)
    assert (workers.tasks.waiting(), workers.tasks.held()) == (None, 0)


def test_what_lasts_only_for_a_moment_is_not_told(
    place: DaskPlace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.1)
    with started(place, monkeypatch) as workers:
        hit(workers, Kind.CAPACITY)
        workers.request(0)
        workers.await_task(0)

    assert capfd.readouterr().err == ""


def test_what_was_refused_is_asked_for_ever_seldomer(place: DaskPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.2)
    monkeypatch.setattr(module, "LONGEST_AGAIN_SECONDS", 0.6)
    with started(place, monkeypatch) as workers:
        hit(workers, Kind.CAPACITY, times=99)
        began = time.monotonic()
        workers.request(0)
        wait_until(lambda: workers.calls("RunTask") >= 6 or None)
        spent = time.monotonic() - began

    pauses = [min(0.6, 0.2 * 1.5**number) for number in range(5)]
    assert sum(pauses) * 0.5 <= spent <= sum(pauses) * 1.5 + SECONDS / 4


@pytest.mark.parametrize(
    ("kind", "failure_class", "why"),
    [pytest.param(*item, marks=pytest.mark.long if item[0] in OFTEN_TESTED else (), id=item[0]) for item in FATAL],
)
def test_what_does_not_pass_is_an_end_that_is_told_once(
    workers: Started, kind: Kind, failure_class: str, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    hit(workers, kind, times=99)
    workers.request(3)
    ((number, ended),) = workers.ends.wait_for(1)

    assert (number, ended.failure_class, ended.why) == (3, failure_class, why)
    assert ended.evidence.startswith(("CannotPullContainerError: ", "ResourceInitializationError: "))
    assert ended.next_step.endswith(".")
    assert workers.calls("RunTask") == 1
    assert capfd.readouterr().err == ""


def test_a_task_that_hangs_is_replaced_and_stopped(
    place: DaskPlace, hasty: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with started(place, monkeypatch, start_seconds=1.5) as workers:
        hit(workers, Kind.STUCK)
        workers.request(0)
        wait_until(lambda: len(place.workers()) == 2 or None)
        workers.await_task(0)
        workers.await_status("RUNNING", "STOPPED")

        assert workers.ends.told == []
    assert "workers wait (never-started): A worker has not started within 1.5 s." in capfd.readouterr().err


def test_a_worker_that_dask_knows_does_not_hang(place: DaskPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    place.aws.delay(PENDING=3)
    with started(place, monkeypatch, start_seconds=1.0) as workers:
        workers.request(0)
        wait_until(lambda: place.workers() or None)
        workers.tasks.joined(0)
        workers.tasks.hurry()
        workers.await_task(0)

    assert len(place.workers()) == 1


def denied(*actions: str) -> dict[str, Any]:
    statement = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
    return {**EVERYTHING, "Statement": [*EVERYTHING["Statement"], statement]}


@pytest.mark.parametrize("action", ["ecs:RunTask", "iam:PassRole", "ecs:TagResource"])
def test_a_right_that_is_missing_is_one_sentence_that_names_it(
    place: DaskPlace, hasty: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], action: str
) -> None:
    with started(place, monkeypatch, policy=denied(action)) as workers:
        workers.request(0, 1)
        assert workers.tasks.await_up(0, SECONDS) is None
        waiting = workers.tasks.waiting()
        assert waiting is not None
        wait_until(lambda: workers.tasks.held() or None)
        lines = wait_until(lambda: capfd.readouterr().err.splitlines() or None)

    assert (waiting.failure.failure_class, waiting.fatal) == (FailureClass.CONFIG, True)
    (line,) = lines
    assert line.startswith("penstock: 2 of 2 workers wait (config): AWS does not allow ecs:RunTask (User: arn:aws:iam:")
    assert f"is not authorized to perform: {action} on resource: " in line
    assert place.workers() == []


def test_looks_that_are_not_allowed_leave_workers_alone(place: DaskPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    with started(place, monkeypatch, policy=denied("ecs:DescribeTasks")) as workers:
        workers.request(0)
        workers.await_status("RUNNING")
        wait_until(lambda: workers.calls("DescribeTasks") >= 2 or None)

        assert workers.ends.told == []
    nothing_is_up(place)
