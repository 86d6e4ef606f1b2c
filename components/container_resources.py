"""What containers and pods ask for, written into their specs and read back from them."""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from components import quantities
from components.manifest import mapping
from runner.contract import broken_rule
from runner.sections import Resources

MIB = 1024**2


def complete(container: dict[str, Any], resources: Resources, path: str) -> None:
    """Says what a container asks for, and at most gets; what the user wrote of it is the user's alone.

    Args:
        container: the container.
        resources: what it asks for where it says nothing.
        path: where it stands.

    Raises:
        ContractError: what the user wrote are no resources.
    """
    requests = {"cpu": quantities.cpu(resources.cpu_millicores), "memory": quantities.memory(resources.memory_mib)}
    limits = {"memory": quantities.memory(resources.memory_limit_mib or resources.memory_mib)}
    if resources.cpu_limit_millicores is not None:
        limits["cpu"] = quantities.cpu(resources.cpu_limit_millicores)
    if resources.gpu:
        requests[resources.gpu_resource] = limits[resources.gpu_resource] = quantities.count(resources.gpu)
    written = mapping(container, "resources", path)
    asked, most = (mapping(written, key, f"{path}.resources") for key in ("requests", "limits"))
    # Memory without a limit is the machine's. For the rest, a default beside what is written could contradict it.
    if "memory" in asked:
        most.setdefault("memory", asked["memory"])
    named = {*asked, *most}
    asked.update({key: value for key, value in requests.items() if key not in named})
    most.update({key: value for key, value in limits.items() if key not in named})


def asked_by(container: Mapping[str, Any], gpu_resource: str, path: str) -> dict[str, Any]:
    """What a container asks for, and at most gets, whoever wrote it: as a `ResourceOptions`.

    Args:
        container: the container, after `complete`.
        gpu_resource: name by which the cluster counts GPUs.
        path: where it stands.

    Raises:
        ContractError: a quantity is none.
    """

    def whole(key: str, name: str, unit: Fraction) -> int | None:
        written = container["resources"][key].get(name)
        if written is None:
            return None
        return math.ceil(quantities.parse(written, f"{path}.resources.{key}.{name}") / unit)

    cpu, most_cpu = (whole(key, "cpu", Fraction(1, 1000)) for key in ("requests", "limits"))
    memory, most_memory = (whole(key, "memory", Fraction(MIB)) for key in ("requests", "limits"))
    gpu = whole("limits", gpu_resource, Fraction(1))
    return {
        "cpu_millicores": cpu if cpu is not None else most_cpu,
        "memory_mib": memory if memory is not None else most_memory,
        "gpu": gpu or 0,
        "gpu_resource": gpu_resource,
        "cpu_limit_millicores": most_cpu,
        "memory_limit_mib": None if most_memory == memory else most_memory,
    }


def pod_request(pod: Mapping[str, Any], name: str, *, default: Fraction | None, path: str) -> Fraction:
    """How much of something a pod asks for in all, as the scheduler and quotas count it.

    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers

    Args:
        pod: the pod's spec.
        name: `cpu`, `memory`, or the name of another resource.
        default: what a container asks for that says nothing; None where each must say it.
        path: where the spec stands.

    Raises:
        ContractError: a quantity is none, or a container says nothing.
    """
    whole = (pod.get("resources") or {}).get("requests") or {}
    if name in whole:
        return quantities.parse(whole[name], f"{path}.resources.requests.{name}")
    beside = largest = Fraction(0)
    for i, container in enumerate(pod.get("initContainers") or ()):
        request = _request(container, name, default, f"{path}.initContainers[{i}]")
        if container.get("restartPolicy") == "Always":
            beside += request
        else:
            largest = max(largest, beside + request)
    for i, container in enumerate(pod["containers"]):
        beside += _request(container, name, default, f"{path}.containers[{i}]")
    return max(largest, beside)


def _request(container: Mapping[str, Any], name: str, default: Fraction | None, path: str) -> Fraction:
    written = dict(mapping(dict(container), "resources", path))
    for key in ("requests", "limits"):  # a limit without a request is the request too
        listed = mapping(written, key, f"{path}.resources")
        if name in listed:
            return quantities.parse(listed[name], f"{path}.resources.{key}.{name}")
    if default is None:
        expected = "what that container asks for: the namespace's quota counts it"
        raise broken_rule(f"{path}.resources.requests.{name}", "missing", expected)
    return default
