"""How tasks of workers end on the test AWS, and what is told of it: once, with a class and in words."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from runner.clusters.ended import End, Ended
from runner.clusters.pace import IDLE_LOOK_SECONDS
from runner.outcome import FailureClass
from tests.runner.clusters.started_tasks import Started, started
from tests.testbed.aws.faults import Kind
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import DaskPlace, dask_place
from tests.testbed.waiting import wait_until

pytestmark = [pytest.mark.aws, pytest.mark.timeout(90), pytest.mark.long]
EXITED = "Essential container in task exited"


@pytest.fixture
def place(aws: Aws) -> Iterator[DaskPlace]:
    with dask_place(aws, 2) as place:
        yield place


@pytest.fixture
def workers(place: DaskPlace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    with started(place, monkeypatch, words=lambda task_id: f"last words of {task_id}") as workers:
        yield workers


def end_of(workers: Started, act: Callable[[str], object]) -> tuple[Ended, str]:
    """How one of two workers ends to whose task something is done, and the task's id; the other stays."""
    workers.request(0, 1)
    task = workers.await_task(1)["taskArn"].rpartition("/")[2]
    workers.await_task(0)
    act(task)
    workers.tasks.hurry()
    ((number, ended),) = workers.ends.wait_for(1)
    assert number == 1
    assert workers.tasks.await_up(0, 0) is not None
    return ended, task


@pytest.mark.parametrize(
    ("kind", "failure_class", "why"),
    [
        (Kind.OOM, "oom", "was killed for memory; worker_resources.memory_mib of the stack gives each more"),
        (Kind.SPOT, "preempted", "was taken away (Your Spot Task was interrupted.)"),
        (Kind.HOST, "preempted", "was taken away (Host EC2 (instance i-0abc) terminated.)"),
    ],
)
def test_what_hits_a_task_at_work(workers: Started, kind: Kind, failure_class: str, why: str) -> None:
    ended, _ = end_of(workers, lambda task: workers.place.aws.hit(kind, task))

    assert ended == Ended(end=End.LOST, failure_class=FailureClass(failure_class), why=why)


def test_a_worker_that_somebody_stops(workers: Started) -> None:
    ecs, cluster = workers.place.aws.client("ecs"), workers.place.section.cluster_arn

    ended, _ = end_of(workers, lambda task: ecs.stop_task(cluster=cluster, task=task, reason="too loud"))

    why = "was stopped by somebody else (too loud)"
    assert ended == Ended(end=End.LOST, failure_class=FailureClass.PREEMPTED, why=why)


def test_a_worker_that_somebody_kills(workers: Started) -> None:
    def kill(task: str) -> None:
        os.kill(workers.place.aws.processes(task)["dask-worker"], signal.SIGKILL)

    ended, task = end_of(workers, kill)

    why, words = "was ended by SIGKILL (exit code 137)", f"last words of {task}"
    assert ended == Ended(end=End.LOST, failure_class=FailureClass.CRASH, why=why, last_words=words)


def test_a_worker_that_ecs_has_forgotten(workers: Started) -> None:
    def forget(task: str) -> None:
        workers.place.aws.hit(Kind.SPOT, task)
        workers.await_status("RUNNING", "STOPPED")
        workers.place.aws.forget()

    workers.request(0, 1)
    workers.await_task(0)
    workers.await_task(1)
    workers.tasks.joined(0)
    workers.tasks.joined(1)
    wait_until(lambda: workers.tasks._pace.pause == IDLE_LOOK_SECONDS or None)
    ended, _ = end_of(workers, forget)

    why = "is not known to ECS any more"
    assert ended == Ended(end=End.LOST, failure_class=FailureClass.PREEMPTED, why=why)


SCRIPTS: list[tuple[str, End, str, str]] = [
    ("exit 0", End.CLOSED, "cancelled", "was closed"),
    ("exit 65", End.HOPELESS, "config", "cannot work with this run: last words of "),
    ("exit 69", End.LOST, "crash", "lost its connection to the scheduler"),
    ("exit 143", End.LOST, "preempted", "was asked to stop by the cluster"),
    ("exit 7", End.LOST, "crash", f"ended with exit code 7 ({EXITED}): last words of "),
    ("exit 139", End.LOST, "crash", "was ended by SIGSEGV (exit code 139)"),
]


def test_workers_that_end_by_themselves(workers: Started) -> None:
    for number, (script, _, _, _) in enumerate(SCRIPTS):
        workers.request(number, script=script)
    ends = dict(workers.ends.wait_for(len(SCRIPTS)))

    for number, (_, end, failure_class, why) in enumerate(SCRIPTS):
        assert (ends[number].end, ends[number].failure_class) == (end, failure_class)
        assert ends[number].why.startswith(why)
    assert len(workers.ends.told) == len(SCRIPTS)
    assert workers.calls("RunTask") == len(SCRIPTS)
    assert workers.tasks.waiting() is None


def test_a_number_that_has_ended_is_asked_about_no_more(workers: Started) -> None:
    workers.request(0, script="exit 3")
    workers.ends.wait_for(1)
    before = workers.calls("DescribeTasks")
    workers.tasks.hurry()
    workers.tasks.remove(0)
    workers.tasks.close()

    assert workers.calls("DescribeTasks") == before
    assert workers.calls("StopTask") == 0
