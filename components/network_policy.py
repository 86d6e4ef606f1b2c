"""Contents of NetworkPolicies: what pods may reach, and be reached by."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from components import labels
from runner.contract import broken_rule, describe

DNS: Mapping[str, Any] = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
}
"""Egress to the cluster's own name server, where kubeadm, kind and the managed services put it."""

BOTH = ("Ingress", "Egress")


def deny_all() -> dict[str, Any]:
    """`spec` of a policy under which no pod of the namespace reaches anything or is reached, unless another allows."""
    return {"podSelector": {}, "policyTypes": list(BOTH)}


def runs(
    environment: str, *, egress: Sequence[Mapping[str, Any]] | None = None, egress_anywhere: bool | None = None
) -> dict[str, Any]:
    """`spec` of the policy of an environment's runs: nothing reaches them; they reach name servers and what is listed.

    Args:
        environment: the environment's name.
        egress: `EgressOptions`, each an addition to what is allowed.
        egress_anywhere: whether they may reach everything instead.

    Raises:
        ContractError: an entry does not say whom it is about, or both are given.
    """
    return {
        "podSelector": {"matchLabels": {labels.ENVIRONMENT: environment}},
        "policyTypes": list(BOTH),
        "egress": egress_rules(egress=egress, egress_anywhere=egress_anywhere),
    }


def egress_rules(
    own: Sequence[Mapping[str, Any]] = (),
    *,
    egress: Sequence[Mapping[str, Any]] | None = None,
    egress_anywhere: bool | None = None,
) -> list[dict[str, Any]]:
    """`egress` of a policy: the name server, what is the environment's own, and what the user lists.

    Args:
        own: rules beside the user's.
        egress: `EgressOptions`.
        egress_anywhere: whether everything may be reached instead.

    Raises:
        ContractError: an entry does not say whom it is about, or both are given.
    """
    if egress and egress_anywhere:
        raise broken_rule("egress", "given beside egress_anywhere", "only one of both")
    if egress_anywhere:
        return [{}]
    return [dict(DNS), *map(dict, own), *(_rule(item, f"egress[{i}]") for i, item in enumerate(egress or ()))]


def network(cidr: str, path: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """A range of addresses.

    Raises:
        ContractError: it is none.
    """
    try:
        if "/" not in cidr:
            raise ValueError
        return ipaddress.ip_network(cidr)
    except ValueError:
        raise broken_rule(path, describe(cidr), "a range of addresses such as 10.0.0.0/8") from None


def _rule(item: Mapping[str, Any], path: str) -> dict[str, Any]:
    peer = _addresses(item, path) if "cidr" in item else _pods(item, path)
    ports = item.get("ports", ())
    for i, port in enumerate(ports):
        if not 1 <= port <= 65535:
            raise broken_rule(f"{path}.ports[{i}]", str(port), "a port from 1 to 65535")
    listed = {"ports": [{"port": port, "protocol": "TCP"} for port in ports]} if ports else {}
    return {"to": [peer], **listed}


def _addresses(item: Mapping[str, Any], path: str) -> dict[str, Any]:
    for key in ("namespace_labels", "pod_labels"):
        if key in item:
            raise broken_rule(f"{path}.{key}", "given beside a cidr", "one of both: pods are chosen by labels alone")
    whole = network(item["cidr"], f"{path}.cidr")
    exceptions = item.get("except_cidrs", ())
    for i, cidr in enumerate(exceptions):
        place = f"{path}.except_cidrs[{i}]"
        inner = network(cidr, place)
        if inner.version != whole.version or not inner.subnet_of(whole):  # type: ignore[arg-type]
            raise broken_rule(place, describe(cidr), f"a part of {whole}")
    return {"ipBlock": {"cidr": item["cidr"], **({"except": list(exceptions)} if exceptions else {})}}


def _pods(item: Mapping[str, Any], path: str) -> dict[str, Any]:
    if "except_cidrs" in item:
        raise broken_rule(f"{path}.except_cidrs", "given without a cidr", "the cidr that they are parts of")
    chosen = {
        selector: {"matchLabels": labels.legal(item[key], f"{path}.{key}")}
        for key, selector in (("namespace_labels", "namespaceSelector"), ("pod_labels", "podSelector"))
        if item.get(key)
    }
    if not chosen:
        raise broken_rule(path, "without a destination", "a cidr, or namespace_labels, pod_labels or both")
    return chosen
