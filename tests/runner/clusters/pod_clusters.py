"""Clusters of pods without pods: each worker is a real one of Dask's, with the run's keys, in this very process."""

import asyncio
import contextlib
import gc
import os
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, cast

import dask
from distributed import Client, Worker

from runner.clusters import tls
from runner.clusters.ended import Ended
from runner.clusters.pod_cluster import KubernetesCluster
from runner.clusters.pods import WorkerPods
from runner.clusters.worker_log import OUTPUT, WorkerLog
from runner.outcome import Failure, FailureClass
from runner.sections import SCHEDULER_PORT
from runner.trouble import Trouble

SECONDS = 45.0
KEYS = tls.make()


def loopback() -> str:
    """An address of this machine that nobody else uses, as every pod has one: ports are fixed."""
    a, b, c = os.urandom(3)
    return f"127.{a or 1}.{b}.{c or 1}"


def trouble(failure_class: FailureClass, *, fatal: bool) -> Trouble:
    """What keeps workers from starting."""
    failure = Failure(failure_class=failure_class, message="Nothing goes.", next_step="Wait.", evidence="words")
    return Trouble(failure=failure, fatal=fatal)


class Pods:
    """What takes the place of `WorkerPods`; its workers are in a thread of their own, as they are elsewhere otherwise.

    Args:
        scheduler: address of the scheduler.
        folder: for the workers' files.
        connecting: whether a worker of this number connects.
    """

    def __init__(self, scheduler: str, folder: Path, *, connecting: Callable[[int], bool] = lambda _: True) -> None:
        self.changed = threading.Condition()
        self.asked: list[int] = []
        self.removed: list[int] = []
        self.workers: dict[int, Worker] = {}
        self.trouble: Trouble | None = None
        self.number_held = 0
        self._scheduler = scheduler
        self._folder = folder
        self._connecting = connecting
        self._callback: Callable[[int, Ended], object] | None = None
        self._work: set[Future[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> "Pods":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for number in self.asked:
            self._end(number)
        assert not wait(self._work, SECONDS).not_done
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def wait_for(self, satisfied: Callable[[], bool]) -> None:
        """Wait until the cluster has done something."""
        with self.changed:
            assert self.changed.wait_for(satisfied, SECONDS), (self.asked, self.removed, list(self.workers))

    def await_asked(self, count: int) -> None:
        """Wait until so many pods have been asked for."""
        self.wait_for(lambda: len(self.asked) == count)

    def await_up(self, number: int) -> None:
        """Wait until a worker is up."""
        self.wait_for(lambda: number in self.workers)

    def end(self, number: int, ended: Ended) -> None:
        """Have a pod end that was not asked to."""
        assert self._callback is not None
        self._callback(number, ended)

    def on_end(self, callback: Callable[[int, Ended], object]) -> None:
        self._callback = callback

    def request(self, number: int) -> None:
        if self._connecting(number):
            self._do(self._start(number))
        with self.changed:
            self.asked.append(number)
            self.changed.notify_all()

    def remove(self, number: int) -> None:
        with self.changed:
            self.removed.append(number)
            self.changed.notify_all()
        self._end(number)

    def _end(self, number: int) -> None:
        with self.changed:
            worker = self.workers.pop(number, None)
        if worker is not None:
            self._do(worker.close(nanny=False, executor_wait=False))

    def lose(self, number: int) -> None:
        """Have a worker's process be gone, and nobody tell of it."""
        self._do(self.workers.pop(number).close(nanny=False, executor_wait=False))

    def waiting(self) -> Trouble | None:
        return self.trouble

    def held(self) -> int:
        return self.number_held

    async def _start(self, number: int) -> None:
        worker = Worker(
            self._scheduler,
            name=number,
            nthreads=1,
            memory_limit=0,
            host="127.0.0.1",
            security=tls.security(KEYS),
            local_directory=str(self._folder),
            dashboard=False,
            dashboard_address="127.0.0.1:0",
            death_timeout=2,
        )
        worker.handlers[OUTPUT] = lambda: ""
        with contextlib.suppress(TimeoutError):  # the cluster was closed meanwhile
            await worker
        with self.changed:
            if is_wanted := number not in self.removed:
                self.workers[number] = worker
            self.changed.notify_all()
        if not is_wanted:
            await worker.close(nanny=False, executor_wait=False)

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        self._work.add(asyncio.run_coroutine_threadsafe(work, self._loop))


@contextlib.contextmanager
def pod_cluster(
    folder: Path,
    minimum: int,
    maximum: int | None = None,
    *,
    connecting: Callable[[int], bool] = lambda _: True,
) -> Iterator[tuple[KubernetesCluster, Pods]]:
    """Such a cluster, whose workers write to a log in the folder."""
    host = loopback()
    pods = Pods(f"tls://{host}:{SCHEDULER_PORT}", folder, connecting=connecting)
    log = WorkerLog(str(folder))
    routes: dict[str, list[str]] = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
    with dask.config.set(routes), pods:
        cluster = KubernetesCluster(
            cast("WorkerPods", pods),
            security=tls.security(KEYS),
            host=host,
            minimum=minimum,
            maximum=minimum if maximum is None else maximum,
            dashboard=False,
            log=log,
        )
        try:
            yield cluster, pods
        finally:
            cluster.close()
            log.close()
    with warnings.catch_warnings():
        # Connections that were being made meanwhile are left to Python, by distributed.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@contextlib.contextmanager
def client_of(cluster: KubernetesCluster, workers: int) -> Iterator[Any]:
    """A client, once there are so many workers."""
    with Client(cluster, set_as_default=False) as client:
        if workers:
            client.wait_for_workers(workers, timeout=SECONDS)
        yield client
