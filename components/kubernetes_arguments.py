"""Groups of arguments that only components for Kubernetes have, as Pulumi's schema inference wants them.

Pulumi reads the annotations at run time: `from __future__ import annotations` and `Literal` break it.
"""

from typing import NotRequired, TypedDict

import pulumi

from components.rbac import SubjectKind


class SubjectOptions(TypedDict):
    """Somebody who gets a role."""

    kind: pulumi.Input[SubjectKind]
    """`User`, `Group` or `ServiceAccount`."""
    name: pulumi.Input[str]
    """Their name."""
    namespace: NotRequired[pulumi.Input[str]]
    """Namespace of a service account. Default: the environment's."""


class ResourceOptions(TypedDict):
    """What a run or a worker asks for, and at most gets."""

    cpu_millicores: NotRequired[pulumi.Input[int]]
    """Processor time that it asks for, in thousandths of a core. Default: 500."""
    memory_mib: NotRequired[pulumi.Input[int]]
    """Memory that it asks for, in MiB. Default: 1024."""
    gpu: NotRequired[pulumi.Input[int]]
    """Number of GPUs. Default: none."""
    gpu_resource: NotRequired[pulumi.Input[str]]
    """Name by which the cluster counts GPUs. Default: nvidia.com/gpu."""
    cpu_limit_millicores: NotRequired[pulumi.Input[int]]
    """Most processor time that it gets, in thousandths of a core. Default: what is free."""
    memory_limit_mib: NotRequired[pulumi.Input[int]]
    """Memory at which it is killed, in MiB. Default: what it asks for."""


class SecretOptions(TypedDict):
    """A variable whose value stands in a Secret of the namespace. Only where it stands is in the document."""

    env: pulumi.Input[str]
    """Environment variable of the flow."""
    secret: pulumi.Input[str]
    """Name of the Secret."""
    key: pulumi.Input[str]
    """Key inside it."""


class TimeoutOptions(TypedDict):
    """The clocks of a run, in seconds."""

    queue_seconds: NotRequired[pulumi.Input[float]]
    """From acceptance until there is a place for it. Default: no limit."""
    start_seconds: NotRequired[pulumi.Input[float]]
    """From the place until the runner is up, the image's pull included. Default: 900."""
    run_seconds: NotRequired[pulumi.Input[float]]
    """From the runner's start until the flow must have ended. Default: no limit."""
    grace_seconds: NotRequired[pulumi.Input[float]]
    """From the request to stop until the flow is killed. Default: 30."""


class QuotaOptions(TypedDict):
    """What all pods of a namespace may ask for together."""

    cpu_millicores: NotRequired[pulumi.Input[int]]
    """Processor time, in thousandths of a core. Default: no limit, as for all others."""
    memory_mib: NotRequired[pulumi.Input[int]]
    """Memory, in MiB."""
    gpu: NotRequired[pulumi.Input[int]]
    """GPUs."""
    gpu_resource: NotRequired[pulumi.Input[str]]
    """Name by which the cluster counts GPUs. Default: nvidia.com/gpu."""
    pods: NotRequired[pulumi.Input[int]]
    """Pods that have not ended."""
    jobs: NotRequired[pulumi.Input[int]]
    """Jobs, those that have ended included as long as they are kept."""
    storage_mib: NotRequired[pulumi.Input[int]]
    """Persistent storage, in MiB."""
    persistent_volume_claims: NotRequired[pulumi.Input[int]]
    """Claims of persistent storage."""


class SizeOptions(TypedDict):
    """A size of a container."""

    cpu_millicores: NotRequired[pulumi.Input[int]]
    """Processor time, in thousandths of a core."""
    memory_mib: NotRequired[pulumi.Input[int]]
    """Memory, in MiB."""


class ContainerLimitOptions(TypedDict):
    """Sizes of the namespace's containers, those of others than Penstock included."""

    default_request: NotRequired[pulumi.Input[SizeOptions]]
    """What a container asks for that says nothing itself. Default: what `default` says."""
    default: NotRequired[pulumi.Input[SizeOptions]]
    """Limit of a container that has none itself. Default: what `max` says."""
    max: NotRequired[pulumi.Input[SizeOptions]]
    """Largest limit of any container. Default: none."""


class RegistryCredentialOptions(TypedDict):
    """The login for a registry of container images. Never in the document."""

    server: pulumi.Input[str]
    """The registry's host."""
    username: pulumi.Input[str]
    """The login's name."""
    password: pulumi.Input[str]
    """Its password or token; a secret of Pulumi's."""
    email: NotRequired[pulumi.Input[str]]
    """Mail address, which few registries want. Default: none."""


class EgressOptions(TypedDict):
    """What runs may reach: addresses by `cidr`, or pods by `namespace_labels`, `pod_labels` or both."""

    cidr: NotRequired[pulumi.Input[str]]
    """A range of addresses, such as 10.0.0.0/8."""
    except_cidrs: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Ranges inside it that stay closed. Default: none."""
    namespace_labels: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Labels of the pods' namespaces. Default: the environment's own namespace only."""
    pod_labels: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Labels of the pods. Default: all pods of those namespaces."""
    ports: NotRequired[pulumi.Input[list[pulumi.Input[int]]]]
    """TCP ports. Default: all ports of all protocols."""


class VolumeOptions(TypedDict):
    """A volume of the flow's container, and of a worker's, with exactly one source."""

    name: pulumi.Input[str]
    """Its name in the pod: a DNS label in lower case."""
    mount_path: pulumi.Input[str]
    """Absolute path in the container."""
    read_only: NotRequired[pulumi.Input[bool]]
    """Whether it cannot be written to. Default: no."""
    sub_path: NotRequired[pulumi.Input[str]]
    """Path inside the volume that is mounted. Default: the whole of it."""
    config_map: NotRequired[pulumi.Input[str]]
    """Source: name of a ConfigMap."""
    secret: NotRequired[pulumi.Input[str]]
    """Source: name of a Secret."""
    persistent_volume_claim: NotRequired[pulumi.Input[str]]
    """Source: name of a claim of persistent storage."""
    empty_dir_mib: NotRequired[pulumi.Input[int]]
    """Source: an empty folder of at most that many MiB, which goes with the pod."""
