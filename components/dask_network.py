"""Contents of the NetworkPolicies of runs whose Dask workers are pods: who of a run may reach whom."""

from collections.abc import Mapping, Sequence
from typing import Any

from components import labels, network_policy
from runner.sections import SCHEDULER_PORT, WORKER_PORT

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
"""Addresses that are nowhere on the internet: RFC 1918, RFC 6598 (some managed clusters) and RFC 4193."""

API_PORTS = (443, 6443)
"""Ports of the cluster's API: its Service's, and its server's. The cluster's network decides which of them counts."""


def runs(
    environment: str,
    *,
    egress: Sequence[Mapping[str, Any]] | None = None,
    egress_anywhere: bool | None = None,
    api_server_cidrs: Sequence[str] = PRIVATE,
) -> dict[str, Any]:
    """`spec` of the policy of runs: only workers reach them; they reach workers, the cluster's API and what is listed.

    Args:
        environment: the environment's name.
        egress: `EgressOptions`, each an addition to what is allowed.
        egress_anywhere: whether they may reach everything instead.
        api_server_cidrs: ranges of addresses at which the cluster's API is.

    Raises:
        ContractError: an entry does not say whom it is about, or both are given.
    """
    api = [
        {"ipBlock": {"cidr": str(network_policy.network(cidr, f"api_server_cidrs[{i}]"))}}
        for i, cidr in enumerate(api_server_cidrs)
    ]
    own = [{"to": api, "ports": _ports(*API_PORTS)}] if api else []
    own += [{"to": _pods(environment, labels.WORKER), "ports": _ports(WORKER_PORT)}]
    return {
        **_selecting(environment, labels.RUN),
        "ingress": [{"from": _pods(environment, labels.WORKER), "ports": _ports(SCHEDULER_PORT)}],
        "egress": network_policy.egress_rules(own, egress=egress, egress_anywhere=egress_anywhere),
    }


def workers(
    environment: str, *, egress: Sequence[Mapping[str, Any]] | None = None, egress_anywhere: bool | None = None
) -> dict[str, Any]:
    """`spec` of the policy of workers: runs and other workers reach them; they reach these and what is listed.

    Args:
        environment: the environment's name.
        egress: `EgressOptions`, each an addition to what is allowed.
        egress_anywhere: whether they may reach everything instead.

    Raises:
        ContractError: an entry does not say whom it is about, or both are given.
    """
    own = [
        {"to": _pods(environment, labels.RUN), "ports": _ports(SCHEDULER_PORT)},
        {"to": _pods(environment, labels.WORKER), "ports": _ports(WORKER_PORT)},
    ]
    return {
        **_selecting(environment, labels.WORKER),
        "ingress": [{"from": _pods(environment, labels.RUN, labels.WORKER), "ports": _ports(WORKER_PORT)}],
        "egress": network_policy.egress_rules(own, egress=egress, egress_anywhere=egress_anywhere),
    }


def _selecting(environment: str, component: str) -> dict[str, Any]:
    """The beginning of a policy: whom it is about."""
    return {**_pods(environment, component)[0], "policyTypes": list(network_policy.BOTH)}


def _pods(environment: str, *components: str) -> list[dict[str, Any]]:
    """Pods of the environment, of some of its components."""
    return [
        {"podSelector": {"matchLabels": {labels.ENVIRONMENT: environment, labels.COMPONENT: component}}}
        for component in components
    ]


def _ports(*ports: int) -> list[dict[str, Any]]:
    return [{"port": port, "protocol": "TCP"} for port in ports]
