"""What containers a change is about, wherever they are written: in pods, in their templates, in task definitions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stacks.review.preview import Step
from stacks.review.values import Properties, at, items, mapping, tree

TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
PARAMETER = "aws:ssm/parameter:Parameter"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
DOCUMENT_KEY = "environment.json"
MANIFESTS = (("job", ("spec", "template", "spec"), "job_spec"), ("worker", ("spec",), "worker_spec"))
"""Manifests of an environment document's section, where their pods are, and the option that they are made from."""
POD_PATHS: Mapping[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job", "ReplicationController"),
        ("spec", "template", "spec"),
    ),
}


@dataclass(frozen=True, kw_only=True)
class PodSpec:
    """The spec of a pod of Kubernetes, or of a template of pods."""

    path: str
    """Where it is in the resource, or in its environment document."""
    options: tuple[str, ...]
    """Options of the stack's file that it is made from."""
    spec: Mapping[str, Any]
    """As Kubernetes has it, camelCase."""


def document(step: Step, properties: Properties | None) -> Mapping[str, Any] | None:
    """The environment document that a resource carries: a ConfigMap or an SSM parameter; None when it carries none."""
    found: Any = None
    if step.type == CONFIG_MAP:
        found = tree(at(properties, "data", DOCUMENT_KEY))
    elif step.type == PARAMETER:
        found = tree(at(properties, "insecureValue"))
    return found if isinstance(found, Mapping) and "schema_version" in found and "kind" in found else None


def pod_specs(step: Step, properties: Properties | None) -> Iterator[PodSpec]:
    """The specs of pods in a resource of Kubernetes, and in an environment document."""
    if step.type.startswith("kubernetes:") and step.kind in POD_PATHS:
        path = POD_PATHS[step.kind]
        if spec := mapping(at(properties, *path)):
            yield PodSpec(path=".".join(path), options=("job_spec",), spec=spec)
    found = document(step, properties) or {}
    for section in ("kubernetes_job", "dask_kubernetes"):
        for key, path, option in MANIFESTS:
            if spec := mapping(at(found, section, key, *path)):
                yield PodSpec(path=".".join((section, key, *path)), options=(option,), spec=spec)


def containers(step: Step, properties: Properties | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The containers of a resource with their paths, as `containerDefinitions[flow]`: of task definitions and pods."""
    if step.type == TASK_DEFINITION:
        for entry in items(tree(at(properties, "containerDefinitions"))):
            yield f"containerDefinitions[{mapping(entry).get('name', '')}]", mapping(entry)
    for pod in pod_specs(step, properties):
        for key in ("initContainers", "containers", "ephemeralContainers"):
            for entry in items(pod.spec.get(key)):
                yield f"{pod.path}.{key}[{mapping(entry).get('name', '')}]", mapping(entry)
