"""A Dask cluster whose scheduler is in the flow's process and whose workers are pods, of one run alone.

`distributed`'s SpecCluster decides which workers there are to be, adaptively too; `WorkerPods` makes them be. What this
adds to SpecCluster: a worker leaves only after what it alone holds has been moved to others, one that was lost is
replaced so and so often, and numbers are never used twice.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from distributed import Scheduler, SpecCluster
from distributed.core import Status
from distributed.deploy.cluster import Cluster
from distributed.deploy.spec import ProcessInterface

from runner.clusters.pods import WorkerPods
from runner.clusters.worker_log import OUTPUT, WorkerLog
from runner.clusters.worker_pod import End, Ended
from runner.errors import UnavailableError
from runner.outcome import FailureClass
from runner.sections import DASHBOARD_PORT, SCHEDULER_PORT

LOST_SECONDS = 15.0
"""How long a worker may be away from the scheduler while its pod is up; Dask's own `lost-worker-timeout`."""
OTHERS_SECONDS = 30.0
"""How long a flow waits for the rest of its fewest workers once there is one: images are being pulled, say."""
FLUSH_SECONDS = 2.0
"""How long the workers may take at the end to send what they printed."""
FIRST_LOSSES = 3
"""Losses in a row after which a run is given up when no worker was ever connected: the next would not be either."""
FREE_LOSSES = 5
LOSSES_PER_WORKER = 2
"""A run replaces 5 workers, and 2 for each that it may have. More than that is no bad luck of a machine."""
LONG_LIFE_SECONDS = 600
"""A worker that lived this long is replaced without counting: machines that are cheap are taken away now and then."""
ADAPTIVE = {"interval": "1s", "wait_count": 10, "target_duration": "5s"}
"""Looks once a second; a worker leaves after ten looks without need, and workers come for work of more than 5 s."""


class WorkersUnavailableError(UnavailableError):
    """No worker can be had.

    Args:
        message: two sentences.
        failure_class: what kind of thing keeps them away.
        evidence: the cluster's words.
    """

    def __init__(self, message: str, *, failure_class: FailureClass, evidence: str | None = None) -> None:
        super().__init__(message)
        self.failure_class = failure_class
        self.evidence = evidence


class WorkerPod(ProcessInterface):  # type: ignore[misc]
    """One worker, as SpecCluster wants it: `start` asks for its pod, `close` deletes it, neither waits for it."""

    def __init__(self, scheduler: str, *, name: int, pods: WorkerPods) -> None:
        super().__init__(scheduler=scheduler, name=name)
        self.number = name
        self.created_at = time.monotonic()
        self._pods = pods

    async def start(self) -> None:
        """Ask for the pod. Whether there is room for it is not waited for."""
        self._pods.request(self.number)
        await super().start()

    async def close(self) -> None:
        """Delete the pod."""
        if self.status != Status.closed:
            await asyncio.to_thread(self._pods.remove, self.number)
        await super().close()


