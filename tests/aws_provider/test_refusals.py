"""Wrong programs that are refused before anything is made, each with the sentence that says why."""

import json
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest

from tests.aws_provider.specimens import SPECIMENS, TASK, TRUST, containers, policy
from tests.testbed.pulumi_aws import Direct

AWSLOGS = {"logDriver": "awslogs", "options": {}}
RULE = SPECIMENS["ingress"].inputs | {"securityGroupId": "sg-0"}
LIFECYCLE = {"id": "a", "status": "Enabled", "filter": {}, "expiration": {"days": 1}}

FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("task", {**TASK, "executionRole": "x"}, "executionRole: pulumi_aws 7.51.1 has no such input"),
    ("task", {k: v for k, v in TASK.items() if k != "family"}, "family: this input is required, and missing"),
    ("task", {**TASK, "cpu": 256}, "cpu: expected a text, got 256"),
    ("task", {**TASK, "enableFaultInjection": True}, "enableFaultInjection: the test provider does not model"),
    ("task", {**TASK, "networkMode": "aws-vpc"}, "networkMode: Fargate has awsvpc only, got 'aws-vpc'"),
    ("task", {**TASK, "containerDefinitions": "[{"}, "containerDefinitions: expected a list of containers as JSON"),
    ("task", {**TASK, "containerDefinitions": containers(enviroment=[])}, "ContainerDefinition of AWS has no such key"),
    (
        "task",
        {**TASK, "containerDefinitions": containers(portMappings=[{"containerPort": "80"}])},
        "containerDefinitions[0].portMappings[0].containerPort: expected a number, got '80'",
    ),
    (
        "task",
        {**TASK, "containerDefinitions": containers(logConfiguration={"logDriver": "cloudwatch"})},
        "containerDefinitions[0].logConfiguration.logDriver: expected one of json-file",
    ),
    ("task", {**TASK, "containerDefinitions": json.dumps([{"name": "a"}])}, "a container needs `image`"),
    ("task", {**TASK, "memory": "8192"}, "memory: with 256 CPU units Fargate has 512, 1,024, 2,048 MiB, got '8192'"),
    ("task", {**TASK, "cpu": "lots"}, "cpu: Fargate has 256, 512"),
    (
        "task",
        {**TASK, "containerDefinitions": containers(logConfiguration=AWSLOGS)},
        "executionRoleArn: Fargate needs one for the log driver awslogs",
    ),
    ("task", {**TASK, "containerDefinitions": containers(stopTimeout=121)}, "at most 120 s to stop, got 121"),
    ("task", {**TASK, "containerDefinitions": containers(memory=1024)}, "at most the task's 512 MiB, got 1,024"),
    ("task", {"family": "p", "containerDefinitions": containers()}, "expected `memory` or `memoryReservation`"),
    ("capacity", {"clusterName": "c", "capacityProviders": "FARGATE"}, "capacityProviders: expected a list"),
    (
        "capacity",
        {"clusterName": "c", "defaultCapacityProviderStrategies": [{"capacity_provider": "FARGATE"}]},
        "defaultCapacityProviderStrategies[0].capacity_provider: pulumi_aws 7.51.1 has no such input",
    ),
    ("policy", {"policy": policy(Effect="Alow")}, "Statement[0]: expected the Effect Allow or Deny, got 'Alow'"),
    ("policy", {"policy": policy(Resuorce="*")}, "Statement[0]: a statement has no Resuorce"),
    ("policy", {"policy": policy(Principal="*")}, "Statement[0]: expected no Principal in a policy of this kind"),
    ("policy", {"policy": policy("GetObject")}, "expected actions as service:Name, got 'GetObject'"),
    ("policy", {"policy": "{}"}, "policy: expected a policy: an object with Version and Statement"),
    ("role", {"assumeRolePolicy": "nope"}, "assumeRolePolicy: expected a policy as JSON, got a text that is none"),
    ("role", {"assumeRolePolicy": policy()}, "Statement[0]: expected Principal or NotPrincipal, got neither"),
    ("role", {"assumeRolePolicy": TRUST, "name": "r" * 65}, "RoleName: expected at most 64 characters, got 65"),
    ("role", {"assumeRolePolicy": TRUST, "namePrefix": "x"}, "namePrefix: the test provider does not model this input"),
    ("role", {"assumeRolePolicy": TRUST, "tags": {"aws:x": "y"}}, "tags: AWS keeps keys that start with aws:"),
    ("log group", {"retentionInDays": 8}, "retentionInDays: expected one of 1, 3, 5, 7"),
    ("log group", {"name": "/p/a b"}, "expected a text that matches"),
    ("vpc", {"cidrBlock": "10.0.0.1/16"}, "cidrBlock: expected a block of addresses"),
    ("ingress", {**RULE, "cidrIpv4": "10.0.0.1/8"}, "cidrIpv4: expected a block of addresses"),
    ("ingress", {k: v for k, v in RULE.items() if k != "cidrIpv4"}, "expected exactly one of cidrIpv4"),
    ("ingress", {**RULE, "cidrIpv6": "::/0"}, "got cidrIpv4 and cidrIpv6"),
    ("ingress", {**RULE, "toPort": 70000}, "toPort: expected at most 65535, got 70000"),
    ("egress", {**RULE, "ipProtocol": "-1"}, "fromPort: a rule for all protocols has no ports"),
    ("parameter", {"type": "Text", "value": "x"}, "Type: expected one of String, StringList, SecureString, got 'Text'"),
    ("parameter", {"type": "String"}, "value: expected one of value and insecureValue, got neither"),
    ("parameter", {"type": "String", "insecureValue": "x" * 4097}, "expected 1 to 4,096 bytes in the tier Standard"),
    ("parameter", {"type": "String", "value": "x", "name": "/aws/x"}, "name: AWS keeps names that start with aws"),
    ("bucket", {"bucket": "Not_A_Bucket"}, "bucket: expected a text that matches"),
    ("lifecycle", {"bucket": "b", "rules": [{**LIFECYCLE, "status": "On"}]}, "expected one of Enabled, Disabled"),
    ("lifecycle", {"bucket": "b", "rules": [{"id": "a", "status": "Enabled"}]}, "a rule needs at least one action"),
    ("lifecycle", {"bucket": "b", "rules": [{**LIFECYCLE, "expiration": {"days": 0}}]}, "at least 1 day, got 0"),
    ("encryption", {"bucket": "b", "rules": [{"bucketKeyEnabled": "yes"}]}, "expected true or false, got 'yes'"),
    ("secret", {"recoveryWindowInDays": 3}, "recoveryWindowInDays: expected 0, or 7 to 30 days, got 3"),
    (
        "gateway endpoint",
        {"vpcId": "v", "serviceName": "com.amazonaws.eu-west-1.s3", "subnetIds": ["s"]},
        "subnetIds: only an endpoint of type Interface has it",
    ),
]


