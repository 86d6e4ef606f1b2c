"""The tasks that a run's own task has started: its Dask workers, and its scheduler where that is in a task."""

from collections.abc import Iterator

from runner.aws.client import Client
from runner.aws.errors import ApiError, NotFound

LEFT = "penstock: its run has ended"
"""What tasks are stopped for that their run has left behind (`stoppedReason`)."""


def started(ecs: Client, cluster: str, task_id: str, *, status: str = "RUNNING") -> Iterator[str]:
    """ARNs of the tasks that a task has started.

    Args:
        ecs: client of ECS.
        cluster: the cluster.
        task_id: id of the task that started them.
        status: what they are to be: `RUNNING` for those that are not asked to stop, else `STOPPED`.
    """
    token: str | None = None
    while True:
        page = ecs.call("ListTasks", cluster=cluster, startedBy=task_id, desiredStatus=status, nextToken=token)
        yield from page.get("taskArns", [])
        token = page.get("nextToken")
        if not token:
            return


def stop_started(ecs: Client, cluster: str, task_id: str) -> list[str]:
    """Stop the tasks that a task has started; the result are those that were up."""
    found = list(started(ecs, cluster, task_id))
    for arn in found:
        try:
            ecs.call("StopTask", cluster=cluster, task=arn, reason=LEFT)
        except NotFound:
            continue
        except ApiError as error:
            if "not found" not in error.message:
                raise
    return found