class KubernetesCluster(SpecCluster):  # type: ignore[misc]
    """The cluster of a run.

    Args:
        pods: the workers' pods.
        security: the run's keys.
        host: address of this pod.
        minimum: fewest workers.
        maximum: most workers.
        dashboard: whether the scheduler serves Dask's dashboard, inside the pod only.
        log: where the output of workers is kept.
    """

    def __init__(
        self,
        pods: WorkerPods,
        *,
        security: Any,
        host: str,
        minimum: int,
        maximum: int,
        dashboard: bool,
        log: WorkerLog,
    ) -> None:
        self.pods = pods
        self.minimum, self.maximum = minimum, maximum
        self._number = minimum
        self._room = maximum
        """Workers that there may be: fewer than at first when lost ones are not replaced any more."""
        self._losses = 0
        self._connected: set[int] = set()
        self._addresses: dict[str, int] = {}
        """Which worker is, or was last, at an address."""
        self._hopeless: WorkersUnavailableError | None = None
        self.on_hopeless: Callable[[UnavailableError], object] | None = None
        """Called in another thread when there are no workers and never will be, with what to tell."""
        self._log = log
        options = {
            "protocol": "tls://",
            "host": f"[{host}]" if ":" in host else host,
            "port": SCHEDULER_PORT,
            "security": security,
            "dashboard": dashboard,
            "dashboard_address": f"127.0.0.1:{DASHBOARD_PORT if dashboard else 0}",
        }
        worker = {"cls": WorkerPod, "options": {"pods": pods}}
        super().__init__(
            workers=dict.fromkeys(range(minimum), worker),
            scheduler={"cls": Scheduler, "options": options},
            worker=worker,
            security=security,
            name="penstock",
        )
        pods.on_end(lambda number, ended: self.loop.add_callback(self._on_end, number, ended))
        if minimum < maximum:
            self.adapt()

    async def _start(self) -> None:
        await super()._start()
        self._note(self.scheduler_info["workers"])  # those that were there before this listened
        self.scheduler.stream_handlers[OUTPUT] = self._take_output

    def scale(self, n: int = 0, memory: str | None = None, cores: int | None = None) -> Any:
        """Have n workers, at most as many as the run may have; see `SpecCluster.scale`."""
        if memory is None and cores is None:
            n = min(n, self._room)
        return super().scale(n, memory=memory, cores=cores)

    scale_up = scale

    def adapt(self, **options: Any) -> Any:
        """Have as many workers as the work needs, within the run's range; see `SpecCluster.adapt`."""
        options["maximum"] = min(self.maximum, options.get("maximum", self.maximum))
        options["minimum"] = min(max(0, options.get("minimum", self.minimum)), options["maximum"])
        return super().adapt(**{**ADAPTIVE, **options})

    def new_worker_spec(self) -> dict[int, Any]:
        """The next worker: of a number that no other has had."""
        number, self._number = self._number, self._number + 1
        return {number: self.new_spec}

    def await_workers(self, seconds: float | None) -> None:
        """Wait for the fewest workers that there are to be: for one in any case, for others while they may come soon.

        Args:
            seconds: how long to wait for the first; null for as long as it takes.

        Raises:
            WorkersUnavailableError: none can be had, or not in that time.
        """
        self.sync(self._await_workers, seconds)

    async def _await_workers(self, seconds: float | None) -> None:
        began = time.monotonic()
        deadline = None if seconds is None else began + seconds
        first_at = None
        while (present := len(self.scheduler.workers)) < self.minimum:
            now = time.monotonic()
            if present:
                first_at = first_at or now
                if present + self.pods.held() >= self.minimum or now >= first_at + OTHERS_SECONDS:
                    return
            else:
                self._refuse_to_wait(seconds, over=deadline is not None and now >= deadline)
            await asyncio.sleep(0.02)

    def _refuse_to_wait(self, seconds: float | None, *, over: bool) -> None:
        """Raise when no worker will come, or when the time for it is over."""
        if self._hopeless is not None:
            raise self._hopeless
        waiting = self.pods.waiting()
        if waiting is not None and (waiting.fatal or over):
            failure = waiting.failure
            said = f"No worker could be started: {failure.message.rstrip('.')}. {failure.next_step}"
            raise WorkersUnavailableError(said, failure_class=failure.failure_class, evidence=failure.evidence)
        if over:
            raise WorkersUnavailableError(
                f"No worker was connected within {seconds:g} s, and the cluster gives no reason. "
                "See their pods with kubectl, and that network policies let them reach the run's pod.",
                failure_class=FailureClass.NEVER_STARTED,
            )

    def watch(self, on_hopeless: Callable[[UnavailableError], object]) -> None:
        """Have it told, in another thread, when there are no workers and never will be.

        Raises:
            WorkersUnavailableError: that is known already.
        """
        self.on_hopeless = on_hopeless
        if self._hopeless is not None:
            raise self._hopeless

    def _update_worker_status(self, op: str, msg: Any) -> None:
        """See `SpecCluster`, whose own way with lost workers would give a number to two pods."""
        if op == "add":
            self._note(msg["workers"])
        else:
            self.loop.call_later(LOST_SECONDS, self._on_lost, self._addresses.get(msg))
            if msg not in self.scheduler_info["workers"]:
                return  # `wait_for_workers` puts a newer list in this one's place
        Cluster._update_worker_status(self, op, msg)  # noqa: SLF001 past SpecCluster's

    def _note(self, workers: Mapping[str, Mapping[str, Any]]) -> None:
        self._addresses.update({address: info["name"] for address, info in workers.items()})
        self._connected.update(info["name"] for info in workers.values())

    async def _correct_state_internal(self) -> None:
        leaving = set(self.workers) - set(self.worker_spec)
        if leaving and self.status == Status.running:
            present = {state.name for state in self.scheduler.workers.values()} & leaving
            if present:
                retired = await self.scheduler.retire_workers(names=sorted(present), close_workers=True)
                # What only they hold could not be moved to anybody else: they stay.
                for name in present - {info["name"] for info in retired.values()}:
                    self.worker_spec[name] = self.new_spec
        await super()._correct_state_internal()

    async def _close(self) -> None:
        if self.status == Status.running:
            await self._flush()
        await super()._close()

    async def _flush(self) -> None:
        """Take what the workers have printed and not sent yet."""
        try:
            answers = await asyncio.wait_for(
                self.scheduler.broadcast(msg={"op": OUTPUT}, on_error="ignore"), FLUSH_SECONDS
            )
        except (TimeoutError, OSError):
            return
        for address, text in answers.items():
            if text:  # null from a worker that is not ours: of the user's own command
                self._take_output(address, text)

    def _take_output(self, worker: str, text: str) -> None:
        # The last lines of a worker that leaves come when the scheduler does not know it any more.
        state = self.scheduler.workers.get(worker)
        self._log.take(self._addresses.get(worker, worker) if state is None else state.name, text)

    def _on_lost(self, number: int) -> None:
        """A worker has been away for too long; one that came back, or whose pod has ended, is none."""
        names = {info["name"] for info in self.scheduler_info["workers"].values()}
        if self.status == Status.running and number in self.worker_spec and number not in names:
            why = "has not answered for a while"
            self._on_end(number, Ended(end=End.LOST, failure_class=FailureClass.CRASH, why=why))

    def _on_end(self, number: int, ended: Ended) -> None:
        """A worker's pod has ended without having been asked to."""
        if self.status not in (Status.running, Status.starting) or number not in self.worker_spec:
            return
        del self.worker_spec[number]
        worker = self.workers.pop(number, None)
        if worker is not None:
            self._futures.add(asyncio.ensure_future(worker.close()))
        if ended.last_words and ended.end is not End.CLOSED:
            self._log.add_last_words(number, ended.last_words)
        if ended.end is End.CLOSED:
            return
        age = 0.0 if worker is None else time.monotonic() - worker.created_at
        self._losses += age < LONG_LIFE_SECONDS
        if self._is_replaced(ended):
            print(f"penstock: worker {number} {ended.why}; another takes its place.", file=sys.stderr)
            if self._adaptive is None or len(self.worker_spec) < self._adaptive.minimum:
                self.worker_spec.update(self.new_worker_spec())
                self._correct_state()
            return
        self._room = max(0, self._room - 1)
        if not self._room or not self._connected:
            self._give_up(number, ended)
        else:
            print(f"penstock: worker {number} {ended.why}; it is not replaced.", file=sys.stderr)

    def _is_replaced(self, ended: Ended) -> bool:
        if ended.end is End.HOPELESS:
            return False
        if not self._connected:
            return self._losses < FIRST_LOSSES
        return self._losses <= FREE_LOSSES + LOSSES_PER_WORKER * self.maximum

    def _give_up(self, number: int, ended: Ended) -> None:
        if self._hopeless is not None:
            return
        step = "" if ended.end is End.HOPELESS else " See what it printed with `penstock logs --workers`."
        self._hopeless = WorkersUnavailableError(
            f"Worker {number} {ended.why}.{step}", failure_class=ended.failure_class, evidence=ended.last_words or None
        )
        self._room = 0
        if self.on_hopeless is not None:
            self.on_hopeless(self._hopeless)
