"""Attempts as the runner's process has them once it has read its documents."""

from typing import Any

from runner.attempt import Attempt
from runner.environment import Environment, Executor, ExecutorType
from runner.request import RunRequest
from runner.sections import DaskKubernetes, Kind, Local, Resources

LOCAL = Environment(kind=Kind.LOCAL, name="here", local=Local())
SECTION: dict[str, Any] = {
    "namespace": "flows",
    "job": {},
    "worker": {},
    "worker_resources": Resources(cpu_millicores=500, memory_mib=512),
    "min_workers": 2,
    "max_workers": 4,
}


def dask_pods(section: dict[str, Any] | None = None, **changes: Any) -> Environment:
    """An environment of two to four workers.

    Args:
        section: changes of its own section.
        changes: changes of the rest.
    """
    parts: dict[str, Any] = {
        "kind": Kind.DASK_KUBERNETES,
        "name": "dask",
        "image": "registry.example/flights:1",
        "resources": Resources(cpu_millicores=500, memory_mib=512),
        "executor": Executor(type=ExecutorType.DASK),
        "dask_kubernetes": DaskKubernetes(**{**SECTION, **(section or {})}),
    }
    return Environment(**{**parts, **changes})


def attempt_of(environment: Environment = LOCAL, *, request: dict[str, Any] | None = None, **changes: Any) -> Attempt:
    """An attempt in an environment.

    Args:
        environment: the environment.
        request: fields of the request.
        changes: fields of the attempt.
    """
    parts: dict[str, Any] = {
        "environment": environment,
        "request": RunRequest(**{"run_id": "the-run", "accepted_at": 0.0, "flow": "flow.py:main", **(request or {})}),
        "outcome_file": None,
        "outcome_limit": None,
        "trailer": False,
        "awslogs": False,
        "artifacts": None,
        "code": None,
        "warnings": (),
        "lock_fd": None,
        "started_at": 0.0,
    }
    return Attempt(**{**parts, **changes})
