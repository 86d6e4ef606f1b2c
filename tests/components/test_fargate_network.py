"""What reaches runs of a FargateTaskEnvironment, what they reach, and the network that is created for them."""

import re

from tests.components.ecs import SECRET
from tests.components.fargate import EGRESS, ENDPOINT, FULL, GROUP, INGRESS, THEIRS, deployed, kinds
from tests.testbed.pulumi_mocks import VPC_CIDR, Deploy


def test_nothing_can_come_in_and_little_out(deploy: Deploy) -> None:
    monitor = deployed(deploy, THEIRS)

    assert INGRESS not in kinds(monitor)
    assert "ingress" not in monitor.named(GROUP, "flights-run").inputs
    rules = {item.name: item.inputs for item in monitor.own if item.type == EGRESS}
    assert {rule["fromPort"] for rule in rules.values()} == {443}
    assert {name: rule.get("cidrIpv4", rule.get("prefixListId")) for name, rule in rules.items()} == {
        "flights-run-endpoints": VPC_CIDR,
        "flights-run-s3": "pl-s3",
    }


def test_descriptions_of_groups_and_rules_are_such_as_aws_takes(deploy: Deploy) -> None:
    described = [
        item.inputs["description"]
        for args in (FULL, {"secrets": FULL["secrets"]}, {"egress_anywhere": True})
        for item in deployed(deploy, args).own
        if item.type in {GROUP, EGRESS, INGRESS}
    ]

    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
    assert [text for text in described if not re.fullmatch(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}", text)] == []


def test_everywhere_is_only_reached_when_it_is_asked_for(deploy: Deploy) -> None:
    monitor = deployed(deploy, THEIRS, egress_anywhere=True)

    rules = [item.inputs for item in monitor.own if item.type == EGRESS]
    assert {(rule["ipProtocol"], rule.get("cidrIpv4", rule.get("cidrIpv6"))) for rule in rules} == {
        ("-1", "0.0.0.0/0"),
        ("-1", "::/0"),
    }


def test_what_may_be_reached_beside_that(deploy: Deploy) -> None:
    rules = {item.name: item.inputs for item in deployed(deploy, FULL).own if item.type == EGRESS}

    assert set(rules) == {f"flights-run-{name}" for name in ("endpoints", "s3", "files", "10.0.0.0-8-5432")}
    assert rules["flights-run-10.0.0.0-8-5432"]["cidrIpv4"] == "10.0.0.0/8"
    assert rules["flights-run-files"]["fromPort"] == 2049


def test_an_endpoint_for_each_store_of_secrets_that_is_used(deploy: Deploy) -> None:
    monitor = deployed(deploy, secrets=[{"env": "TOKEN", "arn": SECRET}], enable_execute_command=True)
    endpoints = {item.name: item.inputs for item in monitor.own if item.type == ENDPOINT}

    names = ("ecr-api", "ecr-dkr", "logs", "s3", "secretsmanager", "ssmmessages")
    assert set(endpoints) == {f"flights-network-{name}" for name in names}
    assert endpoints["flights-network-s3"]["vpcEndpointType"] == "Gateway"
    assert endpoints["flights-network-ecr-api"]["serviceName"] == "com.amazonaws.eu-west-1.ecr.api"
    assert endpoints["flights-network-ecr-api"]["privateDnsEnabled"] is True
    rule = monitor.named(INGRESS, "flights-network-endpoints").inputs
    assert (rule["cidrIpv4"], rule["fromPort"], rule["toPort"]) == ("10.111.0.0/24", 443, 443)


def test_a_network_is_in_two_zones(deploy: Deploy) -> None:
    monitor = deployed(deploy, network_cidr="127.40.0.0/24", availability_zones=["eu-west-1b", "eu-west-1c"])

    subnets = [item.inputs for item in monitor.own if item.type == "aws:ec2/subnet:Subnet"]
    assert sorted((item["cidrBlock"], item["availabilityZone"]) for item in subnets) == [
        ("127.40.0.0/25", "eu-west-1b"),
        ("127.40.0.128/25", "eu-west-1c"),
    ]
    assert {item["mapPublicIpOnLaunch"] for item in subnets} == {False}
