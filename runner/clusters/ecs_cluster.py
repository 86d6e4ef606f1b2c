"""A Dask cluster of one run whose workers are tasks of ECS, made by a class of dask-cloudprovider.

The class says what a worker's task is: definition, command, network, capacity. `RunCluster` decides which workers there
are to be, and `WorkerTasks` makes them be; both take the place of what the class itself would do: `EcsCluster` stands
between it and SpecCluster, and the client of AWS that it is given is an `AskedApi`.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distributed import Scheduler
from distributed.core import Status

from runner.clusters.asked_api import SEE_LOG, AskedApi
from runner.clusters.ended import Ended
from runner.clusters.run_cluster import RunCluster, WorkersUnavailableError
from runner.clusters.task_worker import NUMBER
from runner.clusters.worker_tasks import SCHEDULER, WorkerTasks

NUMBER_SECONDS = 30.0
"""How long a worker waits to be told which it is: until RunTask has answered, which it may do when the task is up."""

NOTICE_SECONDS = 0.25
"""How long it takes this process to notice that a scheduler in a task is gone, after the flow has."""
REASON_SECONDS = 10.0
"""How long ECS may take to say why a scheduler's task has ended."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run adds to what the class is given."""

    tasks: WorkerTasks
    """Starts and stops tasks."""
    api: AskedApi
    """The client of AWS that the class gets."""
    tags: Mapping[str, str]
    """Of all tasks."""
    own_scheduler: Mapping[str, Any] | None
    """Options of `distributed.Scheduler` for one in this process; null for one in a task."""
    cluster_name: str
    """Name of the ECS cluster."""


class EcsCluster(RunCluster):
    """The cluster of a run, below a class of dask-cloudprovider.

    Args:
        plan: what the run adds.
        minimum: fewest workers.
        maximum: most workers.
        options: of SpecCluster.
    """

    def __init__(self, *, plan: Plan, minimum: int, maximum: int, **options: Any) -> None:
        self._run_plan = plan
        self.cluster_name = plan.cluster_name  # else it would be looked up
        super().__init__(run_workers=plan.tasks, minimum=minimum, maximum=maximum, **options)

    async def _start(self) -> None:
        if self._run_plan.own_scheduler is not None:
            self.scheduler_spec = {"cls": Scheduler, "options": dict(self._run_plan.own_scheduler)}
        await super()._start()
        if self._run_plan.own_scheduler is not None:
            self.scheduler.handlers[NUMBER] = self._number_of

    async def _number_of(self, task: str) -> int:
        """Which worker is in a task, for the worker itself."""
        async with asyncio.timeout(NUMBER_SECONDS):
            while (number := self._run_plan.tasks.number_of(task)) is None:
                await asyncio.sleep(0.02)
        return number

    def _present(self) -> set[int]:
        if self._run_plan.own_scheduler is not None:
            return super()._present()
        return {info["name"] for info in self.scheduler_info["workers"].values()}

    def _where_to_look(self) -> str:
        states = " and ".join(self._run_plan.tasks.states()) or "not there"
        return (
            f"Their tasks are {states}; see them with `aws ecs describe-tasks`, and that their security group is open "
            "to itself at the ports of the scheduler and of workers."
        )

    def _note(self, workers: Mapping[str, Mapping[str, Any]]) -> None:
        super()._note(workers)
        for info in workers.values():
            self._run_plan.tasks.joined(info["name"])

    def _update_worker_status(self, op: str, msg: Any) -> None:
        if op != "add" and self.status == Status.running:
            self._run_plan.tasks.hurry()
        super()._update_worker_status(op, msg)

    async def _watch_worker_status(self, comm: Any) -> None:
        await super()._watch_worker_status(comm)
        if self.status == Status.running and self._run_plan.own_scheduler is None:
            # Nothing more is to be asked of it, which would take until Dask gives up connecting.
            self.scheduler.status = Status.closed
            self.shutdown_scheduler = False
            self._run_plan.tasks.hurry()

    def await_reason(self) -> None:
        """Wait for what ECS says of a scheduler that is lost: it is why the flow failed, and ends it."""
        if self._run_plan.own_scheduler is not None:
            return
        time.sleep(NOTICE_SECONDS)  # the flow may have noticed a moment before
        deadline = time.monotonic() + REASON_SECONDS
        while self.scheduler.status == Status.closed and self._hopeless is None and time.monotonic() < deadline:
            time.sleep(0.05)  # the flow is given up by a signal meanwhile

    def _on_end(self, number: int, ended: Ended) -> None:
        if number != SCHEDULER:
            if self.scheduler.status == Status.running:  # else there is nobody that another would work for
                super()._on_end(number, ended)
        elif self.status == Status.running:
            self._room = 0
            self._hopeless = WorkersUnavailableError(
                f"The task of the run's scheduler {ended.why}. {ended.next_step or SEE_LOG}",
                failure_class=ended.failure_class,
                evidence=ended.evidence or ended.last_words or None,
            )
            if self.on_hopeless is not None:
                self.on_hopeless(self._hopeless)


def mended(provider: type) -> type:
    """The class as a run uses it.

    Args:
        provider: ECSCluster of dask-cloudprovider, or one that inherits from it.
    """

    class Mended(provider, EcsCluster):  # type: ignore[misc]
        """The user's class, whose tasks a run starts and stops in its own way."""

        def _client(self, name: str) -> AskedApi:  # noqa: ARG002 one for all services
            return self._run_plan.api

        @property
        def tags(self) -> dict[str, str]:
            """Without the tag by which dask-cloudprovider finds what it deletes."""
            return dict(self._run_plan.tags)

        def _check_scheduler_tls_config(self) -> None:
            """It would warn of TLS that the entry point of the containers sets up."""

    return Mended
