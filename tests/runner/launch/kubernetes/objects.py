"""Jobs, pods and events as a Kubernetes 1.36 API server gives them, cut down to what matters."""

import time
from typing import Any

from runner import contract
from runner.environment import Environment, FailurePolicy
from runner.launch.kubernetes.job import render
from runner.outcome import Outcome, State
from runner.request import RunRequest
from runner.sections import Kind, KubernetesJob, Resources

TEMPLATE: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"labels": {"team": "data"}},
    "spec": {
        "backoffLimit": 0,
        "template": {
            "metadata": {"labels": {"team": "data"}},
            "spec": {
                "restartPolicy": "Never",
                "containers": [
                    {"name": "proxy", "image": "proxy:1", "env": [{"name": "PORT", "value": "1"}]},
                    {"name": "flow", "env": [{"name": "HOME", "value": "/tmp"}, {"name": "A", "value": "template"}]},
                ],
            },
        },
    },
}


def environment(policy: FailurePolicy | None = None, **changes: Any) -> Environment:
    parts: dict[str, Any] = {
        "kind": Kind.KUBERNETES_JOB,
        "name": "jobs",
        "image": "penstock.local/runner:test",
        "resources": Resources(cpu_millicores=500, memory_mib=256),
        "failure_policy": policy or FailurePolicy(),
        "kubernetes_job": KubernetesJob(namespace="flows", job=TEMPLATE),
    }
    return Environment(**{**parts, **changes})


def asked(**changes: Any) -> RunRequest:
    return RunRequest(**{"run_id": "the-run", "accepted_at": 1_790_000_000.25, "flow": "flow.py:main", **changes})


def job(policy: FailurePolicy | None = None, *conditions: dict[str, str], **annotations: str) -> dict[str, Any]:
    """A Job that the API server has taken."""
    made = render(environment(policy), asked())
    made["metadata"]["uid"] = "job-uid"
    made["metadata"]["annotations"].update({f"penstock.dev/{name}": value for name, value in annotations.items()})
    made["status"] = {"conditions": list(conditions)}
    return made


def condition(type_: str, reason: str = "", message: str = "", status: str = "True") -> dict[str, str]:
    return {"type": type_, "status": status, "reason": reason, "message": message}


def pod(
    state: dict[str, Any] | None = None, *conditions: dict[str, str], number: int = 1, **status: Any
) -> dict[str, Any]:
    """A pod whose container `flow` is in a state: `{"running": {}}`, `{"terminated": {...}}`, `{"waiting": {...}}`."""
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_790_000_000 + number))
    containers = [{"name": "proxy", "state": {"running": {}}}]
    containers += [{"name": "flow", "image": "penstock.local/runner:test", "state": state}] if state else []
    return {
        "metadata": {"name": f"jobs-the-run-1-{number}", "uid": f"pod-{number}", "creationTimestamp": created},
        "spec": {"nodeName": "node1"} if state else {},
        "status": {"phase": "Pending", "conditions": list(conditions), "containerStatuses": containers, **status},
    }


def outcome(state: State, **changes: Any) -> Outcome:
    fixed = {"run_id": "the-run", "environment": "jobs", "kind": Kind.KUBERNETES_JOB, "flow": "flow.py:main"}
    return Outcome(**{**fixed, "state": state, **changes})


def message(end: Outcome) -> str:
    """The termination message of a runner."""
    return contract.to_bytes(end).decode().ljust(4096)
