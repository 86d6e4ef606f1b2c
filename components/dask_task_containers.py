"""The containers of runs on ECS that have Dask workers: the run's, with one that cleans up, and a worker's."""

from collections.abc import Mapping
from typing import Any

from components.canonical_containers import canonical
from components.ecs_containers import containers, gpu_requirements, log_configuration
from components.written_containers import ARGUMENT
from runner.contract import broken_rule
from runner.sections import CLEANUP_CONTAINER, FLOW_CONTAINER, SCHEDULER_TASK_CONTAINER, WORKER_TASK_CONTAINER

MODULE, CLEANUP_MODULE, ENTRY_MODULE = "runner", "runner.clusters.ecs_cleanup", "runner.clusters.entry"
COMMAND = ("python3", "-P", "-m")
CLEANUP_SECONDS = 30
"""How long ECS lets the container that cleans up go on when the flow's has ended: some calls of AWS, asked again."""
SECRETS_PREFIX = "PENSTOCK_SECRETS_PREFIX"
"""Variable of that container: begins the names of the secrets with the keys of runs."""

RESERVED = (CLEANUP_CONTAINER, SCHEDULER_TASK_CONTAINER, WORKER_TASK_CONTAINER)
"""Names of containers that are Penstock's own, and of streams of the log."""

ITS_OWN = frozenset(
    (
        *("cpu", "memory", "memoryReservation", "resourceRequirements"),
        *("dependsOn", "healthCheck", "links", "portMappings", "restartPolicy", "volumesFrom"),
    )
)
"""What the flow's container has for itself: its share of the run's task, and its ties to other containers there."""


def run(*, secrets_prefix: str | None, **options: Any) -> str:
    """The JSON of the containers of a run's task.

    Args:
        secrets_prefix: begins the names of the secrets with the keys of runs; None without keys.
        options: as of `ecs_containers.containers`.

    Raises:
        ContractError: an argument contradicts what is written, or a container has a name that is Penstock's own.
    """
    for i, item in enumerate(options.get("written", ())):
        if item["name"] in RESERVED:
            expected = "another name: a container of that name is Penstock's own"
            raise broken_rule(f"{ARGUMENT}[{i}].name", f'"{item["name"]}"', expected)
    made = containers(**options)
    flow = _flow(made)
    # Also has ECS stop both one after the other when the task is stopped: the flow's container first, with its grace.
    flow["dependsOn"] = [*flow.get("dependsOn", ()), {"containerName": CLEANUP_CONTAINER, "condition": "START"}]
    cleanup: dict[str, Any] = {
        "name": CLEANUP_CONTAINER,
        "image": flow.get("image"),
        "entryPoint": _entry(flow, CLEANUP_MODULE),
        # With the flow's container the task ends: only then is this one told to stop, which is its sign to clean up.
        "essential": False,
        "environment": [{"name": SECRETS_PREFIX, "value": secrets_prefix}] if secrets_prefix else [],
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
        "logConfiguration": log_configuration(options["log_group"], options["region"]),
        "readonlyRootFilesystem": True,
        "stopTimeout": CLEANUP_SECONDS,
        "user": flow["user"],
        **{key: flow[key] for key in ("repositoryCredentials",) if key in flow},
    }
    return canonical([*made, cleanup])


def task_of(name: str, *, resources: Mapping[str, Any], **options: Any) -> str:
    """The JSON of the one container of a worker's task, or of a scheduler's: the flow's, started with another program.

    Args:
        name: the container's name.
        resources: the size of the task, of which the GPUs are the container's own.
        options: as of `ecs_containers.containers`, like for the run's task.
    """
    flow = _flow(containers(**options))
    container = {key: value for key, value in flow.items() if key not in ITS_OWN}
    container |= {
        "name": name,
        "entryPoint": _entry(flow, ENTRY_MODULE),
        # Whatever the flow's own log goes to: the logs of workers are read as these streams.
        "logConfiguration": log_configuration(options["log_group"], options["region"]),
    }
    if gpus := resources.get("gpu"):
        container["resourceRequirements"] = gpu_requirements(gpus)
    return canonical([container])


def _flow(made: list[dict[str, Any]]) -> dict[str, Any]:
    return next(item for item in made if item["name"] == FLOW_CONTAINER)


def _entry(flow: Mapping[str, Any], module: str) -> list[str]:
    """Another of Penstock's programs, by the same Python and wrapper as the flow where those are known."""
    entry: list[str] = flow["entryPoint"]
    return [*entry[:-1], module] if entry[-1:] == [MODULE] else [*COMMAND, module]
