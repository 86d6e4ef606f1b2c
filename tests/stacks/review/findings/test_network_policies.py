from typing import Any

import pytest

from components import dask_network, network_policy
from stacks.review.findings import network_policies
from stacks.review.preview import Preview
from stacks.review.values import UNKNOWN
from tests.stacks.review.findings.cases import check_survives, found, told
from tests.stacks.review.steps import step

POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
NAMESPACE = "kubernetes:core/v1:Namespace"
ENVIRONMENT = "penstock:index:KubernetesJobEnvironment"


def policy(spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "prod-run", "namespace": "flows"}, "spec": spec}


def runs(**given: Any) -> dict[str, Any]:
    return policy(network_policy.runs("prod", **given))


def egress(*rules: Any) -> dict[str, Any]:
    return policy({"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": list(rules)})


def ingress(*rules: Any) -> dict[str, Any]:
    return policy({"podSelector": {"matchLabels": {"app": "x"}}, "policyTypes": ["Ingress"], "ingress": list(rules)})


def block(cidr: str, *shut: str) -> dict[str, Any]:
    return {"ipBlock": {"cidr": cidr, **({"except": list(shut)} if shut else {})}}


DENY = policy(network_policy.deny_all())
HTTPS = [{"port": 443, "protocol": "TCP"}]

