from typing import Any

import pulumi
import pytest

from components.given import ArgumentError
from components.kubernetes_namespace import KubernetesNamespace
from components.namespace import PodSecurity
from tests.testbed.pulumi_mocks import Deploy, RecordingMonitor

TOKEN = "penstock:index:KubernetesNamespace"  # noqa: S105 a type token
NAMESPACE = "kubernetes:core/v1:Namespace"
QUOTA = "kubernetes:core/v1:ResourceQuota"
LIMITS = "kubernetes:core/v1:LimitRange"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


def deployed(deploy: Deploy, args: Any) -> RecordingMonitor:
    return deploy(lambda: pulumi.export("namespace", KubernetesNamespace("team", args).namespace))


def test_without_arguments_it_is_a_closed_namespace_of_the_components_name(deploy: Deploy) -> None:
    monitor = deployed(deploy, {})

    assert {(item.type, item.name) for item in monitor.own} == {
        (TOKEN, "team"),
        (NAMESPACE, "team"),
        (POLICY, "team-deny"),
    }
    assert monitor.named(NAMESPACE, "team").inputs["metadata"] == {
        "name": "team",
        "labels": {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")},
    }
    policy = monitor.named(POLICY, "team-deny").inputs
    assert (policy["metadata"]["name"], policy["metadata"]["namespace"]) == ("team-deny", "team")
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert monitor.exports["namespace"].value == "team"
    assert monitor.outputs[monitor.named(TOKEN, "team").urn] == [{"namespace": "team"}]


def test_with_all_arguments(deploy: Deploy) -> None:
    labels = {"team": "data"}
    monitor = deployed(
        deploy,
        {
            "namespace": "analytics",
            "pod_security": PodSecurity.BASELINE,
            "labels": {"team": pulumi.Output.from_input("data")},
            "quota": {"pods": 10},
            "container_limits": {"max": {"memory_mib": 2048}},
            "prefix": "flights",
        },
    )

    assert monitor.named(NAMESPACE, "team").inputs["metadata"] == {
        "name": "analytics",
        "labels": {
            **labels,
            **{f"pod-security.kubernetes.io/{mode}": "baseline" for mode in ("enforce", "audit", "warn")},
        },
    }
    assert monitor.named(QUOTA, "team-quota").inputs["metadata"] == {
        "name": "flights-quota",
        "namespace": "analytics",
        "labels": labels,
    }
    assert monitor.named(QUOTA, "team-quota").inputs["spec"] == {"hard": {"pods": "10"}}
    assert monitor.named(LIMITS, "team-limits").inputs["metadata"]["name"] == "flights-limits"
    assert monitor.named(LIMITS, "team-limits").inputs["spec"] == {
        "limits": [{"type": "Container", "max": {"memory": "2Gi"}}]
    }
    assert monitor.named(POLICY, "team-deny").inputs["metadata"]["name"] == "flights-deny"


def test_all_of_it_belongs_to_the_component(deploy: Deploy) -> None:
    monitor = deployed(deploy, {"quota": {"pods": 10}, "container_limits": {"max": {"memory_mib": 2048}}})
    own = monitor.named(TOKEN, "team")

    assert {item.parent for item in monitor.own if item != own} == {own.urn}


def test_one_that_exists_is_left_as_it_is_and_open(deploy: Deploy) -> None:
    monitor = deployed(deploy, {"create": False, "quota": {"pods": 10}})

    assert {item.type for item in monitor.own} == {TOKEN, QUOTA}


def test_one_that_exists_can_be_closed_and_a_new_one_left_open(deploy: Deploy) -> None:
    closed = deployed(deploy, {"create": False, "default_deny": True})
    assert {item.type for item in closed.own} == {TOKEN, POLICY}

    opened = deployed(deploy, {"default_deny": False})
    assert {item.type for item in opened.own} == {TOKEN, NAMESPACE}


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"namespace": "Team"}, 'namespace is "Team", expected at most 63'),
        ({"create": "no"}, 'create is "no", expected true or false'),
        ({"pod_security": "strict"}, 'pod_security is "strict", expected one of restricted, baseline, privileged'),
        ({"create": False, "pod_security": "baseline"}, "pod_security is given for a namespace that is not created"),
        ({"quota": {"pods": -1}}, "quota.pods is -1, expected a whole number of at least 0"),
        ({"quota": {"cpu": 1}}, "quota.cpu is unknown, expected"),
        ({"container_limits": {"max": {"memory_mib": 0}}}, "container_limits.max.memory_mib is 0"),
        ({"labels": {"a b": "c"}}, 'labels is given the key "a b"'),
        ({"label": {}}, "label is unknown, expected labels, the nearest known key"),
    ],
)
def test_a_mistake_is_refused_before_anything_is_registered(deploy: Deploy, args: Any, sentence: str) -> None:
    def program() -> None:
        with pytest.raises(ArgumentError) as refusal:
            KubernetesNamespace("team", args)
        assert sentence in str(refusal.value)

    assert deploy(program).own == []
