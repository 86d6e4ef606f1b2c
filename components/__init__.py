"""Pulumi components: one environment or building block per file, which wires resources and decides nothing else."""

from collections.abc import Mapping
from typing import Any, Protocol

import pulumi

from components.dask_cloud_provider import DaskCloudProviderEnvironment
from components.dask_kubernetes import DaskKubernetesEnvironment
from components.fargate_task import FargateTaskEnvironment
from components.kubernetes_job import KubernetesJobEnvironment
from components.local import LocalEnvironment
from runner.sections import Kind


class EnvironmentComponent(Protocol):
    """What all environment components have in common."""

    environment: pulumi.Output[dict[str, Any]]
    """The environment document; holds no secret."""

    def __init__(self, name: str, args: Any, opts: pulumi.ResourceOptions | None = None) -> None:
        """Provision an environment; every component has its own TypedDict of arguments."""


ENVIRONMENTS: Mapping[Kind, type[EnvironmentComponent]] = {
    Kind.LOCAL: LocalEnvironment,
    Kind.KUBERNETES_JOB: KubernetesJobEnvironment,
    Kind.DASK_KUBERNETES: DaskKubernetesEnvironment,
    Kind.FARGATE_TASK: FargateTaskEnvironment,
    Kind.DASK_CLOUD_PROVIDER: DaskCloudProviderEnvironment,
}
"""The component of each kind that can be provisioned."""
