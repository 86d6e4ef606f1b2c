"""What a run's security group lets out."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from runner.contract import broken_rule, describe

HTTPS, NFS = 443, 2049
TARGETS = ("cidr", "prefix_list_id", "security_group_id")
"""Keys of what may be reached, of which there is exactly one."""


def rules(
    *,
    vpc_cidr: str,
    s3_prefix_list: str,
    egress: Sequence[Mapping[str, Any]] = (),
    egress_anywhere: bool = False,
    files: bool = False,
) -> dict[str, dict[str, Any]]:
    """The rules, as the arguments of Pulumi's resource have them, by a name for each.

    By default runs reach AWS' endpoints in their own network, and S3. Neither the network's name server nor the task's
    metadata is something that security groups are asked about.

    Args:
        vpc_cidr: addresses of the network.
        s3_prefix_list: id of the list of S3's addresses.
        egress: `TaskEgressOptions`.
        egress_anywhere: whether everything may be reached.
        files: whether file systems of EFS are mounted.

    Raises:
        ContractError: an entry says nothing, or two things.
    """
    check(egress=egress, egress_anywhere=egress_anywhere)
    if egress_anywhere:
        return {
            "anywhere-4": {"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0", "description": "everything"},
            "anywhere-6": {"ip_protocol": "-1", "cidr_ipv6": "::/0", "description": "everything"},
        }
    found = {
        "endpoints": _tcp(HTTPS, {"cidr_ipv4": vpc_cidr}, "endpoints of AWS in this network"),
        "s3": _tcp(HTTPS, {"prefix_list_id": s3_prefix_list}, "S3: code, and layers of images"),
    }
    if files:
        found["files"] = _tcp(NFS, {"cidr_ipv4": vpc_cidr}, "file systems of EFS")
    for item in egress:
        key, target = _target(item)
        name = str(item[key]).replace("/", "-").replace(":", "-")
        if "ports" not in item:
            found[f"{name}-all"] = {"ip_protocol": "-1", **target, "description": "egress of the stack"}
        for port in item.get("ports", ()):
            found[f"{name}-{port}"] = _tcp(port, target, "egress of the stack")
    return found


def check(*, egress: Sequence[Mapping[str, Any]] = (), egress_anywhere: bool = False) -> None:
    """Refuses what `rules` refuses.

    Raises:
        ContractError: an entry says nothing, or two things.
    """
    if egress and egress_anywhere:
        raise broken_rule("egress", "given beside egress_anywhere", "only one of both: that is everything already")
    for i, item in enumerate(egress):
        given = [key for key in TARGETS if key in item]
        if len(given) != 1:
            found = f"with {' and '.join(given) or 'no target'}"
            raise broken_rule(f"egress[{i}]", found, f"exactly one of {', '.join(TARGETS)}")
        if "cidr" in item:
            try:
                ipaddress.ip_network(item["cidr"])
            except ValueError:
                expected = "a range of addresses such as 10.0.0.0/8"
                raise broken_rule(f"egress[{i}].cidr", describe(item["cidr"]), expected) from None
        for j, port in enumerate(item.get("ports", ())):
            if not 1 <= port <= 65535:
                raise broken_rule(f"egress[{i}].ports[{j}]", str(port), "a port, from 1 to 65535")
        if item.get("ports") == []:
            raise broken_rule(f"egress[{i}].ports", "an empty list", "at least one, or no such key for all")


def _target(item: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    if "prefix_list_id" in item:
        return "prefix_list_id", {"prefix_list_id": item["prefix_list_id"]}
    if "security_group_id" in item:
        return "security_group_id", {"referenced_security_group_id": item["security_group_id"]}
    version = ipaddress.ip_network(item["cidr"]).version
    return "cidr", {f"cidr_ipv{version}": item["cidr"]}


def _tcp(port: int, target: Mapping[str, str], description: str) -> dict[str, Any]:
    return {"ip_protocol": "tcp", "from_port": port, "to_port": port, **target, "description": description}
