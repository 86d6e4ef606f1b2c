"""What the classes of dask-cloudprovider have in place of AWS: it starts workers the way a run wants them started.

They ask for one task at a time, poll ECS without a pause until each is up, and create whatever they were not given.
Here a start is an order that is answered at once, and `WorkerTasks` carries it out, with others together; nothing is
asked of AWS that `WorkerTasks` knows; and nothing can be created.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from runner.clusters.dask_command import without_name
from runner.clusters.ended import Ended
from runner.clusters.worker_tasks import SCHEDULER, WorkerTasks
from runner.errors import UnavailableError
from runner.outcome import FailureClass
from runner.sections import SCHEDULER_TASK_CONTAINER

SEE_LOG = "See what it printed in the environment's log group."
ORDERED = "ordered/"
"""Begins what stands for the ARN of a worker's task."""


class SchedulerUnavailableError(UnavailableError):
    """The scheduler's task does not come up.

    Args:
        message: two sentences.
        failure_class: what kind of thing keeps it from that.
        evidence: the platform's words.
    """

    def __init__(self, message: str, *, failure_class: FailureClass, evidence: str | None = None) -> None:
        super().__init__(message)
        self.failure_class = failure_class
        self.evidence = evidence


class AskedApi:
    """A client of any of AWS' services, as aiobotocore's is used.

    Args:
        tasks: starts and stops tasks.
        started_by: what the tasks are to be found by.
        numbered: whether workers ask which of them they are; else each is told, in a command of its own.
        start_seconds: how long a scheduler's task may take to start; null for as long as it takes.
    """

    def __init__(self, tasks: WorkerTasks, *, started_by: str, numbered: bool, start_seconds: float | None) -> None:
        self._tasks = tasks
        self._started_by = started_by
        self._numbered = numbered
        self._start_seconds = start_seconds
        self._ordered: dict[str, dict[str, Any]] = {}
        self.failure: SchedulerUnavailableError | None = None
        """Why the scheduler's task is not up."""

    async def __aenter__(self) -> "AskedApi":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""

    async def list_account_settings(self, **_: object) -> dict[str, Any]:
        """Every account has long ARNs since 2021, and so tags."""
        return {"settings": [{"name": "taskLongArnFormat", "value": "enabled"}]}

    async def run_task(self, **parameters: Any) -> dict[str, Any]:
        """Order a task: a worker's is started soon, a scheduler's is waited for."""
        asked = {**parameters, "startedBy": self._started_by, "propagateTags": "TASK_DEFINITION"}
        (override,) = asked["overrides"]["containerOverrides"]
        if override["name"] == SCHEDULER_TASK_CONTAINER:
            self._tasks.request(SCHEDULER, asked)
            found = await asyncio.to_thread(self._tasks.await_up, SCHEDULER, self._start_seconds)
            if found is None or isinstance(found, Ended):
                # Not raised here, where the class would ask again for a minute.
                self.failure = self._no_scheduler(found)
                return {"tasks": [self._order(SCHEDULER, status="STOPPED")]}
            return {"tasks": [self._order(SCHEDULER, address_of(found))]}
        command, name = without_name(override["command"])
        if self._numbered:
            asked["overrides"] = {"containerOverrides": [{**override, "command": list(command)}]}
        number = int(name or 0)
        self._tasks.request(number, asked)
        return {"tasks": [self._order(number)]}

    async def describe_tasks(self, *, tasks: list[str], **_: object) -> dict[str, Any]:
        """How tasks stand: a worker's is up or stopped, as far as it was ordered."""
        return {"tasks": [self._ordered[arn] for arn in tasks]}

    async def stop_task(self, *, task: str, **_: object) -> dict[str, Any]:
        """Have a task stopped."""
        self._ordered[task] = {**self._ordered[task], "lastStatus": "STOPPED"}
        await asyncio.to_thread(self._tasks.remove, int(task.removeprefix(ORDERED)))
        return {}

    async def describe_network_interfaces(self, *, NetworkInterfaceIds: list[str]) -> dict[str, Any]:  # noqa: N803
        """The address of a task, which stands for its interface."""
        (address,) = NetworkInterfaceIds
        return {"NetworkInterfaces": [{"PrivateIpAddresses": [{"PrivateIpAddress": address}]}]}

    def __getattr__(self, name: str) -> Any:
        raise UnavailableError(
            f"The environment's provider_class asks AWS for {name}, and a run creates and looks up nothing. "
            "Use FargateCluster or ECSCluster, or give its provider_kwargs what it looks for."
        )

    def _order(self, number: int, address: str = "", *, status: str = "RUNNING") -> dict[str, Any]:
        """A task that is up, unless told otherwise, as far as whoever ordered it needs to know."""
        details = [{"name": "networkInterfaceId", "value": address}]
        arn = f"{ORDERED}{number}"
        self._ordered[arn] = {
            "taskArn": arn,
            "lastStatus": status,
            "attachments": [{"type": "ElasticNetworkInterface", "details": details}],
        }
        return self._ordered[arn]

    def _no_scheduler(self, ended: Ended | None) -> SchedulerUnavailableError:
        trouble = self._tasks.waiting()
        if ended is not None:
            return SchedulerUnavailableError(
                f"The task of the run's scheduler {ended.why}. {ended.next_step or SEE_LOG}",
                failure_class=ended.failure_class,
                evidence=ended.evidence or ended.last_words or None,
            )
        if trouble is None:
            return SchedulerUnavailableError(
                f"The task of the run's scheduler has not started within {self._start_seconds or 0:g} s. "
                "Give it more with timeouts.start_seconds of the stack, or see what ECS says of its cluster.",
                failure_class=FailureClass.NEVER_STARTED,
            )
        failure = trouble.failure
        return SchedulerUnavailableError(
            f"The task of the run's scheduler could not be started: {failure.message.rstrip('.')}. {failure.next_step}",
            failure_class=failure.failure_class,
            evidence=failure.evidence,
        )


def address_of(task: Mapping[str, Any]) -> str:
    """The address of a task's network interface; empty where ECS does not tell it."""
    details = [item for attachment in task.get("attachments", []) for item in attachment.get("details", [])]
    return next((str(item["value"]) for item in details if item["name"] == "privateIPv4Address"), "")
