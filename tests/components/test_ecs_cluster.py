from typing import Any

import pulumi
import pytest

from components.ecs_cluster import EcsCluster
from components.given import ArgumentError
from tests.testbed.pulumi_mocks import Deploy, RecordingMonitor

TOKEN = "penstock:index:EcsCluster"  # noqa: S105 a type token
CLUSTER = "aws:ecs/cluster:Cluster"
PROVIDERS = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"


def deployed(deploy: Deploy, **args: Any) -> RecordingMonitor:
    given: Any = args
    return deploy(lambda: pulumi.export("cluster_arn", EcsCluster("flows", given).cluster_arn))


def test_without_arguments_it_is_named_as_the_component_and_not_measured(deploy: Deploy) -> None:
    monitor = deployed(deploy)

    own = monitor.named(TOKEN, "flows")
    assert {(item.type, item.parent) for item in monitor.own[1:]} == {(CLUSTER, own.urn), (PROVIDERS, own.urn)}
    assert monitor.named(CLUSTER, "flows").inputs == {
        "name": "flows",
        "settings": [{"name": "containerInsights", "value": "disabled"}],
    }
    assert monitor.named(PROVIDERS, "flows").inputs == {
        "clusterName": "flows",
        "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "defaultCapacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1}],
    }
    assert monitor.exports["cluster_arn"].value == "arn:aws:ecs:eu-west-1:123456789012:cluster/flows"


def test_with_all_arguments(deploy: Deploy) -> None:
    made = deployed(deploy, cluster_name="other", container_insights=True, tags={"team": "data"})

    assert made.named(CLUSTER, "flows").inputs == {
        "name": "other",
        "settings": [{"name": "containerInsights", "value": "enabled"}],
        "tags": {"team": "data"},
    }


def test_a_wrong_argument_is_refused(deploy: Deploy) -> None:
    with pytest.raises(ArgumentError, match="name is unknown, expected one of cluster_name"):
        deployed(deploy, name="x")
    assert deploy.monitor.own == []