@pytest.mark.parametrize(("short", "inputs", "sentence"), FAULTS, ids=[sentence for *_, sentence in FAULTS])
def test_it_is_refused_at_preview(direct: Direct, short: str, inputs: dict[str, Any], sentence: str) -> None:
    _, wrong = direct.check(SPECIMENS[short].resource, **inputs)
    assert any(sentence in reason for reason in wrong), wrong


def refusal(direct: Direct, verb: str, *arguments: Any, **given: Any) -> str:
    with pytest.raises(grpc.RpcError) as refused:
        getattr(direct, verb)(*arguments, **given)
    return str(refused.value.details())


def test_a_type_that_is_not_modelled_is_refused(direct: Direct) -> None:
    sentence = "checking probe: the test provider does not model the type aws:sqs/queue:Queue; add it to its tables."
    assert refusal(direct, "check", "aws:sqs/queue:Queue") == sentence


def test_a_function_that_is_not_modelled_is_refused(direct: Direct) -> None:
    assert "does not model the function aws:sqs/getQueue:getQueue" in refusal(
        direct, "invoke", "aws:sqs/getQueue:getQueue"
    )


def test_what_aws_refuses_is_told(direct: Direct) -> None:
    inputs, wrong = direct.check("aws:ec2/subnet:Subnet", vpcId="vpc-0", cidrBlock="10.0.0.0/24")
    assert wrong == []
    assert "InvalidVpcID.NotFound" in refusal(direct, "create", "aws:ec2/subnet:Subnet", **inputs)


@pytest.mark.parametrize(
    "url", ["https://ecs.eu-west-1.amazonaws.com", "http://10.0.0.1:5000", "http://127.0.0.1.x.com"]
)
def test_an_endpoint_that_is_not_on_this_machine_is_refused(direct: Direct, url: str) -> None:
    sentence = refusal(direct, "configure", region="eu-west-1", endpoints=[{"ecs": url}])
    assert f"talks to this machine only, got the endpoint {url!r}" in sentence


def test_an_unknown_setting_is_refused(direct: Direct) -> None:
    assert "does not model the setting assumeRole;" in refusal(direct, "configure", assumeRole="x")


def test_an_account_that_is_not_allowed_is_refused(direct: Direct) -> None:
    sentence = refusal(direct, "configure", region="eu-west-1", allowedAccountIds=["210987654321"])
    assert "The account 123456789012 is none of those allowed: 210987654321." in sentence
