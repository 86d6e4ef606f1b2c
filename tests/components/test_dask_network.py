import ipaddress
from typing import Any

import pytest

from components.dask_network import PRIVATE, runs, workers
from components.network_policy import DNS
from runner.errors import ContractError


def pods(component: str) -> dict[str, Any]:
    labels = {"penstock.dev/environment": "flights", "app.kubernetes.io/component": component}
    return {"podSelector": {"matchLabels": labels}}


def tcp(*ports: int) -> list[dict[str, Any]]:
    return [{"port": port, "protocol": "TCP"} for port in ports]


API = {
    "to": [
        {"ipBlock": {"cidr": cidr}}
        for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
    ],
    "ports": tcp(443, 6443),
}


def test_a_run_is_reached_by_workers_only_and_reaches_them_and_the_clusters_api() -> None:
    assert runs("flights") == {
        **pods("run"),
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [pods("worker")], "ports": tcp(8786)}],
        "egress": [DNS, API, {"to": [pods("worker")], "ports": tcp(8788)}],
    }


def test_a_worker_is_reached_by_runs_and_workers_only_and_reaches_these_but_no_api() -> None:
    assert workers("flights") == {
        **pods("worker"),
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [pods("run"), pods("worker")], "ports": tcp(8788)}],
        "egress": [
            DNS,
            {"to": [pods("run")], "ports": tcp(8786)},
            {"to": [pods("worker")], "ports": tcp(8788)},
        ],
    }


def test_by_default_no_address_of_the_internet_is_open() -> None:
    assert all(not ipaddress.ip_network(cidr).is_global for cidr in PRIVATE)


def test_the_api_is_where_the_user_says_it_is() -> None:
    egress = runs("flights", api_server_cidrs=["203.0.113.7/32"])["egress"]

    assert egress[1] == {"to": [{"ipBlock": {"cidr": "203.0.113.7/32"}}], "ports": tcp(443, 6443)}


def test_no_range_opens_nothing() -> None:
    assert runs("flights", api_server_cidrs=[])["egress"] == [DNS, {"to": [pods("worker")], "ports": tcp(8788)}]


@pytest.mark.parametrize("policy", [runs, workers])
def test_what_is_listed_is_open_too(policy: Any) -> None:
    rules = policy("flights", egress=[{"cidr": "10.0.0.0/8", "ports": [5432]}])["egress"]

    assert rules[:-1] == policy("flights")["egress"]
    assert rules[-1] == {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": tcp(5432)}


@pytest.mark.parametrize("policy", [runs, workers])
def test_everything_is_open_when_that_is_asked_for_by_name_and_only_outwards(policy: Any) -> None:
    opened = policy("flights", egress_anywhere=True)

    assert opened["egress"] == [{}]
    assert {**opened, "egress": None} == {**policy("flights"), "egress": None}


@pytest.mark.parametrize("policy", [runs, workers])
def test_a_list_beside_everything_is_refused(policy: Any) -> None:
    with pytest.raises(ContractError, match="egress is given beside egress_anywhere, expected only one of both"):
        policy("flights", egress=[{"cidr": "10.0.0.0/8"}], egress_anywhere=True)


@pytest.mark.parametrize("cidr", ["10.0.0.1", "10.0.0.1/8", "api.example.com"])
def test_a_range_of_the_api_that_is_none_is_refused(cidr: str) -> None:
    with pytest.raises(ContractError) as refusal:
        runs("flights", api_server_cidrs=["10.0.0.0/8", cidr])

    assert f'api_server_cidrs[1] is "{cidr}", expected a range of addresses such as 10.0.0.0/8' in str(refusal.value)
