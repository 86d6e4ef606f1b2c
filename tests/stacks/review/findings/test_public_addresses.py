"""What is told of public addresses and ways to the internet."""

from typing import Any

import pytest

from stacks.review.finding import Finding, Weight
from stacks.review.findings import public_addresses
from stacks.review.findings.public_address_types import BALANCERS, BY_BEING, OPENINGS
from stacks.review.preview import Op, Preview, Step
from stacks.review.values import SECRET, UNKNOWN
from tests.stacks.review.steps import step

NOTICE, WARNING, DANGER = Weight.NOTICE, Weight.WARNING, Weight.DANGER
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
CLOSED = dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True)
FARGATE = "penstock:index:FargateTaskEnvironment"
PARAMETER = "aws:ssm/parameter:Parameter"


def told(change: Step) -> list[Finding]:
    return list(public_addresses.check_addresses(change))


def environment(public: Any) -> dict[str, Any]:
    section = {"assign_public_ip": public}
    return {"insecureValue": {"schema_version": 1, "kind": "fargate-task", "fargate_task": section}}


ADDRESS, WAY_OUT, DATABASE, BUCKET = "public-address", "way-to-internet", "public-database", "public-bucket"
CASES: list[Any] = [
    (
        "aws:ecs/service:Service",
        {"networkConfiguration": {"assignPublicIp": False}},
        {"networkConfiguration": {"assignPublicIp": True}},
        (ADDRESS, WARNING, "tasks of the service thing get public addresses"),
        ("networkConfiguration.assignPublicIp", False, True),
    ),
    (
        "aws:ec2/subnet:Subnet",
        None,
        {"mapPublicIpOnLaunch": True},
        (ADDRESS, WARNING, "what starts in the subnet thing gets a public address"),
        ("mapPublicIpOnLaunch", None, True),
    ),
    (
        FARGATE,
        {},
        {"assign_public_ip": True},
        (ADDRESS, WARNING, "runs of thing get public addresses"),
        ("assign_public_ip", None, True),
    ),
    (
        PARAMETER,
        environment(False),
        environment(True),
        (ADDRESS, WARNING, "runs of prod get public addresses"),
        ("fargate_task.assign_public_ip", False, True),
    ),
    (
        "aws:rds/instance:Instance",
        {"publiclyAccessible": False},
        {"publiclyAccessible": True},
        (DATABASE, DANGER, "the database thing could be reached from the internet"),
        ("publiclyAccessible", False, True),
    ),
    (
        "aws:lb/loadBalancer:LoadBalancer",
        {"internal": True},
        {},
        (ADDRESS, DANGER, "anyone on the internet could reach the load balancer thing"),
        ("internal", True, None),
    ),
    (
        "aws:s3/bucketAcl:BucketAcl",
        {"acl": "private"},
        {"acl": "public-read"},
        (BUCKET, DANGER, "anyone on the internet could read the bucket thing"),
        ("acl", "private", "public-read"),
    ),
    (
        "aws:ec2/internetGateway:InternetGateway",
        None,
        {"vpcId": "vpc-1"},
        (WAY_OUT, WARNING, "the network of thing gets a way to and from the internet"),
        ("", None, None),
    ),
    (
        "aws:ec2/natGateway:NatGateway",
        None,
        {"subnetId": "subnet-1"},
        (WAY_OUT, NOTICE, "networks behind thing get a way to the internet"),
        ("", None, None),
    ),
    ("aws:ec2/eip:Eip", None, {}, (ADDRESS, NOTICE, "thing is a public address"), ("", None, None)),
    (
        BLOCK,
        {**CLOSED, "bucket": "flights"},
        {**CLOSED, "bucket": "flights", "blockPublicPolicy": False},
        (BUCKET, WARNING, "the bucket flights can be opened to everyone, without blockPublicPolicy"),
        ("blockPublicPolicy", True, False),
    ),
    (
        BLOCK,
        None,
        {**CLOSED, "blockPublicPolicy": False, "restrictPublicBuckets": False},
        (
            BUCKET,
            WARNING,
            "the bucket thing can be opened to everyone, without blockPublicPolicy and restrictPublicBuckets",
        ),
        ("", None, {"blockPublicPolicy": False, "restrictPublicBuckets": False}),
    ),
    (
        "aws:ec2/route:Route",
        None,
        {"destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"},
        (WAY_OUT, WARNING, "subnets of the route table of thing get a way to the internet"),
        ("gatewayId", None, {"destination": "0.0.0.0/0", "gatewayId": "igw-1"}),
    ),
    (
        "aws:ec2/routeTable:RouteTable",
        {"routes": [{"cidrBlock": "10.0.0.0/8", "gatewayId": "vgw-1"}]},
        {"routes": [{"cidrBlock": "0.0.0.0/0", "natGatewayId": UNKNOWN}]},
        (WAY_OUT, NOTICE, "subnets of the route table of thing get a way to the internet"),
        ("natGatewayId", None, {"destination": "0.0.0.0/0", "natGatewayId": UNKNOWN}),
    ),
]


