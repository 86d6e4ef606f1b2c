"""Groups of arguments that only components for ECS have, as Pulumi's schema inference wants them.

Pulumi reads the annotations at run time: `from __future__ import annotations` and `Literal` break it.
"""

from enum import StrEnum
from typing import Any, NotRequired, TypedDict

import pulumi

from runner.sections import PlacementConstraintType, PlacementStrategyType


class CpuArchitecture(StrEnum):
    """Processors that tasks run on."""

    X86_64 = "X86_64"
    ARM64 = "ARM64"


class OperatingSystemFamily(StrEnum):
    """Operating systems that tasks run on, of those that ECS has."""

    LINUX = "LINUX"


class NetworkMode(StrEnum):
    """How containers of tasks are connected."""

    AWSVPC = "awsvpc"
    """Each task has a network interface of its own, the only way on Fargate."""
    BRIDGE = "bridge"
    """Through Docker's bridge on the instance."""
    HOST = "host"
    """As processes of the instance."""
    NONE = "none"
    """Not at all."""


class PidMode(StrEnum):
    """Whose processes containers see."""

    HOST = "host"
    """Those of the instance; not on Fargate."""
    TASK = "task"
    """Those of all containers of the task."""


class IpcMode(StrEnum):
    """With whom containers share memory; not on Fargate."""

    HOST = "host"
    TASK = "task"
    NONE = "none"


class StatementEffect(StrEnum):
    """What a statement of a policy does."""

    ALLOW = "Allow"
    DENY = "Deny"


class TaskResourceOptions(TypedDict):
    """The size of a run's task. On Fargate the smallest size that holds it is taken, and is what the document says."""

    cpu_millicores: NotRequired[pulumi.Input[int]]
    """Processor time, in thousandths of a core. Default: 500."""
    memory_mib: NotRequired[pulumi.Input[int]]
    """Memory, in MiB. Default: 1024."""
    gpu: NotRequired[pulumi.Input[int]]
    """Number of GPUs; none on Fargate. Default: none."""


class AwsSecretOptions(TypedDict):
    """A variable whose value AWS keeps. Only where it stands is in the document."""

    env: pulumi.Input[str]
    """Environment variable of the flow."""
    arn: pulumi.Input[str]
    """ARN of a secret of Secrets Manager, or of a parameter of Systems Manager."""
    key: NotRequired[pulumi.Input[str]]
    """Key inside a secret that is a JSON object. Default: the whole value."""
    kms_key_arn: NotRequired[pulumi.Input[str]]
    """ARN of the key that it is encrypted with. Default: AWS' own, for which no right is needed."""


class TaskTimeoutOptions(TypedDict):
    """The clocks of a run, in seconds."""

    queue_seconds: NotRequired[pulumi.Input[float]]
    """From acceptance until AWS has a place for it. Default: 900."""
    start_seconds: NotRequired[pulumi.Input[float]]
    """From the place until the runner is up, the image's pull included. Default: 900."""
    run_seconds: NotRequired[pulumi.Input[float]]
    """From the runner's start until the flow must have ended. Default: no limit."""
    grace_seconds: NotRequired[pulumi.Input[float]]
    """From the request to stop until the flow is killed, at most 115. Default: 30."""


class CapacityProviderOptions(TypedDict):
    """A share of the runs for one capacity provider of the cluster."""

    provider: str
    """Name: FARGATE, FARGATE_SPOT, or of one of yours."""
    weight: NotRequired[int]
    """Share of the runs beyond `base`, relative to the others' weights. Default: 1."""
    base: NotRequired[int]
    """Number of runs that it gets first. Default: none."""


class PlacementConstraintOptions(TypedDict):
    """Which instances runs may be on; not on Fargate."""

    type: pulumi.Input[PlacementConstraintType]
    """`memberOf`, or `distinctInstance`, which only `run_placement_constraints` take."""
    expression: NotRequired[pulumi.Input[str]]
    """Cluster query of `memberOf`, such as `attribute:ecs.instance-type =~ g5.*`."""


class PlacementStrategyOptions(TypedDict):
    """How ECS chooses among instances that have room; EC2 only."""

    type: pulumi.Input[PlacementStrategyType]
    """`spread`, `binpack` or `random`."""
    field: NotRequired[pulumi.Input[str]]
    """What it goes by, such as `attribute:ecs.availability-zone`, `instanceId` or `memory`."""


class EfsOptions(TypedDict):
    """A file system of EFS."""

    file_system_id: pulumi.Input[str]
    """Its id, or its ARN."""
    root_directory: NotRequired[pulumi.Input[str]]
    """Absolute path in it that is mounted; not beside an access point. Default: all of it."""
    access_point_id: NotRequired[pulumi.Input[str]]
    """Access point that it is mounted through. Default: none."""
    transit_encryption: NotRequired[pulumi.Input[bool]]
    """Whether data is encrypted on its way. Default: yes."""
    iam: NotRequired[pulumi.Input[bool]]
    """Whether it is mounted as the task's role, which then gets the rights. Default: no."""


class TaskVolumeOptions(TypedDict):
    """A volume of a task: a file system of EFS, or without one an empty folder that goes with the task."""

    name: pulumi.Input[str]
    """Its name in the task."""
    efs: NotRequired[EfsOptions]
    """The file system. Default: an empty folder."""


class MountPointOptions(TypedDict):
    """Where a volume is in the flow's container."""

    volume: pulumi.Input[str]
    """Name of one of `volumes`."""
    path: pulumi.Input[str]
    """Absolute path in the container."""
    read_only: NotRequired[pulumi.Input[bool]]
    """Whether it cannot be written to. Default: no."""


class ProxyConfigurationOptions(TypedDict):
    """A proxy that the traffic of a task goes through, as in a task definition's `proxyConfiguration`."""

    container_name: pulumi.Input[str]
    """Container that is the proxy, one of `container_definitions`."""
    type: NotRequired[pulumi.Input[str]]
    """Default: APPMESH, the only one that ECS has."""
    properties: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Its settings, such as `ProxyIngressPort`. Default: none."""


class RoleStatementOptions(TypedDict):
    """What runs may call at AWS beside what Penstock needs: a statement of their role's policy."""

    actions: pulumi.Input[list[pulumi.Input[str]]]
    """Calls, such as `s3:GetObject`."""
    resources: pulumi.Input[list[pulumi.Input[str]]]
    """ARNs of what they may be about."""
    sid: NotRequired[pulumi.Input[str]]
    """The statement's name: letters and digits. Default: its number."""
    effect: NotRequired[pulumi.Input[StatementEffect]]
    """`Allow` or `Deny`. Default: Allow."""
    conditions: NotRequired[pulumi.Input[dict[str, Any]]]
    """What must be true of the call, as a policy's `Condition`. Default: nothing."""


class TaskEgressOptions(TypedDict):
    """What runs may reach, with exactly one of `cidr`, `prefix_list_id` and `security_group_id`."""

    cidr: NotRequired[str]
    """A range of IPv4 or IPv6 addresses, such as 10.0.0.0/8."""
    prefix_list_id: NotRequired[str]
    """A list of ranges that AWS or you keep."""
    security_group_id: NotRequired[str]
    """Whatever is in another security group."""
    ports: NotRequired[list[int]]
    """TCP ports. Default: all ports of all protocols."""
