"""How the pods of workers are closed, whatever they are waiting for, and how their watch goes on."""

import threading
from collections.abc import Callable

import pytest

from runner.clusters import pods as module
from runner.clusters import troubles, worker_pod
from runner.clusters.ended import Ended
from runner.clusters.pods import WorkerPods
from tests.runner.clusters.pods_api import SECONDS, PodsApi, eventually, pods_api
from tests.runner.clusters.started_pods import KEYS, LOST, name, refused, started
from tests.runner.clusters.worker_pods import OWNER, TOLD, template, terminated
from tests.runner.kubernetes.api_server import Exchange


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was refused is asked for again soon, and what lasts is told soon."""
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(troubles, "SETTLE_SECONDS", 0.1)


def test_a_worker_that_is_removed_while_it_is_created_is_gone_in_the_end() -> None:
    asked, removed = threading.Event(), threading.Event()

    def slow(exchange: Exchange) -> None:
        asked.set()
        removed.wait(SECONDS)
        api.create(0)
        exchange.json(201, {})

    with started() as (pods, api, log):
        api.creating = lambda *_: slow
        pods.request(0)
        asked.wait(SECONDS)
        pods.remove(0)
        removed.set()
        log.wait_for("worker 0: created")

        assert api.there == []
        assert pods.waiting() is None


def test_closing_deletes_every_pod_and_the_secret_and_can_be_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    with started() as (pods, api, log):
        for number in range(3):
            pods.request(number)
        for number in range(3):
            log.wait_for(f"worker {number}: created")
        api.tell(1, state=terminated(0, "Completed"))
        log.wait_for(" Succeeded")
        pods.close()

        assert api.there == []
        assert sorted(api.deletions()) == sorted([*map(name, range(3)), worker_pod.secret_name(OWNER)])
        pods.close()
        pods.request(4)
        assert sorted(api.posts()) == [0, 1, 2]
    assert capsys.readouterr().err == ""


def _done_and_lost(api: PodsApi) -> Callable[[int, int], Callable[[Exchange], None]]:
    """The pod is made, and the answer never comes."""

    def reply(exchange: Exchange) -> None:
        if not api.there:
            api.create(0)
        exchange.reset()

    return lambda *_: reply


def _done_and_then_refused(api: PodsApi) -> Callable[[int, int], Callable[[Exchange], None]]:
    """The first answer is lost, and what was made by then fills the quota."""
    lost = _done_and_lost(api)
    return lambda number, times: lost(number, times) if times == 0 else refused()


@pytest.mark.parametrize("way", [_done_and_lost, _done_and_then_refused])
def test_closing_deletes_a_pod_whose_creation_was_not_answered(
    way: Callable[[PodsApi], Callable[[int, int], Callable[[Exchange], None]]],
) -> None:
    with started(budget_seconds=0.4) as (pods, api, log):
        api.creating = way(api)
        pods.request(0)
        log.wait_for("worker 0: ")
        assert api.there == [0]
        pods.close()

        assert api.there == []


def test_closing_waits_for_a_creation_that_is_under_way() -> None:
    asked, go = threading.Event(), threading.Event()

    def slow(exchange: Exchange) -> None:
        asked.set()
        go.wait(SECONDS)
        api.create(0)
        exchange.json(201, {})

    with started() as (pods, api, _):
        api.creating = lambda *_: slow
        pods.request(0)
        asked.wait(SECONDS)
        closing = threading.Thread(target=pods.close)
        closing.start()
        go.set()
        closing.join(SECONDS)

        assert not closing.is_alive()
        assert api.there == []


def test_what_cannot_be_deleted_is_told_and_left_to_others(capsys: pytest.CaptureFixture[str]) -> None:
    with started() as (pods, api, log):
        pods.request(0)
        log.wait_for("worker 0: created")
        api.deleting = refused("pods is forbidden")
        pods.close()
        err = capsys.readouterr().err
        api.deleting = None

    assert err == (
        "penstock: 2 of the workers' objects could not be deleted now; the pod's container `cleanup` does it, or the "
        "cluster when the run's pod is removed.\n"
    )
    assert sum("could not be deleted: " in line for line in log.lines) == 2
    assert api.there == []


@pytest.mark.usefixtures("hasty")
def test_no_thread_is_left_whatever_the_pods_were_waiting_for() -> None:
    before = set(threading.enumerate())
    with pods_api() as (api, client):
        beside = set(threading.enumerate())
        pods = WorkerPods(client, template(), keys=KEYS, told=TOLD)
        api.creating = lambda number, _: refused() if number else None
        api.watching = refused("pods is forbidden")
        pods.start()
        for number in range(3):
            pods.request(number)
        api.wait_for(lambda: len(api.posts()) > 6)
        pods.close()

        assert [one.name for one in set(threading.enumerate()) - beside if "penstock" in one.name] == []
    assert set(threading.enumerate()) == before


def test_a_watch_that_breaks_goes_on_where_it_was() -> None:
    told: list[tuple[int, Ended]] = []
    with started() as (pods, api, log):
        pods.on_end(lambda number, ended: told.append((number, ended)))
        pods.request(0)
        log.wait_for("worker 0: added")
        for _ in range(3):
            api.break_watches_and_await_the_next()
        api.tell(0, state=terminated(137))
        eventually(lambda: bool(told))

    assert told == [(0, LOST)]


@pytest.mark.usefixtures("hasty")
def test_a_watch_that_is_refused_is_tried_again() -> None:
    told: list[int] = []
    with started() as (pods, api, log):
        pods.on_end(lambda number, _: told.append(number))
        api.watching = refused("pods is forbidden: cannot watch")
        api.break_watches()
        log.wait_for("the workers' pods cannot be watched: ", 2)
        api.watching = None
        pods.request(0)
        log.wait_for("worker 0: created")
        api.tell(0, state=terminated(137))
        eventually(lambda: told == [0])
