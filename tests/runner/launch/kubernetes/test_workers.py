"""What the workers of a run print: read from their pods while those are there, and from a file afterwards."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.errors import UsageError
from runner.kubernetes import names
from runner.launch.kubernetes import workers
from runner.launch.kubernetes.workers import Following
from runner.outcome import WORKER_LOG_ARTIFACT, Artifact, State
from tests.runner.clusters.pods_api import PodsApi
from tests.runner.clusters.worker_pods import OWNER, terminated, told_pod
from tests.runner.kubernetes.api_server import Exchange
from tests.runner.kubernetes.replies import client_of, fails
from tests.runner.launch.kubernetes.objects import outcome

SECONDS = 5.0
RUNNING: dict[str, Any] = {"state": {"running": {}}}
LOGS = f"/prefix/api/v1/namespaces/{OWNER.namespace}/pods/"


def stamped(*lines: tuple[int, str]) -> bytes:
    """Lines of one second as the kubelet tells them, each with its nanoseconds."""
    return b"".join(b"2026-01-31T08:30:00.%09dZ %b\n" % (at, text.encode()) for at, text in lines)


def answering(logs: dict[int, bytes | Callable[[Exchange], None]]) -> Callable[[Exchange], None]:
    """A server of workers' logs, by number."""

    def reply(exchange: Exchange) -> None:
        number = int(exchange.asked.place.removesuffix("/log").rpartition("-")[2])
        found = logs[number]
        if callable(found):
            found(exchange)
            return
        exchange.begin()
        exchange.chunk(found)
        exchange.end()

    return reply


def read(logs: dict[int, bytes | Callable[[Exchange], None]]) -> list[str]:
    with client_of(answering(logs)) as (client, server):
        found = workers.read(client, [told_pod(number, 1, **RUNNING) for number in logs])
        assert all(one.query == {"container": "worker", "timestamps": "true"} for one in server.requests)
        assert sorted(one.place for one in server.requests) == sorted(
            f"{LOGS}{OWNER.pod}-worker-{number}/log" for number in logs
        )
    return found.decode().split("\n")[:-1]


def test_lines_of_all_workers_come_in_the_order_in_which_they_were_printed() -> None:
    logs: dict[int, Any] = {
        0: stamped((1, "first"), (30, "fourth")),
        1: stamped((2, "second"), (900_000_000, "last")),
        12: stamped((10, "third")),
    }

    assert read(logs) == [
        "worker 0 | first",
        "worker 1 | second",
        "worker 12 | third",
        "worker 0 | fourth",
        "worker 1 | last",
    ]


def test_lines_of_one_time_stay_in_order() -> None:
    assert read({0: stamped(*((5, f"line {i}") for i in range(20)))}) == [f"worker 0 | line {i}" for i in range(20)]


def test_a_line_is_whole_whatever_is_in_it() -> None:
    bar = "10%\r 50%\r100% | done"
    logs: dict[int, Any] = {0: stamped((5, bar), (7, ""), (8, "  two  words ")), 1: stamped((6, "other"))}

    assert read(logs) == [f"worker 0 | {bar}", "worker 1 | other", "worker 0 | ", "worker 0 |   two  words "]


def test_a_last_line_without_an_end_gets_one() -> None:
    assert read({0: stamped((5, "half")).removesuffix(b"\n")}) == ["worker 0 | half"]


def test_workers_that_have_not_started_or_are_gone_have_said_nothing() -> None:
    logs: dict[int, Any] = {
        0: fails(400, "BadRequest", message='container "worker" in pod "x" is waiting to start: ContainerCreating'),
        1: fails(404, "NotFound"),
        2: stamped((5, "here")),
        3: b"",
    }

    assert read(logs) == ["worker 2 | here"]


def test_a_run_without_workers_has_no_lines() -> None:
    assert read({}) == []


