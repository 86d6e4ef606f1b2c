"""DaskCloudProviderEnvironments of tests: all that can be asked for, and what a deployment has of it."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from components.dask_cloud_provider import DaskCloudProviderEnvironment
from tests.components import fargate
from tests.components.ecs import IMAGE
from tests.components.fargate import DEFINITION
from tests.testbed.pulumi_mocks import Deploy, RecordingMonitor

TOKEN = "penstock:index:DaskCloudProviderEnvironment"  # noqa: S105 a type token
OUTPUTS = ("environment", "cluster_arn", "log_group", "submitter_policy_arn", "previewer_policy_arn")
FULL: dict[str, Any] = {
    **{key: value for key, value in fargate.FULL.items() if key != "executor"},
    "min_workers": 0,
    "max_workers": 20,
    "worker_resources": {"cpu_millicores": 3000, "memory_mib": 9000},
    "worker_threads": 4,
    "worker_extra_args": ["--resources", "DISK=1"],
    "provider_class": "FargateCluster",
    "provider_kwargs": {"silence_logs": 30},
    "fargate_workers": True,
    "fargate_spot": True,
    "tls": True,
    "scheduler_task": True,
    "scheduler_resources": {"cpu_millicores": 900, "memory_mib": 4000},
    "fargate_scheduler": True,
    "scheduler_idle_timeout_seconds": 60,
    "scheduler_extra_args": ["--no-show"],
    "mount_volumes_on_scheduler": True,
    "scheduler_port": 9000,
    "work_stealing": False,
    "scheduler_logs": True,
    "performance_report": False,
}


def deployed(deploy: Deploy, args: Mapping[str, Any] | None = None, *, preview: bool = False, **more: Any) -> Any:
    given: Any = {"image": IMAGE, **(args or {}), **more}

    def program() -> None:
        component = DaskCloudProviderEnvironment("flights", given)
        for name in OUTPUTS:
            pulumi.export(name, getattr(component, name))

    return deploy(program, preview=preview)


def section(monitor: RecordingMonitor) -> dict[str, Any]:
    found: dict[str, Any] = fargate.document(monitor)["dask_cloud_provider"]
    return found


def definition(monitor: RecordingMonitor, part: str) -> Mapping[str, Any]:
    """A task definition: `task`, `worker` or `scheduler`."""
    return monitor.named(DEFINITION, f"flights-{part}").inputs


def containers(monitor: RecordingMonitor, part: str) -> dict[str, dict[str, Any]]:
    """Its containers by name."""
    return {item["name"]: item for item in json.loads(definition(monitor, part)["containerDefinitions"])}
