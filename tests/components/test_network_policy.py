from typing import Any

import pytest

from components.network_policy import deny_all, runs
from runner.errors import ContractError

DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
}


def test_the_policy_of_a_namespace_closes_every_pod_both_ways() -> None:
    assert deny_all() == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_runs_reach_the_name_server_only_and_are_reached_by_nobody() -> None:
    assert runs("flights") == {
        "podSelector": {"matchLabels": {"penstock.dev/environment": "flights"}},
        "policyTypes": ["Ingress", "Egress"],
        "egress": [DNS],
    }


def test_what_is_listed_is_open_too() -> None:
    egress: list[dict[str, Any]] = [
        {"cidr": "10.0.0.0/8", "except_cidrs": ["10.1.0.0/16"], "ports": [5432, 6432]},
        {"namespace_labels": {"kubernetes.io/metadata.name": "minio"}, "pod_labels": {"app": "minio"}, "ports": [9000]},
        {"pod_labels": {"app": "cache"}},
        {"cidr": "fd00::/8"},
    ]

    assert runs("flights", egress=egress)["egress"] == [
        DNS,
        {
            "to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
            "ports": [{"port": 5432, "protocol": "TCP"}, {"port": 6432, "protocol": "TCP"}],
        },
        {
            "to": [
                {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "minio"}},
                    "podSelector": {"matchLabels": {"app": "minio"}},
                }
            ],
            "ports": [{"port": 9000, "protocol": "TCP"}],
        },
        {"to": [{"podSelector": {"matchLabels": {"app": "cache"}}}]},
        {"to": [{"ipBlock": {"cidr": "fd00::/8"}}]},
    ]


def test_everything_is_open_when_that_is_asked_for_by_name_and_only_outwards() -> None:
    policy = runs("flights", egress_anywhere=True)

    assert policy["egress"] == [{}]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy


@pytest.mark.parametrize(
    ("egress", "sentence"),
    [
        ({}, "egress[0] is without a destination, expected a cidr, or namespace_labels, pod_labels or both"),
        ({"ports": [80]}, "egress[0] is without a destination"),
        ({"namespace_labels": {}}, "egress[0] is without a destination"),
        ({"cidr": "10.0.0.1"}, 'egress[0].cidr is "10.0.0.1", expected a range of addresses such as 10.0.0.0/8'),
        ({"cidr": "10.0.0.1/8"}, 'egress[0].cidr is "10.0.0.1/8", expected a range'),
        ({"cidr": "example.com"}, 'egress[0].cidr is "example.com", expected a range'),
        ({"cidr": "10.0.0.0/8", "except_cidrs": ["11.0.0.0/16"]}, "expected a part of 10.0.0.0/8"),
        ({"cidr": "10.0.0.0/8", "except_cidrs": ["fd00::/16"]}, "expected a part of 10.0.0.0/8"),
        ({"cidr": "10.0.0.0/8", "pod_labels": {"a": "b"}}, "egress[0].pod_labels is given beside a cidr"),
        ({"pod_labels": {"a": "b"}, "except_cidrs": []}, "egress[0].except_cidrs is given without a cidr"),
        ({"pod_labels": {"a b": "c"}}, 'a key of egress[0].pod_labels is "a b"'),
        ({"cidr": "10.0.0.0/8", "ports": [80, 0]}, "egress[0].ports[1] is 0, expected a port from 1 to 65535"),
    ],
)
def test_a_destination_that_is_none_is_refused(egress: Any, sentence: str) -> None:
    with pytest.raises(ContractError) as refusal:
        runs("flights", egress=[egress])

    assert sentence in str(refusal.value)


def test_a_list_beside_everything_is_refused() -> None:
    with pytest.raises(ContractError, match="egress is given beside egress_anywhere, expected only one of both"):
        runs("flights", egress=[{"cidr": "10.0.0.0/8"}], egress_anywhere=True)
