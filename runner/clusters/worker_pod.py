"""The pods of a run's Dask workers and the Secret with their keys, as objects of the API; and how such a pod ended.

Pure functions: equal arguments give equal objects, and what they are given is never changed.
"""

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runner.clusters.ended import Ended, of_exit, of_memory, of_platform
from runner.kubernetes import names
from runner.sections import WORKER_CONTAINER

Object = dict[str, Any]

COMMAND = ("python3", "-P", "-m", "runner.clusters.worker")
"""Starts a worker, unless the template's own container has a command for that."""
INPUT_VARIABLE = "PENSTOCK_INPUT_WORKER"
"""What a worker is told; see `runner.clusters.worker`."""
KEYS_VARIABLE = "PENSTOCK_INPUT_KEYS"
"""The run's keys, from the run's Secret: a variable needs no volume, which would take 0.3 s to mount."""
KEYS = "tls.pem"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The run, and the pod of its Job: when that is deleted, the cluster removes what it owns."""

    namespace: str
    pod: str
    """Name of the pod."""
    uid: str
    """The pod's."""
    labels: Mapping[str, str]
    """Labels that say which run and attempt of which environment it is."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """What all workers of a run have in common."""

    owner: Owner
    pod: Mapping[str, Any]
    """`worker` of the environment document."""
    image: str
    """Image of the run, for a container that names none."""
    env: Mapping[str, str]
    """Plain variables."""
    secrets: Iterable[Mapping[str, str]]
    """Variables whose values stand in Secrets: `env`, `id`, `key`."""


def worker_name(owner: Owner, number: int) -> str:
    """Name of a worker's pod; the number is never cut off."""
    return names.fit(f"{owner.pod}-worker-{number}", keep=f"-worker-{number}")


def secret_name(owner: Owner) -> str:
    """Name of the Secret with the run's keys."""
    return names.fit(f"{owner.pod}-keys", keep="-keys")


def selector(owner: Owner) -> str:
    """Selects the pods of the run's workers, those of another pod of the same attempt among them."""
    return ",".join([*(f"{name}={value}" for name, value in sorted(owner.labels.items())), names.WORKER])


def is_of(owner: Owner, pod: Mapping[str, Any]) -> bool:
    """Whether a pod is a worker of this very pod of the run."""
    return any(item.get("uid") == owner.uid for item in pod["metadata"].get("ownerReferences", []))


def secret(owner: Owner, keys: str) -> Object:
    """The Secret."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(owner, secret_name(owner), {}),
        "type": "Opaque",
        "immutable": True,
        "stringData": {KEYS: keys},
    }


def pod(template: Template, number: int, told: Mapping[str, object]) -> Object:
    """The pod of a worker.

    Args:
        template: what all workers have in common.
        number: the worker's.
        told: what the worker is told beside its number.
    """
    body: Object = copy.deepcopy(dict(template.pod))
    owner = template.owner
    own = _metadata(owner, worker_name(owner, number), {names.WORKER: str(number)})
    written = body.get("metadata") or {}
    labels = {**(written.get("labels") or {}), **own.pop("labels")}
    body |= {"apiVersion": "v1", "kind": "Pod", "metadata": {**written, **own, "labels": labels}}
    container = next(item for item in body["spec"]["containers"] if item["name"] == WORKER_CONTAINER)
    container.setdefault("command", list(COMMAND))
    for item in (*body["spec"]["containers"], *body["spec"].get("initContainers", ())):
        item.setdefault("image", template.image)
    # Kubernetes replaces $(NAME) in values, which the flow's own process does not see done; $$ is a dollar sign to it.
    plain = [{"name": name, "value": value.replace("$", "$$")} for name, value in sorted(template.env.items())]
    secrets = [
        {"name": item["env"], "valueFrom": {"secretKeyRef": {"name": item["id"], "key": item["key"]}}}
        for item in template.secrets
    ]
    text = json.dumps({**told, "number": number}, sort_keys=True, separators=(",", ":"))
    own_variables: list[Object] = [
        # In JSON a dollar sign only stands in strings.
        {"name": INPUT_VARIABLE, "value": text.replace("$", "\\u0024")},
        {"name": KEYS_VARIABLE, "valueFrom": {"secretKeyRef": {"name": secret_name(owner), "key": KEYS}}},
        {"name": "PENSTOCK_POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    ]
    container["env"] = names.merged(container.get("env", []), plain, secrets, own_variables)
    return body


def ended(found: Mapping[str, Any]) -> Ended | None:
    """How a worker's pod ended; null while it has not."""
    status = found.get("status", {})
    statuses: list[Object] = status.get("containerStatuses", [])
    container = next((item for item in statuses if item["name"] == WORKER_CONTAINER), {})
    terminated = container.get("state", {}).get("terminated")
    if terminated is None and status.get("phase") not in {"Failed", "Succeeded"}:
        return None
    if disruption := _disruption(found):
        return of_platform(f"was taken away ({disruption})")
    if terminated is None:
        return of_platform("was lost with its machine")
    words = (terminated.get("message") or "").strip()
    if terminated.get("reason") == "OOMKilled":
        return of_memory(words)
    return of_exit(int(terminated.get("exitCode", 0)), reason=terminated.get("reason", ""), words=words)


def deleted() -> Ended:
    """The end of a pod that somebody deleted."""
    return of_platform("was deleted by somebody else")


def _disruption(found: Mapping[str, Any]) -> str | None:
    status = found["status"]
    for condition in status.get("conditions", []):
        if condition["type"] == "DisruptionTarget" and condition["status"] == "True":
            return f"{condition.get('reason', '')}: {condition.get('message', '')}".strip(": ")
    if status.get("reason") in {"Evicted", "NodeLost", "Shutdown", "Preempting"}:
        return f"{status['reason']}: {status.get('message', '')}".strip(": ")
    return None


def _metadata(owner: Owner, name: str, labels: Mapping[str, str]) -> Object:
    reference = {"apiVersion": "v1", "kind": "Pod", "name": owner.pod, "uid": owner.uid}
    return {
        "name": name,
        "namespace": owner.namespace,
        "labels": {**owner.labels, **labels},
        "ownerReferences": [reference],
    }
