"""Volumes of the flow's container, from arguments to Kubernetes' fields."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from components import quantities
from runner.contract import broken_rule, describe
from runner.sections import NAME, NAME_MEANING

SOURCES = ("config_map", "secret", "persistent_volume_claim", "empty_dir_mib")
"""Keys of a volume, of which it has exactly one."""

GROUP = 65532
"""Group of the files on a claim that runs write to: the one of the runner's image. A process of any other user gets it
beside its own groups, so the number matters only to who shares the claim."""


def volume(item: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The entry of a pod's `volumes`.

    Args:
        item: a `VolumeOptions`.
        path: the argument that it is.

    Raises:
        ContractError: it has no source, several, or an illegal name.
    """
    if not re.fullmatch(NAME, item["name"]):
        raise broken_rule(f"{path}.name", describe(item["name"]), NAME_MEANING)
    given = [key for key in SOURCES if key in item]
    if len(given) != 1:
        raise broken_rule(path, f"with {' and '.join(given) or 'no source'}", f"exactly one of {', '.join(SOURCES)}")
    return {"name": item["name"], **_source(given[0], item, path)}


def mount(item: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The entry of the container's `volumeMounts`.

    Args:
        item: a `VolumeOptions`.
        path: the argument that it is.

    Raises:
        ContractError: its path is not absolute.
    """
    if not re.fullmatch(r"/[^:]*", item["mount_path"]):
        raise broken_rule(f"{path}.mount_path", describe(item["mount_path"]), "an absolute path without a colon")
    return {
        "name": item["name"],
        "mountPath": item["mount_path"],
        **({"readOnly": True} if item.get("read_only") else {}),
        **({"subPath": item["sub_path"]} if "sub_path" in item else {}),
    }


def group_for(volumes: Sequence[Mapping[str, Any]]) -> int | None:
    """The group that must own files on volumes, or None where none is written to by several pods."""
    written = any("persistent_volume_claim" in item and not item.get("read_only") for item in volumes)
    return GROUP if written else None


def _source(key: str, item: Mapping[str, Any], path: str) -> dict[str, Any]:
    if key == "config_map":
        return {"configMap": {"name": item[key]}}
    if key == "secret":
        return {"secret": {"secretName": item[key]}}
    if key == "persistent_volume_claim":
        return {"persistentVolumeClaim": {"claimName": item[key]}}
    if item[key] < 1:
        raise broken_rule(f"{path}.{key}", str(item[key]), "a whole number of at least 1")
    return {"emptyDir": {"sizeLimit": quantities.memory(item[key])}}
