"""How large the task of a run is."""

from collections.abc import Mapping
from typing import Any

from components.ecs_platform import Platform
from runner import fargate
from runner.contract import broken_rule
from runner.errors import ContractError

RESOURCES: Mapping[str, int] = {"cpu_millicores": 500, "memory_mib": 1024}
"""What a run asks for unless told otherwise: half a core, and memory for a flow with pandas. Fargate has that size."""


def size(on: Platform, *, resources: Mapping[str, Any] | None = None, argument: str = "resources") -> dict[str, Any]:
    """What the document says that a task asks for: on Fargate the smallest size that holds it, elsewhere that itself.

    Args:
        on: what tasks are on.
        resources: a `TaskResourceOptions`.
        argument: the argument that they are.

    Raises:
        ContractError: Fargate has no such size.
    """
    asked = {**RESOURCES, **(resources or {})}
    for key in ("cpu_millicores", "memory_mib"):
        if asked[key] < 1:
            raise broken_rule(f"{argument}.{key}", str(asked[key]), "at least 1")
    if on is not Platform.FARGATE:
        return asked
    if asked.get("gpu"):
        raise broken_rule(f"{argument}.gpu", str(asked["gpu"]), "none: Fargate has no GPU; EC2 has")
    try:
        smallest = fargate.smallest(asked["cpu_millicores"], asked["memory_mib"])
    except ContractError as error:
        raise broken_rule(f"{argument}.{error.path}", error.found, error.expected) from None
    return {**asked, "cpu_millicores": smallest.cpu_units * 1000 // 1024, "memory_mib": smallest.memory_mib}


def cpu(resources: Mapping[str, Any]) -> str:
    """A task definition's `cpu`, in CPU units."""
    return str(fargate.units(resources["cpu_millicores"]))


def memory(resources: Mapping[str, Any]) -> str:
    """A task definition's `memory`, in MiB."""
    return str(resources["memory_mib"])
