"""A DaskKubernetesEnvironment that is provisioned with mocks, and what it has become."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.dask_kubernetes import DaskKubernetesEnvironment
from tests.testbed.pulumi_mocks import Deploy, RecordingMonitor

IMAGE = "registry.example/team/flows:1"
TOKEN = "penstock:index:DaskKubernetesEnvironment"  # noqa: S105 a type token
AROUND = "penstock:index:KubernetesNamespace"
ACCOUNT, SECRET, CONFIG_MAP, NAMESPACE, QUOTA = (
    f"kubernetes:core/v1:{kind}" for kind in ("ServiceAccount", "Secret", "ConfigMap", "Namespace", "ResourceQuota")
)
ROLE, BINDING = (f"kubernetes:rbac.authorization.k8s.io/v1:{kind}" for kind in ("Role", "RoleBinding"))
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"

FULL: dict[str, Any] = {
    "environment_name": "analysts",
    "routing_labels": ["cluster", "dask"],
    "metadata": {"owner": "data team"},
    "image": IMAGE,
    "resources": {"cpu_millicores": 1000, "memory_mib": 2048},
    "min_workers": 0,
    "max_workers": 8,
    "worker_resources": {"cpu_millicores": 2000, "memory_mib": 4096, "gpu": 1, "memory_limit_mib": 5120},
    "worker_threads": 2,
    "worker_spec": {"spec": {"containers": [{"name": "worker", "image": "registry.example/team/gpu:1"}]}},
    "worker_priority_class_name": "low",
    "worker_node_selector": {"pool": "spot"},
    "worker_tolerations": [{"key": "spot", "operator": "Exists"}],
    "worker_affinity": {"podAntiAffinity": {}},
    "work_stealing": False,
    "scheduler_logs": True,
    "log_k8s_errors": True,
    "performance_report": False,
    "env": {"OMP_NUM_THREADS": "1"},
    "secrets": [{"env": "TOKEN", "secret": "api", "key": "token"}],
    "on_execute": "hooks:execute",
    "timeouts": {"queue_seconds": 600, "run_seconds": 3600, "grace_seconds": 2.5},
    "failure_policy": {"retries": 2, "oom": "retry"},
    "namespace": "analytics",
    "concurrent_runs": 2,
    "quota": {"jobs": 200},
    "container_limits": {"max": {"memory_mib": 8192}},
    "labels": {"team": "data"},
    "pod_annotations": {"example.com/scrape": "false"},
    "image_pull_secrets": ["mine"],
    "submitters": [{"kind": "Group", "name": "data-team"}],
    "egress": [{"cidr": "10.0.0.0/8", "ports": [5432]}],
    "api_server_cidrs": ["10.96.0.1/32"],
    "priority_class_name": "batch",
    "node_selector": {"pool": "stable"},
    "volumes": [{"name": "lake", "mount_path": "/lake", "persistent_volume_claim": "lake"}],
    "job_spec": {"spec": {"template": {"spec": {"containers": [{"name": "flow", "command": ["nice", "python3"]}]}}}},
    "queue_name": "batch",
}


def deployed(deploy: Deploy, args: Mapping[str, Any] | None = None, **more: Any) -> RecordingMonitor:
    given: Any = {"image": IMAGE, **(args or {}), **more}

    def program() -> None:
        component = DaskKubernetesEnvironment("flights", given)
        pulumi.export("environment", component.environment)
        pulumi.export("namespace", component.namespace)
        pulumi.export("submitter", component.submitter_service_account)
        pulumi.export("previewer", component.previewer_service_account)

    return deploy(program)


def document(monitor: RecordingMonitor) -> dict[str, Any]:
    value: dict[str, Any] = monitor.exports["environment"].value
    return value


def section(monitor: RecordingMonitor) -> dict[str, Any]:
    value: dict[str, Any] = document(monitor)["dask_kubernetes"]
    return value


def pods(monitor: RecordingMonitor) -> tuple[dict[str, Any], dict[str, Any]]:
    """Specs of the run's own pod and of a worker's."""
    return section(monitor)["job"]["spec"]["template"]["spec"], section(monitor)["worker"]["spec"]
