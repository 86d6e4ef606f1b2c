"""A Dask cluster of one run alone, whatever its workers are on.

`distributed`'s SpecCluster decides which workers there are to be, adaptively too; the platform's `Workers` make them
be. What this adds to SpecCluster: a worker leaves only after what it alone holds has been moved to others, one that was
lost is replaced so and so often, and numbers are never used twice.
"""

import asyncio
import sys
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from distributed import SpecCluster
from distributed.core import Status
from distributed.deploy.cluster import Cluster

from runner.clusters.ended import End, Ended
from runner.errors import UnavailableError
from runner.outcome import FailureClass
from runner.trouble import Trouble

LOST_SECONDS = 15.0
"""How long a worker may be away from the scheduler while its pod is up; Dask's own `lost-worker-timeout`."""
OTHERS_SECONDS = 30.0
"""How long a flow waits for the rest of its fewest workers once there is one: images are being pulled, say."""
FIRST_LOSSES = 3
"""Losses in a row after which a run is given up when no worker was ever connected: the next would not be either."""
FREE_LOSSES = 5
LOSSES_PER_WORKER = 2
"""A run replaces 5 workers, and 2 for each that it may have. More than that is no bad luck of a machine."""
LONG_LIFE_SECONDS = 600
"""A worker that lived this long is replaced without counting: machines that are cheap are taken away now and then."""
SEE_LOG = "See what it printed with `penstock logs --workers`."
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


class Workers(Protocol):
    """What keeps the workers of a run on their platform."""

    def on_end(self, callback: Callable[[int, Ended], object]) -> None:
        """Have every end of a worker told that was not asked for, those before this call included."""

    def waiting(self) -> Trouble | None:
        """What keeps workers from starting; null when nothing is known to."""

    def held(self) -> int:
        """How many of the workers that are asked for are kept from starting, and not just for a moment."""


class RunCluster(SpecCluster):  # type: ignore[misc]
    """The cluster of a run.

    Args:
        run_workers: the workers on their platform.
        minimum: fewest workers.
        maximum: most workers.
        options: of SpecCluster.
    """

    def __init__(self, *, run_workers: Workers, minimum: int, maximum: int, **options: Any) -> None:
        self.run_workers = run_workers
        self.minimum, self.maximum = minimum, maximum
        self._number = len(options.get("workers") or ())
        self._room = maximum
        """Workers that there may be: fewer than at first when lost ones are not replaced any more."""
        self._losses = 0
        self._connected: set[int] = set()
        self._addresses: dict[str, int] = {}
        """Which worker is, or was last, at an address."""
        self._asked_at: dict[int, float] = dict.fromkeys(options.get("workers") or (), time.monotonic())
        self._hopeless: WorkersUnavailableError | None = None
        self.on_hopeless: Callable[[UnavailableError], object] | None = None
        """Called in another thread when there are no workers and never will be, with what to tell."""
        super().__init__(name="penstock", **options)
        run_workers.on_end(lambda number, ended: self.loop.add_callback(self._on_end, number, ended))
        if minimum < maximum:
            self.adapt()

    async def _start(self) -> None:
        await super()._start()
        self._note(self.scheduler_info["workers"])  # those that were there before this listened

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
        self._asked_at[number] = time.monotonic()
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
        while (present := len(self._present())) < self.minimum:
            now = time.monotonic()
            if present:
                first_at = first_at or now
                if present + self.run_workers.held() >= self.minimum:
                    return
                if now >= first_at + OTHERS_SECONDS:
                    print(f"penstock: the flow begins with {present} of {self.minimum} workers.", file=sys.stderr)
                    return
            else:
                self._refuse_to_wait(seconds, over=deadline is not None and now >= deadline)
            await asyncio.sleep(0.02)

    def _refuse_to_wait(self, seconds: float | None, *, over: bool) -> None:
        """Raise when no worker will come, or when the time for it is over."""
        if self._hopeless is not None:
            raise self._hopeless
        waiting = self.run_workers.waiting()
        if waiting is not None and (waiting.fatal or over):
            failure = waiting.failure
            said = f"No worker could be started: {failure.message.rstrip('.')}. {failure.next_step}"
            raise WorkersUnavailableError(said, failure_class=failure.failure_class, evidence=failure.evidence)
        if over:
            raise WorkersUnavailableError(
                f"No worker was connected within {seconds:g} s, and the cluster gives no reason. "
                f"{self._where_to_look()}",
                failure_class=FailureClass.NEVER_STARTED,
            )

    @abstractmethod
    def _where_to_look(self) -> str:
        """What to look at when no worker comes and the platform gives no reason: a sentence."""

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
        if leaving and self.status == Status.running and self.scheduler.status == Status.running:
            present = self._present() & leaving
            if present:
                retired = await self.scheduler_comm.retire_workers(names=sorted(present), close_workers=True)
                # What only they hold could not be moved to anybody else: they stay.
                for name in present - {info["name"] for info in retired.values()}:
                    self.worker_spec[name] = self.new_spec
        await super()._correct_state_internal()

    def _present(self) -> set[int]:
        """The workers that are connected."""
        return {state.name for state in self.scheduler.workers.values()}

    def _take_last_words(self, number: int, ended: Ended) -> None:
        """Keep what a worker printed last that has ended by itself, where the platform does not."""

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
        if ended.end is End.CLOSED:
            return
        self._take_last_words(number, ended)
        age = time.monotonic() - self._asked_at.pop(number)
        self._losses += age < LONG_LIFE_SECONDS
        if self._is_replaced(ended):
            print(f"penstock: worker {number} {_in_full(ended)}; another takes its place.", file=sys.stderr)
            if self._adaptive is None or len(self.worker_spec) < self._adaptive.minimum:
                self.worker_spec.update(self.new_worker_spec())
                self._correct_state()
            return
        self._room = max(0, self._room - 1)
        if not self._room or not self._connected:
            self._give_up(number, ended)
        else:
            print(f"penstock: worker {number} {_in_full(ended)}; it is not replaced.", file=sys.stderr)

    def _is_replaced(self, ended: Ended) -> bool:
        if ended.end is End.HOPELESS:
            return False
        if not self._connected:
            return self._losses < FIRST_LOSSES
        return self._losses <= FREE_LOSSES + LOSSES_PER_WORKER * self.maximum

    def _give_up(self, number: int, ended: Ended) -> None:
        if self._hopeless is not None:
            return
        step = ended.next_step or ("" if ended.end is End.HOPELESS else SEE_LOG)
        self._hopeless = WorkersUnavailableError(
            f"Worker {number} {ended.why}. {step}".rstrip(),
            failure_class=ended.failure_class,
            evidence=ended.evidence or ended.last_words or None,
        )
        self._room = 0
        if self.on_hopeless is not None:
            self.on_hopeless(self._hopeless)


def _in_full(ended: Ended) -> str:
    return f"{ended.why} ({ended.evidence})" if ended.evidence else ended.why
