"""The pods of a run's workers, on an API server that does what a test says."""

import json
import threading
from collections.abc import Callable

import pytest

from runner.clusters import pods as module
from runner.clusters import troubles, worker_pod
from runner.clusters.ended import Ended
from runner.clusters.pods import CALLS, GRACE_SECONDS, WorkerPods
from runner.kubernetes.errors import Forbidden
from runner.outcome import Failure, FailureClass
from tests.runner.clusters.pods_api import PODS, SECONDS, SECRETS, eventually, pods_api
from tests.runner.clusters.started_pods import (
    KEYS,
    LOST,
    QUOTA,
    REFUSED,
    RUNNING,
    UNSCHEDULABLE,
    refused,
    started,
)
from tests.runner.clusters.worker_pods import OWNER, TOLD, template, terminated
from tests.runner.kubernetes.api_server import Exchange


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was refused is asked for again soon, and what lasts is told soon."""
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(troubles, "SETTLE_SECONDS", 0.1)


def test_the_secret_comes_first_then_the_pods_and_both_are_what_they_have_to_be() -> None:
    with started() as (pods, api, _):
        pods.request(0)
        pods.request(1)
        api.wait_for(lambda: len(api.asked) == 3)

        assert [(one.method, one.place) for one in api.asked] == [("POST", SECRETS), ("POST", PODS), ("POST", PODS)]
        bodies = [json.loads(one.body) for one in api.asked]
    assert bodies[0] == worker_pod.secret(OWNER, KEYS)
    assert sorted(bodies[1:], key=lambda pod: str(pod["metadata"]["name"])) == [
        worker_pod.pod(template(), number, TOLD) for number in (0, 1)
    ]


def test_pods_are_created_several_at_a_time() -> None:
    together = threading.Barrier(CALLS)

    def meet(number: int, _: int) -> Callable[[Exchange], None] | None:
        together.wait(SECONDS)
        return None

    with started() as (pods, api, _):
        api.creating = meet
        for number in range(2 * CALLS):
            pods.request(number)
        api.wait_for(lambda: len(api.there) == 2 * CALLS)


def test_a_worker_that_was_asked_for_is_not_asked_for_again() -> None:
    with started() as (pods, api, log):
        pods.request(0)
        log.wait_for("worker 0: created")
        pods.request(0)
        pods.on_end(lambda *_: None)
        api.tell(0, state=terminated(137))
        log.wait_for(" Failed")
        pods.request(1)
        log.wait_for("worker 1: created")
        pods.request(0)
        pods.request(2)
        log.wait_for("worker 2: created")

        assert api.posts() == [0, 1, 2]


@pytest.mark.parametrize("status", [409, 201])
def test_a_pod_that_is_there_already_is_this_runs_own(status: int) -> None:
    def conflict(exchange: Exchange) -> None:
        api.create(0)
        exchange.fail(409, "AlreadyExists")

    with started() as (pods, api, log):
        if status == 409:
            api.creating = lambda *_: conflict
        pods.request(0)
        log.wait_for("worker 0: created")
        pods.close()

        assert pods.waiting() is None
        assert api.posts() == [0]
        assert api.there == []


def test_a_secret_that_is_there_already_is_this_runs_own() -> None:
    with pods_api() as (api, client):
        api.keeping = lambda exchange: exchange.fail(409, "AlreadyExists")
        pods = WorkerPods(client, template(), keys=KEYS, told=TOLD)
        pods.start()
        pods.request(0)
        api.wait_for(lambda: api.there == [0])
        pods.close()


def test_a_cluster_that_allows_no_secret_is_told_and_nothing_is_created() -> None:
    with pods_api() as (api, client):
        api.keeping = refused('secrets is forbidden: User "x" cannot create resource "secrets"')
        pods = WorkerPods(client, template(), keys=KEYS, told=TOLD)
        with pytest.raises(Forbidden, match="cannot create resource"):
            pods.start()
        pods.close()

    assert (api.posts(), api.deletions()) == ([], [worker_pod.secret_name(OWNER)])


@pytest.mark.usefixtures("hasty")
def test_a_full_quota_is_told_once_with_its_numbers_and_the_rest_is_asked_for_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    is_full = threading.Event()
    is_full.set()
    with started() as (pods, api, log):
        api.creating = lambda number, _: refused() if number > 0 and is_full.is_set() else None
        for number in range(4):
            pods.request(number)
        for number in (1, 2, 3):
            log.wait_for(f"worker {number}: {QUOTA}", 5)

        assert pods.waiting() is not None
        assert pods.held() == 3
        is_full.clear()
        api.wait_for(lambda: api.there == [0, 1, 2, 3])
        eventually(lambda: pods.waiting() is None)
        assert pods.held() == 0

    told = "penstock: 3 of 4 workers wait (quota): pods 3/3. The flow goes on with those that there are.\n"
    assert capsys.readouterr().err == told


def test_what_passes_within_a_moment_is_not_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.02)
    with started() as (pods, api, log):
        api.creating = lambda _, times: refused() if times < 2 else None
        pods.request(0)
        log.wait_for("worker 0: created")
        assert pods.held() == 0

    assert capsys.readouterr().err == ""


def test_a_worker_that_was_refused_is_asked_for_as_soon_as_another_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 1000.0)
    with started() as (pods, api, log):
        api.creating = lambda number, times: refused() if number == 1 and times == 0 else None
        pods.request(0)
        log.wait_for("worker 0: created")
        pods.request(1)
        log.wait_for(f"worker 1: {QUOTA}")
        eventually(lambda: pods.waiting() is not None)
        api.tell(0, state=terminated(137))

        log.wait_for("worker 1: created")
        assert api.posts() == [0, 1, 1]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(("status", "reason"), [(500, ""), (500, "InternalError"), (503, ""), (429, "TooManyRequests")])
def test_an_api_server_in_trouble_is_asked_again(status: int, reason: str) -> None:
    with started() as (pods, api, log):
        api.creating = lambda _, times: (lambda exchange: exchange.fail(status, reason)) if times < 2 else None
        pods.request(0)
        log.wait_for("worker 0: created")

        assert api.posts() == [0, 0, 0]
        eventually(lambda: pods.waiting() is None)


@pytest.mark.usefixtures("hasty")
def test_what_no_waiting_can_help_comes_before_what_passes() -> None:
    with started() as (pods, api, _):
        api.creating = lambda number, _: refused(REFUSED if number == 1 else QUOTA)
        for number in range(3):
            pods.request(number)
        api.wait_for(lambda: set(api.posts()) == {0, 1, 2})
        eventually(lambda: (found := pods.waiting()) is not None and found.fatal)

        trouble = pods.waiting()
    assert trouble is not None
    assert trouble.failure == Failure(
        failure_class=FailureClass.CONFIG,
        message="The namespace's Pod Security level does not allow a worker's pod.",
        next_step="Correct job_spec in the stack, or lower pod_security.",
        evidence=REFUSED,
    )


@pytest.mark.usefixtures("hasty")
def test_a_pod_that_finds_no_machine_waits_until_it_has_one(capsys: pytest.CaptureFixture[str]) -> None:
    with started() as (pods, api, log):
        pods.request(0)
        log.wait_for("worker 0: created")
        api.tell(0, conditions=UNSCHEDULABLE)
        eventually(lambda: pods.held() == 1)
        api.tell(0, **RUNNING)
        eventually(lambda: pods.waiting() is None)

    told = (
        "penstock: 1 of 1 workers wait (unschedulable): No machine of the cluster can take a worker now. "
        "The flow waits for one.\n"
    )
    assert capsys.readouterr().err in {told, ""}  # nothing, when it passed in the moment between both


def test_what_a_pod_tells_before_its_creation_is_answered_is_kept() -> None:
    seen = threading.Event()

    def slow(exchange: Exchange) -> None:
        api.create(0)
        api.tell(0, conditions=UNSCHEDULABLE)
        seen.wait(SECONDS)
        exchange.json(201, {})

    with started() as (pods, api, log):
        api.creating = lambda number, _: slow if number == 0 else None
        pods.request(0)
        eventually(lambda: pods.waiting() is not None)
        seen.set()
        log.wait_for("worker 0: created")
        pods.request(1)
        log.wait_for("worker 1: added")  # told in the order in which it came

        assert pods.waiting() is not None


def test_ends_are_told_with_what_is_known_of_them() -> None:
    told: list[tuple[int, Ended]] = []
    with started() as (pods, api, log):
        pods.on_end(lambda number, ended: told.append((number, ended)))
        for number in range(3):
            pods.request(number)
            log.wait_for(f"worker {number}: added")
        api.tell(0, state=terminated(137))
        api.tell(1, **RUNNING)
        api.tell(2, "DELETED", **RUNNING)
        api.tell(0, "DELETED", state=terminated(137))
        log.wait_for("worker 0: deleted")
        eventually(lambda: len(told) == 2)

    assert told == [(0, LOST), (2, worker_pod.deleted())]


def test_ends_before_anybody_asks_are_told_then() -> None:
    told: list[tuple[int, Ended]] = []
    with started() as (pods, api, log):
        for number in range(2):
            pods.request(number)
            log.wait_for(f"worker {number}: created")
        api.tell(0, state=terminated(137))
        api.tell(1, **RUNNING)
        log.wait_for(" Running")
        pods.on_end(lambda number, ended: told.append((number, ended)))

    assert told == [(0, LOST)]


def test_workers_of_another_pod_of_the_same_attempt_are_left_alone() -> None:
    told: list[int] = []
    with started() as (pods, api, log):
        pods.on_end(lambda number, _: told.append(number))
        api.tell(7, "ADDED", uid="uid-of-an-earlier-pod", state=terminated(137))
        pods.request(0)
        log.wait_for("worker 0: added")

    assert told == []
    assert api.there == [7]


def test_an_end_that_was_asked_for_is_not_told() -> None:
    told: list[int] = []
    with started() as (pods, api, log):
        pods.on_end(lambda number, _: told.append(number))
        pods.request(0)
        log.wait_for("worker 0: added")
        log.wait_for("worker 0: created")
        pods.remove(0)

        assert api.there == []
        log.wait_for("worker 0: deleted")
        pods.remove(0)
        pods.remove(1)
    assert told == []
    deletion = next(one for one in api.asked if one.method == "DELETE")
    assert json.loads(deletion.body) == {"gracePeriodSeconds": GRACE_SECONDS}
