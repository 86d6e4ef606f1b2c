"""A network alone; with an environment it is tested in test_fargate_task."""

from typing import Any

import pulumi
import pytest

from components.given import ArgumentError
from components.network import Network
from tests.testbed.pulumi_mocks import Deploy, RecordingMonitor

TOKEN = "penstock:index:Network"  # noqa: S105 a type token
ENDPOINT, GROUP = "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/securityGroup:SecurityGroup"


def deployed(deploy: Deploy, **args: Any) -> RecordingMonitor:
    given: Any = args

    def program() -> None:
        network = Network("net", given)
        for name in ("vpc_id", "subnet_ids", "cidr", "s3_prefix_list_id"):
            pulumi.export(name, getattr(network, name))

    return deploy(program)


def test_it_has_two_subnets_a_door_to_s3_and_no_other_way_out(deploy: Deploy) -> None:
    monitor = deployed(deploy)

    kinds = sorted(item.type.rpartition(":")[2] for item in monitor.own)
    assert kinds == sorted(
        ["Network", "Vpc", "Subnet", "Subnet", "RouteTable", *2 * ["RouteTableAssociation"], "VpcEndpoint"]
    )
    assert "routes" not in monitor.named("aws:ec2/routeTable:RouteTable", "net-private").inputs
    assert monitor.named(ENDPOINT, "net-s3").inputs["vpcEndpointType"] == "Gateway"
    assert {name: item.value for name, item in monitor.exports.items()} == {
        "vpc_id": "net-id",
        "subnet_ids": ["net-a-id", "net-b-id"],
        "cidr": "10.111.0.0/24",
        "s3_prefix_list_id": "pl-s3",
    }


def test_an_endpoint_is_in_both_subnets_and_reached_from_the_network_only(deploy: Deploy) -> None:
    monitor = deployed(deploy, network_cidr="127.40.0.0/24", services=["ecr.api"], tags={"team": "data"})

    endpoint = monitor.named(ENDPOINT, "net-ecr-api").inputs
    assert endpoint["serviceName"] == "com.amazonaws.eu-west-1.ecr.api"
    assert (endpoint["subnetIds"], endpoint["securityGroupIds"]) == (["net-a-id", "net-b-id"], ["net-endpoints-id"])
    rule = monitor.named("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "net-endpoints").inputs
    assert (rule["cidrIpv4"], rule["ipProtocol"], rule["fromPort"]) == ("127.40.0.0/24", "tcp", 443)
    assert endpoint["tags"] == {"team": "data", "Name": "net-ecr-api"}


def test_everything_is_the_networks_own(deploy: Deploy) -> None:
    monitor = deployed(deploy, services=["logs"])
    own = monitor.named(TOKEN, "net")

    assert {item.parent for item in monitor.own if item != own} == {own.urn}


def test_addresses_that_are_none_are_refused(deploy: Deploy) -> None:
    with pytest.raises(ArgumentError, match="network_cidr is"):
        deployed(deploy, network_cidr="10.0.0.0/8")
    assert deploy.monitor.own == []
