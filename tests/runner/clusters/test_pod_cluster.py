"""The Dask cluster of a run on Kubernetes: which workers there are to be, and what becomes of what they hold."""

import os
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from runner.clusters import run_cluster as module
from runner.clusters.ended import End, Ended
from runner.clusters.pod_cluster import KubernetesCluster
from runner.clusters.run_cluster import FIRST_LOSSES, FREE_LOSSES, LOSSES_PER_WORKER, WorkersUnavailableError
from runner.clusters.worker_log import OUTPUT
from runner.errors import UnavailableError
from runner.outcome import WORKER_LOG_ARTIFACT, FailureClass
from tests.runner.clusters.pod_clusters import SECONDS, client_of, pod_cluster, trouble

pytestmark = [pytest.mark.dask, pytest.mark.timeout(60)]
LOST = Ended(end=End.LOST, failure_class=FailureClass.OOM, why="was killed", last_words="its last words\nin two lines")
HOPELESS = Ended(end=End.HOPELESS, failure_class=FailureClass.CONFIG, why="cannot work with this run: no")
CLOSED = Ended(end=End.CLOSED, failure_class=FailureClass.CANCELLED, why="was closed", last_words="bye")


def scaled(cluster: KubernetesCluster, number: int) -> None:
    """Scale, and wait until the cluster is as it was decided."""
    cluster.scale(number)
    cluster.sync(cluster._correct_state)


class Told:
    """What `on_hopeless` is told."""

    def __init__(self, cluster: KubernetesCluster) -> None:
        self.errors: list[UnavailableError] = []
        self._there = threading.Event()
        cluster.on_hopeless = self._take

    def _take(self, error: UnavailableError) -> None:
        self.errors.append(error)
        self._there.set()

    def wait(self) -> WorkersUnavailableError:
        assert self._there.wait(SECONDS)
        (error,) = self.errors
        assert isinstance(error, WorkersUnavailableError)
        return error


def on_each(client: Any) -> list[Any]:
    """A result on each of the workers that nobody can compute again."""
    addresses = list(client.scheduler_info(n_workers=-1)["workers"])
    futures = [client.submit(os.urandom, 8, pure=False, workers=[address]) for address in addresses]
    client.gather(futures)
    return futures


def settled(cluster: KubernetesCluster) -> None:
    """Wait until the event loop has done what it was given before."""
    done = threading.Event()
    cluster.loop.add_callback(cluster.loop.add_callback, done.set)
    assert done.wait(SECONDS)


def test_there_are_as_many_workers_as_asked_for_and_never_more_than_there_may_be(tmp_path: Path) -> None:
    with pod_cluster(tmp_path, 2, 3, connecting=lambda _: False) as (cluster, pods):
        cluster._adaptive.stop()
        for number, expected in ((10, 3), (1, 1), (3, 3), (0, 0), (2, 2)):
            scaled(cluster, number)
            assert len(cluster.worker_spec) == expected

        assert pods.asked == list(range(len(pods.asked)))
        assert sorted([*pods.removed, *cluster.worker_spec]) == pods.asked
    assert sorted(pods.removed) == pods.asked


def test_a_number_is_never_used_twice(tmp_path: Path) -> None:
    with pod_cluster(tmp_path, 2) as (cluster, pods), client_of(cluster, 2) as client:
        for number in range(3):
            pods.end(number, LOST)
            pods.await_up(number + 2)
        scaled(cluster, 0)
        scaled(cluster, 2)
        client.wait_for_workers(2, timeout=SECONDS)

        assert pods.asked == list(range(7))


def test_adapting_stays_within_what_the_run_may_have(tmp_path: Path) -> None:
    with pod_cluster(tmp_path, 1, 3, connecting=lambda _: False) as (cluster, _):
        found = []
        for options in ({}, {"minimum": 0, "maximum": 99}, {"minimum": -4, "maximum": 2}, {"minimum": 7}):
            adaptive = cluster.adapt(**options)
            found.append((adaptive.minimum, adaptive.maximum))

        assert found == [(1, 3), (0, 3), (0, 2), (3, 3)]


