"""Completes the pod template that the user wrote: secure and working defaults, and what the arguments ask for.

Guarantees: a default fills only what is absent; an argument that contradicts what is there is refused. What is
completed passes the Pod Security level `restricted` unless the user's own part does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components import job_spec, labels
from components.manifest import mapping, mappings
from components.volumes import group_for, mount, volume
from runner.contract import broken_rule
from runner.sections import FLOW_CONTAINER

WITHOUT_MESH = ({"sidecar.istio.io/inject": "false"}, {"linkerd.io/inject": "disabled"})
"""Label and annotation that keep Istio's and Linkerd's proxies out: a Job does not end before its proxy does."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """Where a pod template comes from, and what it is for."""

    argument: str
    """The argument that the user wrote it in."""
    place: str
    """Where in that argument it stands."""
    container: str
    """Name of the container that the runner fills in."""
    scheduling: str = ""
    """Beginning of the names of the arguments about where such pods are scheduled."""

    def put(self, target: dict[str, Any], key: str, value: object, argument: str) -> None:
        """Sets what an argument says.

        Raises:
            ContractError: the user's part says something else.
        """
        if value is not None and target.setdefault(key, value) != value:
            raise broken_rule(argument, "given", f"one of both: {self.argument} has a {key} of its own")

    def put_each(self, target: dict[str, Any], key: str, values: Mapping[str, str], argument: str, path: str) -> None:
        """Adds entries that an argument has to a mapping.

        Raises:
            ContractError: the user's part has another value for one of them.
        """
        there = mapping(target, key, path)
        for name, value in values.items():
            self.put(there, name, value, f"{argument}.{name}")

    def add_missing(self, pod: dict[str, Any], key: str, items: Sequence[Mapping[str, Any]]) -> None:
        """Adds what an argument has to a list, each entry once."""
        if items:
            there = mappings(pod, key, f"{self.place}.spec")
            there += [dict(item) for item in items if item not in there]

    def container_of(self, pod: dict[str, Any]) -> dict[str, Any]:
        """The container that the runner fills in, made when there is none of that name."""
        listed = mappings(pod, "containers", f"{self.place}.spec")
        for container in listed:
            if container.get("name") == self.container:
                return container
        listed.insert(0, {"name": self.container})
        return listed[0]


RUN = Template(argument=job_spec.ARGUMENT, place=f"{job_spec.ARGUMENT}.spec.template", container=FLOW_CONTAINER)
"""The pod of a run's Job."""


def complete(
    written: dict[str, Any],
    template: Template,
    *,
    service_account: str,
    token: bool = False,
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
        written: what the user wrote of it, with `metadata` and `spec`; may be empty.
        template: which one it is.
        service_account: the account for pods of which neither the template nor `service_account_name` says another.
        token: whether the account's token is mounted where the template says nothing about it.
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
    place, before = template.place, template.scheduling
    metadata = mapping(written, "metadata", place)
    mesh_labels, mesh_annotations = ({}, {}) if service_mesh else WITHOUT_MESH
    template.put_each(metadata, "labels", pod_labels or {}, "labels", f"{place}.metadata")
    template.put_each(metadata, "annotations", pod_annotations or {}, "pod_annotations", f"{place}.metadata")
    mapping(metadata, "labels", place).update(mesh_labels | metadata["labels"])
    mapping(metadata, "annotations", place).update(mesh_annotations | metadata["annotations"])

    pod = mapping(written, "spec", place)
    template.put(pod, "serviceAccountName", service_account_name, "service_account_name")
    template.put(pod, "priorityClassName", priority_class_name, f"{before}priority_class_name")
    template.put(pod, "affinity", affinity, f"{before}affinity")
    if node_selector:
        argument = f"{before}node_selector"
        template.put_each(pod, "nodeSelector", labels.legal(node_selector, argument), argument, f"{place}.spec")
    template.add_missing(pod, "tolerations", tolerations)
    template.add_missing(pod, "imagePullSecrets", [{"name": name} for name in image_pull_secrets])
    pod.setdefault("serviceAccountName", service_account)
    pod.setdefault("restartPolicy", "Never")
    pod.setdefault("automountServiceAccountToken", token)
    # Variables for every Service of the namespace: nobody reads them, and a thousand of them slow a start down.
    pod.setdefault("enableServiceLinks", False)
    security = mapping(pod, "securityContext", f"{place}.spec")
    security.setdefault("runAsNonRoot", True)
    security.setdefault("seccompProfile", {"type": "RuntimeDefault"})
    if group := group_for(volumes):
        security.setdefault("fsGroup", group)
        security.setdefault("fsGroupChangePolicy", "OnRootMismatch")

    for key in ("containers", "initContainers"):
        for i, container in enumerate(mappings(pod, key, f"{place}.spec")):
            restrict(container, f"{place}.spec.{key}[{i}]")
    if not pod["initContainers"]:
        del pod["initContainers"]
    _complete_container(pod, template, volumes)


def restrict(container: dict[str, Any], path: str) -> dict[str, Any]:
    """Gives a container what the level `restricted` asks of each; the rest of it is asked of the pod.

    Returns:
        Its `securityContext`.
    """
    security = mapping(container, "securityContext", path)
    security.setdefault("allowPrivilegeEscalation", False)
    security.setdefault("capabilities", {"drop": ["ALL"]})
    return security


def _complete_container(pod: dict[str, Any], template: Template, volumes: Sequence[Mapping[str, Any]]) -> None:
    """Completes the container that the runner fills in."""
    container = template.container_of(pod)
    place = f"{template.place}.spec.containers[{pod['containers'].index(container)}]"
    restrict(container, place).setdefault("readOnlyRootFilesystem", True)
    container.setdefault("imagePullPolicy", "IfNotPresent")
    container.setdefault("terminationMessagePolicy", "FallbackToLogsOnError")
    # None of our own, not even for /tmp: Kubernetes takes 0.3 s to mount volumes, however small they are.
    if not volumes:
        return
    there = mappings(pod, "volumes", f"{template.place}.spec")
    mounts = mappings(container, "volumeMounts", place)
    for i, item in enumerate(volumes):
        if item["name"] in {other.get("name") for other in there}:
            raise broken_rule(f"volumes[{i}].name", f'"{item["name"]}"', "a name that no other volume has")
        if item["mount_path"] in {other.get("mountPath") for other in mounts}:
            raise broken_rule(f"volumes[{i}].mount_path", f'"{item["mount_path"]}"', "a path that nothing else is at")
        there.append(volume(item, f"volumes[{i}]"))
        mounts.append(mount(item, f"volumes[{i}]"))
