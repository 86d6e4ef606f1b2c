"""What runs of an environment are on, and which arguments go with it."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

from components.ecs_arguments import NetworkMode, PidMode
from runner.contract import broken_rule, describe
from runner.sections import LaunchType, PlacementConstraintType

FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
"""Capacity providers that every account has."""


class Platform(StrEnum):
    """Machines that tasks are on; what `requiresCompatibilities` of a task definition says."""

    FARGATE = "FARGATE"
    """AWS' own, one for each task."""
    EC2 = "EC2"
    """Instances of the account."""
    EXTERNAL = "EXTERNAL"
    """Machines elsewhere (ECS Anywhere)."""


NETWORK_MODES: Mapping[Platform, tuple[NetworkMode, ...]] = {
    Platform.FARGATE: (NetworkMode.AWSVPC,),
    Platform.EC2: tuple(NetworkMode),
    Platform.EXTERNAL: (NetworkMode.BRIDGE, NetworkMode.HOST, NetworkMode.NONE),
}
"""How containers can be connected, the default first.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#network_mode"""

ONLY_ON: Mapping[str, tuple[Platform, ...]] = {
    "platform_version": (Platform.FARGATE,),
    "ephemeral_storage_gib": (Platform.FARGATE,),
    "assign_public_ip": (Platform.FARGATE,),
    "cpu_architecture": (Platform.FARGATE, Platform.EC2),
    "operating_system_family": (Platform.FARGATE, Platform.EC2),
    "ipc_mode": (Platform.EC2, Platform.EXTERNAL),
    "placement_constraints": (Platform.EC2, Platform.EXTERNAL),
    "run_placement_constraints": (Platform.EC2, Platform.EXTERNAL),
    "placement_strategy": (Platform.EC2,),
}
"""Arguments that not all platforms have."""

NETWORKED = (
    "vpc_id",
    "subnet_ids",
    "security_group_ids",
    "egress",
    "egress_anywhere",
    "network_cidr",
    "availability_zones",
    "proxy_configuration",
)
"""Arguments about network interfaces, which only tasks of network mode awsvpc have."""

SMALLEST_STORAGE, LARGEST_STORAGE = 21, 200
"""GiB of storage that a task on Fargate can ask for. It has 20 without asking.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-storage.html"""


def platform(
    launch_type: LaunchType | None = None, capacity_provider_strategy: Sequence[Mapping[str, Any]] = ()
) -> Platform:
    """What runs are on.

    Args:
        launch_type: as the argument of `FargateTaskEnvironment`.
        capacity_provider_strategy: `CapacityProviderOptions`.

    Raises:
        ContractError: both are given, or providers that do not go together.
    """
    if not capacity_provider_strategy:
        return Platform(launch_type or LaunchType.FARGATE)
    if launch_type is not None:
        raise broken_rule("launch_type", "given beside capacity_provider_strategy", "only one of both")
    ours = [str(item["provider"]) in FARGATE_PROVIDERS for item in capacity_provider_strategy]
    if any(ours) and not all(ours):
        expected = f"either {' and '.join(FARGATE_PROVIDERS)}, or your own only: ECS mixes them not"
        raise broken_rule("capacity_provider_strategy", "with providers of Fargate and others", expected)
    if all(item.get("weight", 1) == 0 for item in capacity_provider_strategy):
        raise broken_rule("capacity_provider_strategy", "without a weight above 0", "at least one")
    return Platform.FARGATE if all(ours) else Platform.EC2


def network_mode(on: Platform, network_mode: NetworkMode | None = None) -> NetworkMode:
    """How containers of tasks are connected.

    Raises:
        ContractError: tasks of that platform cannot be.
    """
    possible = NETWORK_MODES[on]
    if network_mode is not None and network_mode not in possible:
        raise broken_rule("network_mode", network_mode, f"{' or '.join(possible)} on {on.value}")
    return NetworkMode(network_mode or possible[0])


def refuse_what_does_not_fit(on: Platform, mode: NetworkMode, given: Collection[str]) -> None:
    """Refuses arguments that tasks of a platform cannot have, whatever they say.

    Args:
        on: the platform.
        mode: how containers are connected.
        given: names of the arguments that were given.

    Raises:
        ContractError: there is one.
    """
    for key, platforms in ONLY_ON.items():
        if key in given and on not in platforms:
            raise broken_rule(key, "given", f"none: only tasks on {' and '.join(platforms)} have it, not on {on.value}")
    for key in NETWORKED:
        if key in given and mode is not NetworkMode.AWSVPC:
            raise broken_rule(key, "given", f"none: in network mode {mode.value} a task has no network interface")


def check_values(
    on: Platform,
    *,
    pid_mode: PidMode | None = None,
    ephemeral_storage_gib: int | None = None,
    placement_constraints: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Refuses what tasks of a platform cannot be told.

    Args:
        on: the platform.
        pid_mode: as the arguments of `FargateTaskEnvironment`, like all others.
        ephemeral_storage_gib: storage.
        placement_constraints: constraints of the task definition.

    Raises:
        ContractError: there is something.
    """
    if on is Platform.FARGATE and pid_mode == PidMode.HOST:
        raise broken_rule("pid_mode", PidMode.HOST.value, f"{PidMode.TASK.value} or none on {on.value}")
    storage = ephemeral_storage_gib
    if storage is not None and not SMALLEST_STORAGE <= storage <= LARGEST_STORAGE:
        raise broken_rule("ephemeral_storage_gib", str(storage), f"from {SMALLEST_STORAGE} to {LARGEST_STORAGE}")
    for i, item in enumerate(placement_constraints):
        if item["type"] != PlacementConstraintType.MEMBER_OF:
            expected = "memberOf; what tells runs from each other goes into run_placement_constraints"
            raise broken_rule(f"placement_constraints[{i}].type", describe(item["type"]), expected)