def test_a_cluster_of_a_range_adapts_by_itself_and_one_of_a_size_does_not(tmp_path: Path) -> None:
    with pod_cluster(tmp_path, 2, connecting=lambda _: False) as (cluster, _):
        assert cluster._adaptive is None
    with pod_cluster(tmp_path, 0, 2) as (cluster, pods), client_of(cluster, 0) as client:
        assert pods.asked == []
        assert client.submit(lambda: 7, pure=False).result(SECONDS) == 7
        assert pods.asked == [0]


def test_what_leaving_workers_hold_is_moved_to_those_that_stay(tmp_path: Path) -> None:
    with pod_cluster(tmp_path, 3) as (cluster, pods), client_of(cluster, 3) as client:
        futures = on_each(client)
        values = client.gather(futures)
        scaled(cluster, 1)

        assert len(client.scheduler_info(n_workers=-1)["workers"]) == 1
        assert client.gather(futures) == values
        assert len(pods.removed) == 2


def test_a_worker_that_alone_holds_a_result_stays(tmp_path: Path) -> None:
    with pod_cluster(tmp_path, 1) as (cluster, pods), client_of(cluster, 1) as client:
        futures = on_each(client)
        value = futures[0].result()
        scaled(cluster, 0)

        assert futures[0].result() == value
        assert (pods.asked, pods.removed, list(cluster.worker_spec)) == ([0], [], [0])


def test_a_lost_worker_is_replaced_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pod_cluster(tmp_path, 2) as (cluster, pods), client_of(cluster, 2) as client:
        pods.end(0, LOST)
        pods.await_up(2)
        client.wait_for_workers(2, timeout=SECONDS)

        assert pods.removed == [0]
        assert set(cluster.worker_spec) == {1, 2}
    assert capsys.readouterr().err == "penstock: worker 0 was killed; another takes its place.\n"


def test_an_end_is_told_once_and_that_of_a_worker_that_left_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pod_cluster(tmp_path, 2) as (cluster, pods), client_of(cluster, 2):
        scaled(cluster, 1)
        (left,) = set(pods.asked) - set(cluster.worker_spec)
        pods.end(left, LOST)
        pods.end(99, LOST)
        settled(cluster)

        assert pods.asked == [0, 1]
    assert capsys.readouterr().err == ""


def test_a_worker_that_was_closed_by_the_cluster_is_not_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pod_cluster(tmp_path, 2) as (cluster, pods), client_of(cluster, 2):
        pods.end(0, CLOSED)
        pods.wait_for(lambda: pods.removed == [0])

        assert (pods.asked, list(cluster.worker_spec)) == ([0, 1], [1])
    assert capsys.readouterr().err == ""
    assert not (tmp_path / WORKER_LOG_ARTIFACT).exists()


def test_losses_are_made_good_so_and_so_often_then_the_run_is_given_up_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced = FREE_LOSSES + LOSSES_PER_WORKER * 2
    with pod_cluster(tmp_path, 2, connecting=lambda number: number == 0) as (cluster, pods), client_of(cluster, 1):
        told = Told(cluster)
        for number in range(1, replaced + 1):
            pods.end(number, LOST)
            pods.await_asked(number + 2)
        pods.end(replaced + 1, LOST)
        settled(cluster)
        assert told.errors == []
        assert list(cluster.worker_spec) == [0]
        scaled(cluster, 2)
        assert list(cluster.worker_spec) == [0]
        pods.end(0, LOST)
        error = told.wait()
        pods.end(0, LOST)
        scaled(cluster, 2)

        assert len(pods.asked) == replaced + 2
        assert len(told.errors) == 1
    assert str(error) == "Worker 0 was killed. See what it printed with `penstock logs --workers`."
    assert (error.failure_class, error.evidence) == (FailureClass.OOM, LOST.last_words)
    assert capsys.readouterr().err.splitlines() == [
        *(f"penstock: worker {number} was killed; another takes its place." for number in range(1, replaced + 1)),
        f"penstock: worker {replaced + 1} was killed; it is not replaced.",
    ]


