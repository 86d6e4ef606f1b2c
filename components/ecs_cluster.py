"""An ECS cluster whose tasks are on Fargate or Fargate Spot: a building block for environments."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.document import PACKAGE
from components.ecs_platform import FARGATE_PROVIDERS
from components.given import Given

INSIGHTS = {True: "enabled", False: "disabled"}
"""Values of the setting `containerInsights`."""


class EcsClusterArgs(TypedDict):
    """Arguments of an EcsCluster."""

    cluster_name: NotRequired[pulumi.Input[str]]
    """Its name. Default: the component's own name."""
    container_insights: NotRequired[pulumi.Input[bool]]
    """Whether CloudWatch measures its tasks, for which AWS asks money by the metric. Default: no."""
    tags: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Tags of it. Default: none."""


class EcsCluster(pulumi.ComponentResource):
    """A cluster with AWS' own capacity providers, of which FARGATE is the default."""

    cluster_arn: pulumi.Output[str]
    """Its ARN."""

    def __init__(self, name: str, args: EcsClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = Given(name, args, EcsClusterArgs)
        insights = given.derive(_insights, "container_insights")
        super().__init__(f"{PACKAGE}:index:EcsCluster", name, given.inputs, opts)

        child = pulumi.ResourceOptions(parent=self)
        cluster = aws.ecs.Cluster(
            name,
            name=given.inputs.get("cluster_name", name),
            # Said in any case: an account's own default would decide otherwise.
            settings=[{"name": "containerInsights", "value": insights}],
            tags=given.inputs.get("tags"),
            opts=child,
        )
        aws.ecs.ClusterCapacityProviders(
            name,
            cluster_name=cluster.name,
            capacity_providers=list(FARGATE_PROVIDERS),
            default_capacity_provider_strategies=[{"capacity_provider": FARGATE_PROVIDERS[0], "weight": 1}],
            opts=child,
        )
        self.cluster_arn = cluster.arn
        self.register_outputs({"clusterArn": self.cluster_arn})


def _insights(*, container_insights: bool = False) -> str:
    return INSIGHTS[container_insights]
