"""Says how Dask's dashboard of a run on ECS is reached, to whose ports nothing leads from this machine by itself."""

import json
import shlex

from runner.environment import Environment
from runner.errors import UsageError
from runner.launch.dashboard import require
from runner.launch.ecs import names, status
from runner.launch.ecs.task import request_of
from runner.sections import DASHBOARD_PORT

DOCUMENT = "AWS-StartPortForwardingSession"
"""AWS' own document of Session Manager for a tunnel."""


def refused(run_id: str, environment: Environment, task: status.Task | None) -> UsageError:
    """Why `--dashboard` cannot be had, and what can be.

    Args:
        run_id: the run.
        environment: where it is.
        task: its task; null where ECS knows of none.

    Raises:
        UsageError: the run serves no dashboard at all.
    """
    section = environment.on_ecs
    assert section is not None  # noqa: S101 the contract demands the section of the kind
    asked = None if task is None else request_of(task)
    if asked is not None:
        require(run_id, asked.executor or environment.executor)
    found = f"--dashboard is given, expected none: ECS forwards no ports of {run_id}."
    if not section.enable_execute_command:
        return UsageError(
            f"{found} Leave it out; `enable_execute_command: true` of the stack would allow a tunnel to later runs."
        )
    runtime = None if task is None or status.has_stopped(task) else status.flow_container(task).get("runtimeId")
    if task is None or runtime is None:
        return UsageError(f"{found} Ask again when its container is up, for the command that opens a tunnel.")
    cluster = section.cluster_arn.rpartition("/")[2]
    port = [str(DASHBOARD_PORT)]
    words = (
        *("aws", "ssm", "start-session"),
        *("--target", f"ecs:{cluster}_{names.task_id(str(task['taskArn']))}_{runtime}"),
        *("--document-name", DOCUMENT),
        *("--parameters", json.dumps({"portNumber": port, "localPortNumber": port}, separators=(",", ":"))),
        *("--region", section.region),
    )
    return UsageError(
        f"{found} Follow it without, open a tunnel with `{shlex.join(words)}`, which needs AWS' plugin for "
        f"Session Manager, and see http://127.0.0.1:{DASHBOARD_PORT}/status."
    )