@pytest.mark.parametrize(("type_", "before", "after", "expected", "shown"), CASES, ids=range(len(CASES)))
def test_what_gets_an_address_or_a_way(type_: str, before: Any, after: Any, expected: Any, shown: Any) -> None:
    found = told(step(type_, before, after))
    assert [(one.rule.name, one.weight, str(one.what)) for one in found] == [expected]
    assert [(one.field, one.before, one.after) for one in found] == [shown]
    assert found[0].options == (("assign_public_ip",) if type_ in (FARGATE, PARAMETER) else ())
    # Neither what was so before nor the way back is told.
    assert told(step(type_, after, after, op=Op.UPDATE)) == []
    if before is not None:
        assert told(step(type_, after, before)) == []


def test_a_balancer_that_is_inside_is_not_told() -> None:
    for type_ in BALANCERS:
        assert told(step(type_, None, {"internal": True})) == []
        assert [one.weight for one in told(step(type_, None, {}))] == [DANGER]
    assert told(step("aws:ec2/natGateway:NatGateway", None, {"connectivityType": "private"})) == []


def test_an_environment_is_told_once() -> None:
    ours = f"{FARGATE}${PARAMETER}"
    assert told(step(ours, environment(False), environment(True))) == []


def test_a_block_that_goes_with_its_bucket_is_not_told() -> None:
    def found(*steps: Step) -> list[str]:
        preview = Preview(stack="prod", steps=steps, counts={})
        return [str(one.what) for one in public_addresses.check_removed_blocks(preview)]

    block = step(BLOCK, {**CLOSED, "bucket": "flights"}, None)
    bucket = step("aws:s3/bucket:Bucket", {"bucket": "flights"}, None)
    assert found(block, bucket) == []
    assert found(block) == ["nothing keeps the bucket flights from being opened to everyone any more"]
    assert found(step(BLOCK, {"bucket": {}}, None), step("aws:s3/bucket:Bucket", {"bucket": UNKNOWN}, None)) != []


@pytest.mark.parametrize("type_", [*OPENINGS, *BY_BEING, *BALANCERS, BLOCK, FARGATE, PARAMETER, "aws:ec2/route:Route"])
def test_no_shape_makes_it_fail(type_: str) -> None:
    values: list[Any] = [None, UNKNOWN, SECRET, 1, "x", [], {}, [1], {"assignPublicIp": []}]
    keys = ("networkConfiguration", "assign_public_ip", "acl", "internal", "bucket", "gatewayId", "insecureValue")
    for value in values:
        for key in keys:
            new = {key: value, "destinationCidrBlock": "0.0.0.0/0"}
            for old in (None, {}, {key: value}):
                assert all(str(one.what) for one in told(step(type_, old, new, op=Op.UPDATE)))
