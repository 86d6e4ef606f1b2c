"""How the task of a Dask worker on ECS ended, or that of a scheduler, from what ECS says of it."""

from collections.abc import Callable, Mapping
from typing import Any

from runner.clusters.ended import End, Ended, of_exit, of_memory, of_platform
from runner.ecs import starting
from runner.sections import SCHEDULER_TASK_CONTAINER, WORKER_TASK_CONTAINER
from runner.trouble import Trouble

Task = Mapping[str, Any]

DONE = {"DEPROVISIONING", "STOPPED"}
"""States in which no container is up any more."""
TAKEN = {"SpotInterruption", "TerminationNotice"}
CONTAINERS = {WORKER_TASK_CONTAINER, SCHEDULER_TASK_CONTAINER}
"""A task has one of them; what else is in it ends with that."""


def has_ended(task: Task) -> bool:
    """Whether its containers have ended."""
    return task.get("lastStatus") in DONE


def is_up(task: Task) -> bool:
    """Whether its containers have been started."""
    return task.get("lastStatus") not in {"PROVISIONING", "PENDING", "ACTIVATING"} and not has_ended(task)


def not_started(task: Task) -> Trouble | None:
    """Why a task that has ended was never up; null for one that was, or that somebody stopped."""
    if task.get("startedAt") or task.get("stopCode") in {*TAKEN, "UserInitiated"}:
        return None
    if "exitCode" in _container(task):
        return None
    return starting.of_stopped(task, whose="a worker")


def ended(task: Task, words: Callable[[], str]) -> Ended:
    """The end of a worker whose task has ended.

    Args:
        task: the task.
        words: what it printed last; asked for only where that says more than ECS does.
    """
    container = _container(task)
    code, reason = container.get("exitCode"), str(container.get("reason") or "")
    said = str(task.get("stoppedReason") or "")
    if task.get("stopCode") in TAKEN:
        return of_platform(f"was taken away ({said or task['stopCode']})")
    trouble = not_started(task)
    if trouble is not None:
        return could_not_start(trouble)
    if task.get("stopCode") == "UserInitiated":
        return of_platform(f"was stopped by somebody else ({said})")
    if reason.startswith("OutOfMemory"):
        return of_memory()
    if code is None:
        return of_platform(f"was lost with its machine ({said})")
    return of_exit(int(code), reason=reason or said, words=words() if code else "")


def could_not_start(trouble: Trouble) -> Ended:
    """The end of a worker that was never up."""
    failure = trouble.failure
    message = failure.message.rstrip(".")
    return Ended(
        end=End.LOST,
        failure_class=failure.failure_class,
        why=f"could not be started: {message[0].lower()}{message[1:]}",
        evidence=failure.evidence or "",
        next_step=failure.next_step or "",
    )


def _container(task: Task) -> Task:
    containers: list[Task] = task.get("containers", [])
    return next((item for item in containers if item.get("name") in CONTAINERS), {})
