"""Volumes of a run's task, from arguments to the fields of a task definition."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from runner.contract import broken_rule, describe

NAME = r"[A-Za-z0-9_-]{1,255}"
NAME_MEANING = "at most 255 letters, digits, hyphens and underscores"
TEMPORARY = "tmp"
"""Name of the volume at /tmp, which runs have unless they have another one there."""
TEMPORARY_PATH = "/tmp"  # noqa: S108 where Python puts temporary files


def volumes(
    *, volumes: Sequence[Mapping[str, Any]] = (), mount_points: Sequence[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """The definition's volumes, as the arguments of Pulumi's resource have them, sorted.

    Args:
        volumes: `TaskVolumeOptions`.
        mount_points: `MountPointOptions`.

    Raises:
        ContractError: two have the same name, or one is none that ECS has.
    """
    names = [item["name"] for item in volumes]
    for i, item in enumerate(volumes):
        if not re.fullmatch(NAME, item["name"]):
            raise broken_rule(f"volumes[{i}].name", describe(item["name"]), NAME_MEANING)
        if item["name"] in names[:i]:
            raise broken_rule(f"volumes[{i}].name", f'"{item["name"]}"', "a name that no other volume has")
    made = [
        {"name": item["name"], **({"efs_volume_configuration": _efs(item["efs"], i)} if "efs" in item else {})}
        for i, item in enumerate(volumes)
    ]
    if not _has_own_temporary(mount_points):
        if TEMPORARY in names:
            expected = f"another name, or a mount point at {TEMPORARY_PATH}"
            raise broken_rule(f"volumes[{names.index(TEMPORARY)}].name", f'"{TEMPORARY}"', expected)
        made.append({"name": TEMPORARY})
    return sorted(made, key=lambda item: str(item["name"]))


def mounts(
    *, volumes: Sequence[Mapping[str, Any]] = (), mount_points: Sequence[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """The `mountPoints` of the flow's container.

    Args:
        volumes: `TaskVolumeOptions`.
        mount_points: `MountPointOptions`.

    Raises:
        ContractError: a volume is none of those, or two are at the same path.
    """
    names = [item["name"] for item in volumes]
    made: list[dict[str, Any]] = []
    for i, item in enumerate(mount_points):
        if item["volume"] not in names:
            raise broken_rule(f"mount_points[{i}].volume", describe(item["volume"]), "the name of one of volumes")
        if not re.fullmatch(r"/[^:]*", item["path"]):
            raise broken_rule(f"mount_points[{i}].path", describe(item["path"]), "an absolute path without a colon")
        if item["path"] in {other["containerPath"] for other in made}:
            raise broken_rule(f"mount_points[{i}].path", f'"{item["path"]}"', "a path that nothing else is at")
        read_only = {"readOnly": True} if item.get("read_only") else {}
        made.append({"sourceVolume": item["volume"], "containerPath": item["path"], **read_only})
    if not _has_own_temporary(mount_points):
        made.append({"sourceVolume": TEMPORARY, "containerPath": TEMPORARY_PATH})
    return made


def _has_own_temporary(mount_points: Sequence[Mapping[str, Any]]) -> bool:
    return TEMPORARY_PATH in {item["path"] for item in mount_points}


def _efs(item: Mapping[str, Any], i: int) -> dict[str, Any]:
    """The file system of a volume, encrypted on its way unless told otherwise."""
    place = f"volumes[{i}].efs"
    encrypted, iam, point = item.get("transit_encryption", True), item.get("iam", False), item.get("access_point_id")
    if not encrypted and (iam or point is not None):
        raise broken_rule(
            f"{place}.transit_encryption", "false", "true: AWS wants it with an access point and with iam"
        )
    if point is not None and item.get("root_directory", "/") != "/":
        expected = "none beside access_point_id, which has a folder of its own"
        raise broken_rule(f"{place}.root_directory", "given", expected)
    authorization = {**({"access_point_id": point} if point is not None else {}), **({"iam": "ENABLED"} if iam else {})}
    return {
        "file_system_id": item["file_system_id"],
        "transit_encryption": "ENABLED" if encrypted else "DISABLED",
        **({"root_directory": item["root_directory"]} if "root_directory" in item else {}),
        **({"authorization_config": authorization} if authorization else {}),
    }
