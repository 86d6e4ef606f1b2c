"""Types of resources that are public, or become it by a property."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stacks.review.finding import Rule, Weight

ADDRESS = Rule(
    name="public-address",
    tells="tasks, instances or a load balancer get public addresses",
    why="With a public address only the security group is between the internet and what listens.",
)
WAY_OUT = Rule(
    name="way-to-internet",
    tells="a network gets a gateway or a route to the internet",
    why="What was closed by the lack of a way is now closed by rules alone.",
)
DATABASE = Rule(
    name="public-database",
    tells="a database, a cluster or a registry can be reached from the internet",
    why="Its password is all that is left to keep strangers out.",
)
BUCKET = Rule(
    name="public-bucket",
    tells="a bucket can be opened to everyone, or is",
    why="Whoever guesses its name can read what is in it.",
)
PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read")
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl"""


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A property of a type that opens it to the internet."""

    path: tuple[str | int, ...]
    """Where it is."""
    values: tuple[Any, ...]
    """What it must be for that."""
    rule: Rule
    weight: Weight
    text: str
    """What that means, about the resource's name."""


def _public(path: tuple[str | int, ...], text: str, rule: Rule = DATABASE, weight: Weight = Weight.DANGER) -> Opening:
    return Opening(path=path, values=(True, "true", "ENABLED"), rule=rule, weight=weight, text=text)


_TASKS = _public(
    ("networkConfiguration", "assignPublicIp"), "tasks of the service {} get public addresses", ADDRESS, Weight.WARNING
)
_BOTH_WAYS = "the network of {} gets a way to and from the internet"
_REACHED = "{} could be reached from the internet"
OPENINGS: Mapping[str, tuple[Opening, ...]] = {
    "aws:ecs/service:Service": (_TASKS,),
    "aws:ec2/subnet:Subnet": (
        _public(
            ("mapPublicIpOnLaunch",), "what starts in the subnet {} gets a public address", ADDRESS, Weight.WARNING
        ),
    ),
    "aws:ec2/instance:Instance": (
        _public(("associatePublicIpAddress",), "the instance {} gets a public address", ADDRESS, Weight.WARNING),
    ),
    "aws:rds/instance:Instance": (_public(("publiclyAccessible",), f"the database {_REACHED}"),),
    "aws:rds/clusterInstance:ClusterInstance": (_public(("publiclyAccessible",), f"the database {_REACHED}"),),
    "aws:redshift/cluster:Cluster": (_public(("publiclyAccessible",), f"the warehouse {_REACHED}"),),
    "aws:redshiftserverless/workgroup:Workgroup": (_public(("publiclyAccessible",), f"the warehouse {_REACHED}"),),
    "aws:mq/broker:Broker": (_public(("publiclyAccessible",), f"the broker {_REACHED}"),),
    "aws:dms/replicationInstance:ReplicationInstance": (
        _public(("publiclyAccessible",), f"the replication instance {_REACHED}"),
    ),
    **{
        f"aws:s3/{kind}": (
            Opening(
                path=("acl",),
                values=PUBLIC_ACLS,
                rule=BUCKET,
                weight=Weight.DANGER,
                text="anyone on the internet could read the bucket {}",
            ),
        )
        for kind in ("bucket:Bucket", "bucketV2:BucketV2", "bucketAcl:BucketAcl", "bucketAclV2:BucketAclV2")
    },
}
"""Properties that open a resource when they are set."""
BY_BEING: Mapping[str, tuple[Weight, str]] = {
    "aws:ec2/internetGateway:InternetGateway": (
        Weight.WARNING,
        "the network of {} gets a way to and from the internet",
    ),
    "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment": (
        Weight.WARNING,
        "the network of {} gets a way to and from the internet",
    ),
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": (
        Weight.NOTICE,
        "the network of {} gets a way to the internet",
    ),
    "aws:ec2/natGateway:NatGateway": (Weight.NOTICE, "networks behind {} get a way to the internet"),
    "aws:ec2/eip:Eip": (Weight.NOTICE, "{} is a public address"),
}
"""Types that open something by being there."""
BALANCERS = (
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:alb/loadBalancer:LoadBalancer",
    "aws:elb/loadBalancer:LoadBalancer",
)
"""Types that are public unless `internal` is set."""