def test_workers_that_lived_long_are_replaced_without_counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONG_LIFE_SECONDS", 0.0)
    often = FREE_LOSSES + 2 * LOSSES_PER_WORKER + 5
    with pod_cluster(tmp_path, 2, connecting=lambda number: number == 0) as (cluster, pods), client_of(cluster, 1):
        for number in range(1, often):
            pods.end(number, LOST)
            pods.await_asked(number + 2)


def test_a_run_of_which_no_worker_ever_connects_is_given_up_soon(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pod_cluster(tmp_path, 2, connecting=lambda _: False) as (cluster, pods):
        told = Told(cluster)
        for number in range(FIRST_LOSSES):
            pods.end(number, LOST)
        error = told.wait()
        with pytest.raises(WorkersUnavailableError) as caught:
            cluster.await_workers(None)

        assert caught.value is error
    assert str(error) == "Worker 2 was killed. See what it printed with `penstock logs --workers`."
    assert capsys.readouterr().err.splitlines() == [
        f"penstock: worker {number} was killed; another takes its place." for number in (0, 1)
    ]


def test_what_every_worker_would_meet_ends_the_run_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pod_cluster(tmp_path, 2, connecting=lambda _: False) as (cluster, pods):
        told = Told(cluster)
        pods.end(0, HOPELESS)
        error = told.wait()
        pods.end(1, HOPELESS)
        settled(cluster)

        assert told.errors == [error]
        assert pods.asked == [0, 1]
    assert (str(error), error.failure_class) == ("Worker 0 cannot work with this run: no.", FailureClass.CONFIG)
    assert capsys.readouterr().err == ""


def test_what_only_some_workers_meet_does_not_end_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pod_cluster(tmp_path, 2, connecting=lambda number: number == 0) as (cluster, pods), client_of(cluster, 1):
        told = Told(cluster)
        pods.end(1, HOPELESS)
        settled(cluster)

        assert (told.errors, list(cluster.worker_spec), pods.asked) == ([], [0], [0, 1])
    assert capsys.readouterr().err == "penstock: worker 1 cannot work with this run: no; it is not replaced.\n"


def test_a_worker_that_does_not_answer_while_its_pod_is_up_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "LOST_SECONDS", 0.05)
    with pod_cluster(tmp_path, 2) as (cluster, pods), client_of(cluster, 2):
        pods.lose(0)
        pods.await_up(2)

        assert pods.removed == [0]
    assert capsys.readouterr().err == "penstock: worker 0 has not answered for a while; another takes its place.\n"


def test_a_worker_that_left_while_somebody_waited_for_others_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "LOST_SECONDS", 0.05)
    with pod_cluster(tmp_path, 2) as (cluster, pods), client_of(cluster, 2):

        async def lose_and_wait() -> None:
            await cluster.scheduler.remove_worker(pods.workers[0].address, stimulus_id="test")
            cluster.scheduler_info["workers"] = {}  # as `wait_for_workers` does, before the cluster is told

        cluster.sync(lose_and_wait)
        pods.await_up(2)

    assert capsys.readouterr().err == "penstock: worker 0 has not answered for a while; another takes its place.\n"


def test_all_of_the_fewest_workers_are_waited_for(tmp_path: Path) -> None:
    with pod_cluster(tmp_path, 3) as (cluster, _):
        cluster.await_workers(SECONDS)

        assert len(cluster.scheduler.workers) == 3


def test_workers_that_are_held_are_not_waited_for_when_there_is_one(tmp_path: Path) -> None:
    with pod_cluster(tmp_path, 3, connecting=lambda number: number == 1) as (cluster, pods):
        pods.trouble = trouble(FailureClass.QUOTA, fatal=False)
        pods.number_held = 2
        began = time.monotonic()
        cluster.await_workers(SECONDS)

        assert len(cluster.scheduler.workers) == 1
        assert time.monotonic() - began < module.OTHERS_SECONDS


def test_others_are_waited_for_so_long_only_when_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OTHERS_SECONDS", 0.1)
    with pod_cluster(tmp_path, 3, connecting=lambda number: number == 1) as (cluster, _):
        cluster.await_workers(SECONDS)

        assert len(cluster.scheduler.workers) == 1