CASES: dict[str, tuple[Any, Any, str]] = {
    "new and closed": (None, DENY, ""),
    "new, of an environment": (None, runs(), ""),
    "new, of workers": (None, policy(dask_network.workers("prod")), ""),
    "same": (runs(), runs(), ""),
    "narrower": (egress({"to": [block("10.0.0.0/8")]}), egress({"to": [block("10.1.0.0/16")], "ports": HTTPS}), ""),
    "narrower by an exception": (
        egress({"to": [block("0.0.0.0/0")]}),
        egress({"to": [block("0.0.0.0/0", "10.0.0.0/8")]}),
        "",
    ),
    "written differently": (
        egress({"to": [block("10.0.0.0/8")], "ports": [{"port": 443}, {"port": 80}]}),
        egress(
            {"to": [block("10.0.0.0/8")], "ports": [{"port": 80, "endPort": 80}]},
            {"to": [block("10.0.0.0/8")], "ports": HTTPS},
        ),
        "",
    ),
    "renamed": (runs(), {**policy(network_policy.runs("new")), "metadata": {"name": "new", "namespace": "flows"}}, ""),
    "not known": (egress(), egress({"to": UNKNOWN}, UNKNOWN), ""),
    "new, with the cluster's API": (
        None,
        policy(dask_network.runs("prod", api_server_cidrs=["10.0.0.0/8"])),
        """
NOTICE kubernetes-traffic-widened
runs of prod may reach 10.0.0.0/8 at port 443 and 10.0.0.0/8 at port 6443
spec.egress: null -> ["10.0.0.0/8 at port 443", "10.0.0.0/8 at port 6443"]
""",
    ),
    "anywhere": (
        runs(),
        runs(egress_anywhere=True),
        """
WARNING kubernetes-egress-anywhere
runs of prod could send data anywhere, and reach the cloud's metadata service
spec.egress: ["pods with k8s-app=kube-dns of namespaces with kubernetes.io/metadata.name=kube-system at port 53/UDP", "pods with k8s-app=kube-dns of namespaces with kubernetes.io/metadata.name=kube-system at port 53"] -> ["everything"]
""",  # noqa: E501 one line of a finding
    ),
    "anywhere, when new": (
        None,
        runs(egress_anywhere=True),
        """
WARNING kubernetes-egress-anywhere
runs of prod could send data anywhere, and reach the cloud's metadata service
spec.egress: null -> ["everything"]
""",
    ),
    "anywhere but for the metadata service": (
        egress(),
        egress({"to": [block("0.0.0.0/0", "169.254.0.0/16")]}),
        """
WARNING kubernetes-egress-anywhere
all pods of the namespace flows could send data anywhere
spec.egress: [] -> ["0.0.0.0/0 but for 169.254.0.0/16"]
""",
    ),
    "anywhere at one port": (
        egress(),
        egress({"ports": HTTPS}),
        """
WARNING kubernetes-egress-anywhere
all pods of the namespace flows could send data anywhere
spec.egress: [] -> ["everything at port 443"]
""",
    ),
    "an exception less": (
        egress({"to": [block("10.0.0.0/8", "10.1.0.0/16")]}),
        egress({"to": [block("10.0.0.0/8")]}),
        """
WARNING kubernetes-traffic-widened
all pods of the namespace flows could now reach 10.0.0.0/8
spec.egress: ["10.0.0.0/8 but for 10.1.0.0/16"] -> ["10.0.0.0/8"]
""",
    ),
    "a larger range": (
        egress({"to": [block("10.1.0.0/16")]}),
        egress({"to": [block("10.0.0.0/8")]}),
        """
WARNING kubernetes-traffic-widened
all pods of the namespace flows could now reach 10.0.0.0/8
spec.egress: ["10.1.0.0/16"] -> ["10.0.0.0/8"]
""",
    ),
    "every port": (
        egress({"to": [block("10.1.0.0/16")], "ports": HTTPS}),
        egress({"to": [block("10.1.0.0/16")]}),
        """
WARNING kubernetes-traffic-widened
all pods of the namespace flows could now reach 10.1.0.0/16
spec.egress: ["10.1.0.0/16 at port 443"] -> ["10.1.0.0/16"]
""",
    ),
    "other pods": (
        ingress({"from": [{"podSelector": {"matchLabels": {"app": "y"}}}]}),
        ingress({"from": [{"podSelector": {}}]}),
        """
WARNING kubernetes-traffic-widened
all pods could now reach the pods of the policy prod-run
spec.ingress: ["pods with app=y"] -> ["all pods"]
""",
    ),
    "every namespace": (
        ingress(),
        ingress({"from": [{"namespaceSelector": {}}]}),
        """
WARNING kubernetes-ingress-open
every pod of the cluster could reach the pods of the policy prod-run
spec.ingress: [] -> ["all pods of every namespace"]
""",
    ),
    "from everywhere": (
        ingress(),
        ingress({"from": [block("0.0.0.0/0")], "ports": [{"port": 8786}]}),
        """
DANGER kubernetes-ingress-open
anyone could reach the pods of the policy prod-run, from outside the cluster too
spec.ingress: [] -> ["0.0.0.0/0 at port 8786"]
""",
    ),
    "from everybody, when new": (
        None,
        ingress({}),
        """
DANGER kubernetes-ingress-open
anyone could reach the pods of the policy prod-run, from outside the cluster too
spec.ingress: null -> ["everything"]
""",
    ),
    "a direction less": (
        runs(),
        policy({**network_policy.runs("prod"), "policyTypes": ["Ingress"]}),
        """
WARNING kubernetes-network-policy-loosened
runs of prod are no longer restricted in what they may reach
spec.policyTypes: ["Ingress", "Egress"] -> ["Ingress"]
""",
    ),
    "a direction more": (policy({"podSelector": {}, "policyTypes": ["Ingress"]}), egress({}), ""),
    "fewer pods": (
        DENY,
        policy({**network_policy.deny_all(), "podSelector": {"matchLabels": {"app": "x"}}}),
        """
WARNING kubernetes-network-policy-loosened
the policy prod-run no longer restricts all the pods that it did
spec.podSelector: {} -> {"matchLabels": {"app": "x"}}
""",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_found(case: str) -> None:
    old, new, expected = CASES[case]
    assert told(found(network_policies.STEP_CHECKS, step(POLICY, old, new))) == expected.lstrip()


def removed(*steps: Any) -> str:
    preview = Preview(stack="prod", steps=steps, counts={})
    return told(finding for check in network_policies.PREVIEW_CHECKS for finding in check(preview))


def test_a_policy_that_goes_is_told_where_its_pods_stay() -> None:
    expected = """
WARNING kubernetes-network-policy-loosened
runs of prod are no longer restricted by the policy prod-run
: null -> null
DANGER kubernetes-network-policy-loosened
all pods of the namespace flows are no longer restricted by the policy prod-run
: null -> null
"""
    assert removed(step(POLICY, runs(), None), step(POLICY, DENY, None)) == expected.lstrip()
    assert not removed(step(POLICY, DENY, None), step(NAMESPACE, {"metadata": {"name": "flows"}}, None))
    assert not removed(step(POLICY, runs(), None), step(ENVIRONMENT, {}, None, name="prod"))
    assert removed(step(POLICY, runs(), None), step(ENVIRONMENT, {"environment_name": "other"}, None, name="prod"))


@pytest.mark.parametrize("case", ["anywhere", "an exception less", "other pods", "fewer pods"])
def test_shapes_that_nobody_expects(case: str) -> None:
    old, new, _ = CASES[case]
    check_survives(network_policies.STEP_CHECKS, POLICY, old, new)
