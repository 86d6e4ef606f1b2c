"""Workers' pods as the runner makes them, and as a Kubernetes 1.36 API server tells of them, cut down."""

import copy
from collections.abc import Mapping
from typing import Any

from runner.clusters import worker_pod
from runner.clusters.worker_pod import Owner, Template
from runner.kubernetes import names
from runner.sections import WORKER_CONTAINER

UID = "uid-of-the-runs-pod"
OWNER = Owner(
    namespace="flows",
    pod="dask-the-run-1-x7k2p",
    uid=UID,
    labels={names.RUN_ID: "the-run", names.ATTEMPT: "1", names.ENVIRONMENT: "dask"},
)
WRITTEN: Mapping[str, Any] = {
    "metadata": {"labels": {"team": "data", names.ENVIRONMENT: "nonsense"}, "annotations": {"note": "x"}},
    "spec": {
        "restartPolicy": "Never",
        "initContainers": [{"name": "fetch", "image": "fetch:1"}, {"name": "prepare"}],
        "containers": [
            {"name": "log-shipper", "env": [{"name": "MODE", "value": "shipper's"}]},
            {"name": WORKER_CONTAINER, "env": [{"name": "HOME", "value": "/tmp"}, {"name": "MODE", "value": "slow"}]},
        ],
    },
}
"""A user's pod as a document has it, with names that are also the runner's."""
TOLD: Mapping[str, object] = {"scheduler": "tls://10.0.0.7:8786", "threads": 2}


def template(written: Mapping[str, Any] = WRITTEN, **changes: Any) -> Template:
    """What workers are made from, with a plain variable and a secret one."""
    parts: dict[str, Any] = {
        "owner": OWNER,
        "pod": copy.deepcopy(dict(written)),
        "image": "registry.example/flights:1",
        "env": {"MODE": "fast", "COLOUR": "blue"},
        "secrets": [{"env": "TOKEN", "id": "warehouse", "key": "token"}],
    }
    return Template(**{**parts, **changes})


def with_worker(**fields: Any) -> dict[str, Any]:
    """A pod of nothing but the worker's container."""
    return {"spec": {"containers": [{"name": WORKER_CONTAINER, **fields}]}}


def container(pod: Mapping[str, Any]) -> dict[str, Any]:
    """The worker's container of a pod."""
    (found,) = [item for item in pod["spec"]["containers"] if item["name"] == WORKER_CONTAINER]
    return dict(found)


def told_pod(
    number: int,
    version: int,
    *,
    state: Mapping[str, Any] | None = None,
    reason: str = "",
    conditions: list[dict[str, str]] | None = None,
    phase: str | None = None,
    uid: str = UID,
    message: str = "",
) -> dict[str, Any]:
    """A worker's pod as the cluster tells of it.

    Args:
        number: the worker's.
        version: resource version.
        state: of its container; null while it has none.
        reason: why the pod failed as a whole.
        conditions: its conditions.
        phase: null for the one that goes with the state.
        uid: of the pod that owns it.
        message: the pod's.
    """
    kind = next(iter(state or {}), "")
    ended = kind == "terminated"
    failed = ended and bool((state or {})["terminated"].get("exitCode"))
    natural = {"running": "Running", "terminated": "Failed" if failed else "Succeeded"}.get(kind, "Pending")
    name = worker_pod.worker_name(OWNER, number)
    return {
        "metadata": {
            "name": name,
            "namespace": OWNER.namespace,
            "uid": f"uid-{name}",
            "resourceVersion": str(version),
            "labels": {**OWNER.labels, names.WORKER: str(number)},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": OWNER.pod, "uid": uid}],
        },
        "spec": {"nodeName": "node1"} if state else {},
        "status": {
            "phase": phase or natural,
            "conditions": conditions or [],
            "containerStatuses": [
                {"name": "log-shipper", "state": {"running": {}}},
                *([{"name": WORKER_CONTAINER, "image": "flights:1", "state": dict(state)}] if state else []),
            ],
            **({"reason": reason} if reason else {}),
            **({"message": message} if message else {}),
        },
    }


def terminated(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    """The state of a container that has ended."""
    return {"terminated": {"exitCode": code, "reason": reason, **({"message": message} if message else {})}}
