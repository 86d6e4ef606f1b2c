"""What a namespace may use in all, and each container in it: contents of ResourceQuota and LimitRange."""

from collections.abc import Callable, Mapping
from typing import Any

from components import quantities
from runner.contract import broken_rule
from runner.sections import Resources

GPU_RESOURCE = Resources.gpu_resource


def hard_limits(quota: Mapping[str, Any] | None = None) -> dict[str, str] | None:
    """`spec.hard` of a ResourceQuota; None without one.

    Args:
        quota: a `QuotaOptions`.

    Raises:
        ContractError: a number is negative, or nothing is limited.
    """
    if quota is None:
        return None
    gpu = f"requests.{quota.get('gpu_resource', GPU_RESOURCE)}"
    names: dict[str, tuple[str, Callable[[int], str]]] = {
        "cpu_millicores": ("requests.cpu", quantities.cpu),
        "memory_mib": ("requests.memory", quantities.memory),
        "gpu": (gpu, quantities.count),
        "pods": ("pods", quantities.count),
        "jobs": ("count/jobs.batch", quantities.count),
        "storage_mib": ("requests.storage", quantities.memory),
        "persistent_volume_claims": ("persistentvolumeclaims", quantities.count),
    }
    given = {key: quota[key] for key in names if key in quota}
    if not given:
        raise broken_rule("quota", "without a limit", f"one of {', '.join(names)}")
    for key, number in given.items():
        if number < 0:
            raise broken_rule(f"quota.{key}", str(number), "a whole number of at least 0")
    return {names[key][0]: names[key][1](number) for key, number in given.items()}


def limit_range(container_limits: Mapping[str, Any] | None = None) -> list[dict[str, Any]] | None:
    """`spec.limits` of a LimitRange; None without one.

    Args:
        container_limits: a `ContainerLimitOptions`.

    Raises:
        ContractError: a number is not positive, or the three contradict each other.
    """
    if container_limits is None:
        return None
    names = {"default_request": "defaultRequest", "default": "default", "max": "max"}
    sizes = {key: container_limits[key] for key in names if container_limits.get(key)}
    if not sizes:
        raise broken_rule("container_limits", "without a limit", f"one of {', '.join(names)}")
    for key, size in sizes.items():
        for unit, number in size.items():
            if number < 1:
                raise broken_rule(f"container_limits.{key}.{unit}", str(number), "a whole number of at least 1")
    for lower, upper in (("default_request", "default"), ("default", "max"), ("default_request", "max")):
        for unit, number in sizes.get(lower, {}).items():
            if number > sizes.get(upper, {}).get(unit, number):
                most = f"at most the {sizes[upper][unit]} of {upper}"
                raise broken_rule(f"container_limits.{lower}.{unit}", str(number), most)
    return [{"type": "Container", **{names[key]: _size(size) for key, size in sizes.items()}}]


def _size(size: Mapping[str, int]) -> dict[str, str]:
    units = {"cpu_millicores": ("cpu", quantities.cpu), "memory_mib": ("memory", quantities.memory)}
    return {units[key][0]: units[key][1](number) for key, number in size.items()}