def test_a_cluster_of_no_fewest_workers_is_not_waited_for(tmp_path: Path) -> None:
    with pod_cluster(tmp_path, 0, 2) as (cluster, pods):
        cluster.await_workers(None)

        assert pods.asked == []


@pytest.mark.parametrize(("fatal", "seconds"), [(True, None), (True, 60.0), (False, 0.05)])
def test_the_wait_ends_when_it_is_in_vain_and_tells_what_keeps_the_workers(
    tmp_path: Path, fatal: bool, seconds: float | None
) -> None:
    with pod_cluster(tmp_path, 2, connecting=lambda _: False) as (cluster, pods):
        pods.trouble = trouble(FailureClass.IMAGE, fatal=fatal)
        pods.number_held = 2
        with pytest.raises(WorkersUnavailableError) as caught:
            cluster.await_workers(seconds)

    error = caught.value
    assert str(error) == "No worker could be started: Nothing goes. Wait."
    assert (error.failure_class, error.evidence, error.exit_code) == (FailureClass.IMAGE, "words", 69)


def test_a_wait_without_a_reason_ends_in_its_time(tmp_path: Path) -> None:
    with (
        pod_cluster(tmp_path, 2, connecting=lambda _: False) as (cluster, _),
        pytest.raises(WorkersUnavailableError) as caught,
    ):
        cluster.await_workers(0.1)

    assert str(caught.value) == (
        "No worker was connected within 0.1 s, and the cluster gives no reason. "
        "See their pods with kubectl, and that network policies let them reach the run's pod."
    )
    assert caught.value.failure_class is FailureClass.NEVER_STARTED


def log_of(folder: Path) -> list[str]:
    return (folder / WORKER_LOG_ARTIFACT).read_text().splitlines()


def test_last_words_of_a_worker_are_kept_with_its_number(tmp_path: Path) -> None:
    with pod_cluster(tmp_path, 2) as (cluster, pods), client_of(cluster, 2):
        pods.end(0, LOST)
        pods.await_up(2)

    assert log_of(tmp_path) == [
        "worker 0 | (ended; the last that the cluster kept of its output)",
        "worker 0 | its last words",
        "worker 0 | in two lines",
    ]


def test_what_workers_print_is_kept_with_their_numbers_the_rest_of_it_at_the_end(tmp_path: Path) -> None:
    with pod_cluster(tmp_path, 2) as (cluster, pods), client_of(cluster, 2) as client:
        for number, worker in pods.workers.items():
            worker.handlers[OUTPUT] = f", the end of {number}".strip
            send = {"op": OUTPUT, "text": f"hello from {number}\nmore"}
            worker.loop.add_callback(worker.batched_send, send)
        client.gather([client.submit(lambda: None, pure=False, workers=[each]) for each in list(client.ncores())])

    expected = [f"worker {i} | {text}" for i in (0, 1) for text in (f"hello from {i}", f"more, the end of {i}")]
    assert sorted(log_of(tmp_path)) == sorted(expected)


def test_closing_deletes_the_workers_whatever_they_do(tmp_path: Path) -> None:
    with pod_cluster(tmp_path, 2) as (cluster, pods), client_of(cluster, 2) as client:
        futures = client.map(lambda i: i, range(10))
        client.gather(futures)

    assert sorted(pods.removed) == [0, 1]
    assert pods.workers == {}


def test_the_scheduler_is_at_its_own_address_and_what_it_serves_over_http_inside_the_pod_only(tmp_path: Path) -> None:
    with pod_cluster(tmp_path, 0) as (cluster, _):
        assert re.fullmatch(r"tls://127\.\d+\.\d+\.\d+:8786", cluster.scheduler_address)
        served = [each.getsockname()[0] for each in cluster.scheduler.http_server._sockets.values()]
        assert served == ["127.0.0.1"]


def test_a_worker_of_a_command_of_the_users_keeps_nothing_and_disturbs_nothing(tmp_path: Path) -> None:
    with pod_cluster(tmp_path, 1) as (cluster, pods), client_of(cluster, 1):
        del pods.workers[0].handlers[OUTPUT]

    assert pods.workers == {}
    assert not (tmp_path / WORKER_LOG_ARTIFACT).exists()
