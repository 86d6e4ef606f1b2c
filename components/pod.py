"""Completes the pod template of a Job: secure and working defaults, and what the arguments ask for.

Guarantees: a default fills only what is absent; an argument that contradicts what is there is refused. What is
completed passes the Pod Security level `restricted` unless the user's own part does not.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from components import labels
from components.job_spec import ARGUMENT, containers, mapping, mappings
from components.volumes import group_for, mount, volume
from runner.contract import broken_rule
from runner.sections import FLOW_CONTAINER

PLACE = f"{ARGUMENT}.spec.template"

WITHOUT_MESH = ({"sidecar.istio.io/inject": "false"}, {"linkerd.io/inject": "disabled"})
"""Label and annotation that keep Istio's and Linkerd's proxies out: a Job does not end before its proxy does."""


def complete(
    template: dict[str, Any],
    *,
    service_account: str,
    service_account_name: str | None = None,
    pod_labels: Mapping[str, str] | None = None,
    pod_annotations: Mapping[str, str] | None = None,
    image_pull_secrets: Sequence[str] = (),
    priority_class_name: str | None = None,
    node_selector: Mapping[str, str] | None = None,
    tolerations: Sequence[Mapping[str, Any]] = (),
    affinity: Mapping[str, Any] | None = None,
    volumes: Sequence[Mapping[str, Any]] = (),
    service_mesh: bool = False,
) -> None:
    """Completes a pod template in place.

    Args:
        template: what the user wrote of `spec.template` of a Job; may be empty.
        service_account: the account for pods of which neither the template nor `service_account_name` says another.
        service_account_name: as the arguments of `KubernetesJobEnvironment`, like all others.
        pod_labels: labels of the pod.
        pod_annotations: annotations of the pod.
        image_pull_secrets: names of Secrets with registry credentials.
        priority_class_name: the pod's priority.
        node_selector: labels that the node must have.
        tolerations: taints of nodes that the pod may ignore.
        affinity: rules about nodes and other pods.
        volumes: `VolumeOptions`.
        service_mesh: whether a mesh may put its proxy into the pod.

    Raises:
        ContractError: an argument contradicts the template, or the template is of no pod.
    """
    metadata = mapping(template, "metadata", PLACE)
    mesh_labels, mesh_annotations = ({}, {}) if service_mesh else WITHOUT_MESH
    put_each(metadata, "labels", pod_labels or {}, "labels", f"{PLACE}.metadata")
    put_each(metadata, "annotations", pod_annotations or {}, "pod_annotations", f"{PLACE}.metadata")
    mapping(metadata, "labels", PLACE).update(mesh_labels | metadata["labels"])
    mapping(metadata, "annotations", PLACE).update(mesh_annotations | metadata["annotations"])

    pod = mapping(template, "spec", PLACE)
    put(pod, "serviceAccountName", service_account_name, "service_account_name")
    put(pod, "priorityClassName", priority_class_name, "priority_class_name")
    put(pod, "affinity", affinity, "affinity")
    if node_selector:
        put_each(pod, "nodeSelector", labels.legal(node_selector, "node_selector"), "node_selector", f"{PLACE}.spec")
    add_missing(pod, "tolerations", tolerations)
    add_missing(pod, "imagePullSecrets", [{"name": name} for name in image_pull_secrets])
    pod.setdefault("serviceAccountName", service_account)
    pod.setdefault("restartPolicy", "Never")
    pod.setdefault("automountServiceAccountToken", False)
    # Variables for every Service of the namespace: nobody reads them, and a thousand of them slow a start down.
    pod.setdefault("enableServiceLinks", False)
    security = mapping(pod, "securityContext", f"{PLACE}.spec")
    security.setdefault("runAsNonRoot", True)
    security.setdefault("seccompProfile", {"type": "RuntimeDefault"})
    if group := group_for(volumes):
        security.setdefault("fsGroup", group)
        security.setdefault("fsGroupChangePolicy", "OnRootMismatch")

    for key in ("containers", "initContainers"):
        for i, container in enumerate(containers(pod, key)):
            _restrict(container, f"{PLACE}.spec.{key}[{i}]")
    if not pod["initContainers"]:
        del pod["initContainers"]
    _complete_flow(pod, volumes)


def put(target: dict[str, Any], key: str, value: object, argument: str) -> None:
    """Sets what an argument says.

    Raises:
        ContractError: the user's Job says something else.
    """
    if value is not None and target.setdefault(key, value) != value:
        raise broken_rule(argument, "given", f"one of both: {ARGUMENT} has a {key} of its own")


def put_each(target: dict[str, Any], key: str, values: Mapping[str, str], argument: str, path: str) -> None:
    """Adds entries that an argument has to a mapping.

    Raises:
        ContractError: the user's Job has another value for one of them.
    """
    there = mapping(target, key, path)
    for name, value in values.items():
        put(there, name, value, f"{argument}.{name}")


def add_missing(target: dict[str, Any], key: str, items: Sequence[Mapping[str, Any]]) -> None:
    """Adds what an argument has to a list, each entry once."""
    if items:
        there = mappings(target, key, f"{PLACE}.spec")
        there += [dict(item) for item in items if item not in there]


def flow_of(pod: dict[str, Any]) -> dict[str, Any]:
    """The container that the flow runs in, made when there is none of that name."""
    listed = containers(pod)
    for container in listed:
        if container.get("name") == FLOW_CONTAINER:
            return container
    listed.insert(0, {"name": FLOW_CONTAINER})
    return listed[0]


def _restrict(container: dict[str, Any], path: str) -> dict[str, Any]:
    """Gives a container what the level `restricted` asks of each; the rest of it is asked of the pod."""
    security = mapping(container, "securityContext", path)
    security.setdefault("allowPrivilegeEscalation", False)
    security.setdefault("capabilities", {"drop": ["ALL"]})
    return security


def _complete_flow(pod: dict[str, Any], volumes: Sequence[Mapping[str, Any]]) -> None:
    flow = flow_of(pod)
    place = f"{PLACE}.spec.containers[{pod['containers'].index(flow)}]"
    _restrict(flow, place).setdefault("readOnlyRootFilesystem", True)
    flow.setdefault("imagePullPolicy", "IfNotPresent")
    flow.setdefault("terminationMessagePolicy", "FallbackToLogsOnError")
    # None of our own, not even for /tmp: Kubernetes takes 0.3 s to mount volumes, however small they are.
    if not volumes:
        return
    there = mappings(pod, "volumes", f"{PLACE}.spec")
    mounts = mappings(flow, "volumeMounts", place)
    for i, item in enumerate(volumes):
        if item["name"] in {other.get("name") for other in there}:
            raise broken_rule(f"volumes[{i}].name", f'"{item["name"]}"', "a name that no other volume has")
        if item["mount_path"] in {other.get("mountPath") for other in mounts}:
            raise broken_rule(f"volumes[{i}].mount_path", f'"{item["mount_path"]}"', "a path that nothing else is at")
        there.append(volume(item, f"volumes[{i}]"))
        mounts.append(mount(item, f"volumes[{i}]"))