def test_the_kept_lines_of_a_run_that_has_ended(tmp_path: Path) -> None:
    (tmp_path / WORKER_LOG_ARTIFACT).write_bytes(b"worker 0 | one\n")
    other = Artifact(name="table.csv", path=str(tmp_path / "table.csv"))
    ended = outcome(
        State.SUCCEEDED, artifacts=(other, Artifact(name=WORKER_LOG_ARTIFACT, path=str(tmp_path / WORKER_LOG_ARTIFACT)))
    )

    assert workers.kept(ended) == b"worker 0 | one\n"
    (tmp_path / WORKER_LOG_ARTIFACT).unlink()
    for nothing in (ended, replace(ended, artifacts=()), replace(ended, artifacts=(other,))):
        with pytest.raises(UsageError) as caught:
            workers.kept(nothing)
        assert str(caught.value) == (
            "Nothing that workers of the-run printed is kept. It had none, they printed nothing in Python, "
            "or what it left behind is gone with its pod."
        )


def test_the_workers_of_a_jobs_attempt_are_selected() -> None:
    job = {"metadata": {"labels": {**OWNER.labels, "team": "data"}}}

    assert workers.selector(job) == (
        "penstock.dev/run-id=the-run,penstock.dev/attempt=1,penstock.dev/environment=dask,penstock.dev/worker"
    )
    assert names.WORKER == "penstock.dev/worker"


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        (told_pod(0, 1), False),
        (told_pod(0, 1, state={"waiting": {"reason": "ContainerCreating"}}), False),
        (told_pod(0, 1, **RUNNING), True),
        (told_pod(0, 1, state=terminated(137)), True),
        ({"metadata": {}}, False),
    ],
)
def test_a_log_is_there_once_the_workers_own_container_has_started(pod: dict[str, Any], expected: bool) -> None:
    assert workers.has_started(pod) is expected


class Printed:
    """What a follower has been given, which can be waited for."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, data: bytes) -> None:
        with self._changed:
            assert data.endswith(b"\n")
            self.lines.append(data.decode().rstrip("\n"))
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.lines) >= count, SECONDS), self.lines


def test_lines_are_passed_on_as_they_come_of_workers_that_come_later_too() -> None:
    api, printed = PodsApi(), Printed()
    more = threading.Event()

    def first(exchange: Exchange) -> None:
        exchange.begin()
        exchange.chunk(stamped((1, "one")))
        if exchange.asked.query["follow"] == "true":
            exchange.gone()
        else:
            exchange.chunk(stamped((2, "the end")))
            exchange.end()

    def second(exchange: Exchange) -> None:
        exchange.begin()
        exchange.chunk(stamped((1, "two")))
        more.wait(SECONDS)
        exchange.chunk(stamped((2, "three")))
        exchange.gone()

    logs = answering({0: first, 1: second})
    before = set(threading.enumerate())
    with client_of(lambda exchange: (logs if exchange.asked.place.endswith("/log") else api.reply)(exchange)) as (
        client,
        _,
    ):
        api.tell(0, "ADDED", **RUNNING)
        with Following(client, OWNER.namespace, names.WORKER, printed):
            printed.wait_for(1)
            api.tell(1, "ADDED")
            api.tell(1, **RUNNING)
            printed.wait_for(2)
            more.set()
            printed.wait_for(3)
            api.tell(0, state=terminated(0, "Completed"))
            printed.wait_for(4)
        api.stop()

    assert printed.lines == ["worker 0 | one", "worker 1 | two", "worker 1 | three", "worker 0 | the end"]
    assert set(threading.enumerate()) == before


def test_a_worker_whose_pod_is_gone_does_not_keep_the_others_from_being_followed() -> None:
    api, printed = PodsApi(), Printed()
    logs = answering({0: fails(404, "NotFound", details={"kind": "pods"}), 1: stamped((1, "here"))})
    with client_of(lambda exchange: (logs if exchange.asked.place.endswith("/log") else api.reply)(exchange)) as (
        client,
        _,
    ):
        for number in (0, 1):
            api.tell(number, "ADDED", **RUNNING)
        with Following(client, OWNER.namespace, names.WORKER, printed):
            printed.wait_for(1)
        api.stop()

    assert printed.lines == ["worker 1 | here"]
