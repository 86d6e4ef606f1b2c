"""The tasks of a run's workers on the test AWS: how they are started, looked at and stopped."""

import threading
from collections.abc import Iterator

import pytest

from runner.aws.access import load
from runner.aws.client import Client
from runner.clusters import worker_tasks as module
from runner.clusters.worker_tasks import NOT_NEEDED, WorkerTasks
from tests.runner.clusters.started_tasks import SECONDS, STAYS, Started, nothing_is_up, started
from tests.testbed.aws.faults import Kind
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import DaskPlace, dask_place
from tests.testbed.waiting import wait_until

pytestmark = [pytest.mark.aws, pytest.mark.long, pytest.mark.timeout(90)]


@pytest.fixture
def place(aws: Aws) -> Iterator[DaskPlace]:
    with dask_place(aws, 2) as place:
        yield place


@pytest.fixture
def workers(place: DaskPlace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    with started(place, monkeypatch) as workers:
        yield workers
    nothing_is_up(place)


def test_twelve_alike_are_two_calls_and_each_has_a_task_of_its_own(workers: Started) -> None:
    workers.request(*range(12))
    arns = {workers.await_task(number)["taskArn"] for number in range(12)}

    assert len(arns) == 12
    assert workers.calls("RunTask") == 2
    assert {workers.tasks.number_of(arn.rpartition("/")[2]) for arn in arns} == set(range(12))
    assert {task["taskArn"] for task in workers.place.workers()} == arns
    assert workers.tasks.waiting() is None
    assert workers.ends.told == []


def test_only_what_is_equal_is_one_call(workers: Started) -> None:
    workers.request(0, 1, 2)
    workers.request(3, 4, script=f"{STAYS}; true")
    tasks = [workers.await_task(number) for number in range(5)]

    assert workers.calls("RunTask") == 2
    commands = [task["overrides"]["containerOverrides"][0]["command"] for task in tasks]
    assert commands == [[STAYS]] * 3 + [[f"{STAYS}; true"]] * 2


def test_a_task_is_started_with_what_it_was_asked_for_with(workers: Started) -> None:
    workers.request(0)
    workers.await_task(0)

    (task,) = workers.place.workers()
    assert task["startedBy"] == "0" * 32
    assert task["tags"] == [{"key": "penstock.dev/run-id", "value": "the-run"}]


def test_the_same_number_is_asked_for_once(workers: Started) -> None:
    workers.request(0, 0, 0)
    workers.await_task(0)
    workers.request(0)

    assert workers.calls("RunTask") == 1
    assert len(workers.place.workers()) == 1


def test_nobody_knows_the_number_of_another_task(workers: Started) -> None:
    assert workers.tasks.number_of("1" * 32) is None


def test_a_worker_that_is_removed_is_stopped_and_its_end_is_not_told(workers: Started) -> None:
    workers.request(0, 1)
    task, other = workers.await_task(0), workers.await_task(1)
    workers.tasks.remove(0)

    tasks = {task["taskArn"]: task for task in workers.await_status("STOPPED", "RUNNING")}
    assert tasks[task["taskArn"]]["stoppedReason"] == NOT_NEEDED
    assert tasks[other["taskArn"]]["lastStatus"] == "RUNNING"
    workers.tasks.hurry()
    workers.tasks.remove(0)
    workers.tasks.remove(7)
    assert (workers.calls("StopTask"), workers.ends.told) == (1, [])


@pytest.mark.parametrize("action", ["RunTask", "StopTask"])
@pytest.mark.parametrize("kind", [Kind.THROTTLE, Kind.UNAVAILABLE, Kind.DROP])
def test_calls_that_fail_are_made_again_and_start_nothing_twice(workers: Started, kind: Kind, action: str) -> None:
    workers.place.aws.inject(kind, action=action, times=2)
    workers.request(0, 1, 2)
    for number in range(3):
        workers.await_task(number)
    workers.tasks.remove(0)

    workers.await_status("RUNNING", "RUNNING", "STOPPED")
    assert workers.calls("RunTask") == (3 if action == "RunTask" else 1)


def test_a_start_whose_answers_were_all_lost_is_asked_for_again_and_not_done_twice(
    place: DaskPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.5)
    with started(place, monkeypatch, budget_seconds=1.0) as workers:
        place.aws.inject(Kind.DROP, action="RunTask", times=5)
        workers.request(0, 1, 2)
        wait_until(workers.tasks.waiting)
        workers.tasks.remove(1)
        workers.await_task(0)
        workers.await_task(2)
        workers.await_status("RUNNING", "RUNNING", "STOPPED")
    nothing_is_up(place)


def test_closing_finds_tasks_of_whose_start_nothing_was_heard(
    place: DaskPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started(place, monkeypatch, budget_seconds=1.0) as workers:
        place.aws.inject(Kind.DROP, action="RunTask", times=20)
        workers.request(0, 1)
        wait_until(workers.tasks.waiting)
        assert workers.tasks.number_of(place.workers()[0]["taskArn"].rpartition("/")[2]) is None
        workers.tasks.close()
        nothing_is_up(place)


def test_looks_that_fail_end_no_worker(workers: Started) -> None:
    workers.place.aws.inject(Kind.THROTTLE, action="DescribeTasks", times=4)
    workers.request(0)
    workers.await_task(0)

    assert workers.ends.told == []


def test_others_are_started_while_nobody_says_how_tasks_stand(workers: Started) -> None:
    workers.request(0)
    workers.await_task(0)
    workers.place.aws.inject(Kind.THROTTLE, action="DescribeTasks", times=999)
    workers.tasks.hurry()
    wait_until(lambda: workers.calls("DescribeTasks") > 2 or None)
    workers.request(1)

    wait_until(lambda: workers.calls("RunTask") == 2 or None, seconds=2)
    workers.place.aws.clear()


def test_few_calls_tell_of_eight_workers_that_take_their_time(workers: Started) -> None:
    workers.place.aws.delay(PROVISIONING=5)
    workers.request(*range(8))
    for number in range(8):
        workers.await_task(number)

    assert workers.calls("RunTask") == 1
    assert workers.calls("DescribeTasks") <= 6


def test_hurry_has_ecs_asked_at_once(workers: Started) -> None:
    workers.request(0)
    task = workers.await_task(0)
    workers.tasks.joined(0)
    before = workers.calls("DescribeTasks")
    workers.place.aws.hit(Kind.SPOT, task["taskArn"].rpartition("/")[2])
    workers.tasks.hurry()

    ((number, ended),) = workers.ends.wait_for(1)
    assert (number, ended.why) == (0, "was taken away (Your Spot Task was interrupted.)")
    assert workers.calls("DescribeTasks") - before <= 4


def test_a_task_that_is_not_up_in_time_is_not_waited_for(workers: Started) -> None:
    workers.place.aws.delay(PENDING=SECONDS)
    workers.request(0)

    assert workers.tasks.await_up(0, 0.3) is None
    assert workers.tasks.await_up(7, SECONDS) is None
    workers.place.aws.clear()


def test_ends_before_anybody_listens_are_told_later(place: DaskPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    with started(place, monkeypatch) as workers:
        client = Client(load(region=place.aws.region), "ecs")
        tasks = WorkerTasks(client, place.section.cluster_arn, words=lambda _: "bye")
        tasks.request(4, workers.parameters("exit 3"))
        wait_until(lambda: tasks._early or None)
        tasks.on_end(workers.ends)
        tasks.close()
        client.close()

        ((number, ended),) = workers.ends.wait_for(1)
    assert (number, ended.why) == (4, "ended with exit code 3 (Essential container in task exited): bye")


def test_a_removal_before_the_start_was_answered_leaves_nothing(workers: Started) -> None:
    workers.place.aws.inject(Kind.UNAVAILABLE, action="RunTask", times=1)
    workers.request(0, 1)
    wait_until(lambda: workers.tasks._wanted[0].starting or None)
    workers.tasks.remove(0)
    workers.await_task(1)

    workers.await_status("RUNNING", "STOPPED")
    assert workers.ends.told == []


def test_after_closing_nothing_is_started(place: DaskPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    with started(place, monkeypatch) as workers:
        workers.tasks.close()
        workers.request(0)
        assert workers.tasks.await_up(0, SECONDS) is None
        workers.tasks.remove(0)
        workers.tasks.close()

    assert (workers.calls("RunTask"), place.workers()) == (0, [])


def test_closing_at_any_moment_leaves_nothing(place: DaskPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        with started(place, monkeypatch) as workers:
            place.aws.inject((Kind.UNAVAILABLE, Kind.DROP)[number % 2], action="RunTask", times=number % 3)
            others = threading.Thread(target=workers.request, args=range(20, 32))
            others.start()
            workers.request(*range(number % 12))
            threading.Event().wait(0.008 * number)  # the moment is what is tested
            workers.tasks.remove(number % 5)
            workers.tasks.close()
            others.join()
        nothing_is_up(place)
        place.aws.clear()
        assert workers.ends.told == []


def test_what_cannot_be_stopped_is_told(
    place: DaskPlace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    statement = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ecs:StopTask", "Resource": "*"},
    ]
    with started(place, monkeypatch, policy={"Version": "2012-10-17", "Statement": statement}) as workers:
        workers.request(0, 1)
        workers.await_task(0)
        workers.await_task(1)

    assert capfd.readouterr().err == (
        "penstock: 2 of the workers' tasks could not be stopped now; the task's container `cleanup` does it, "
        "or `penstock gc`.\n"
    )
