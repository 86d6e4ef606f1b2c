"""A Dask cluster whose scheduler is in the flow's process and whose workers are pods, of one run alone.

`RunCluster` decides which workers there are to be; `WorkerPods` makes them be.
"""

import asyncio
from typing import Any

from distributed import Scheduler
from distributed.core import Status
from distributed.deploy.spec import ProcessInterface

from runner.clusters.ended import Ended
from runner.clusters.pods import WorkerPods
from runner.clusters.run_cluster import RunCluster
from runner.clusters.worker_log import OUTPUT, WorkerLog
from runner.sections import DASHBOARD_PORT, SCHEDULER_PORT

FLUSH_SECONDS = 2.0
"""How long the workers may take at the end to send what they printed."""


class WorkerPod(ProcessInterface):  # type: ignore[misc]
    """One worker, as SpecCluster wants it: `start` asks for its pod, `close` deletes it, neither waits for it."""

    def __init__(self, scheduler: str, *, name: int, pods: WorkerPods) -> None:
        super().__init__(scheduler=scheduler, name=name)
        self.number = name
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


class KubernetesCluster(RunCluster):
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
            run_workers=pods,
            minimum=minimum,
            maximum=maximum,
            workers=dict.fromkeys(range(minimum), worker),
            scheduler={"cls": Scheduler, "options": options},
            worker=worker,
            security=security,
        )

    async def _start(self) -> None:
        await super()._start()
        self.scheduler.stream_handlers[OUTPUT] = self._take_output

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

    def _where_to_look(self) -> str:
        return "See their pods with kubectl, and that network policies let them reach the run's pod."

    def _take_last_words(self, number: int, ended: Ended) -> None:
        if ended.last_words:
            self._log.add_last_words(number, ended.last_words)
