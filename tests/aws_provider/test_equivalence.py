"""Texts that mean the same to AWS, and those that do not."""

import json
from typing import Any

import pytest

from tests.aws_provider.specimens import SPECIMENS, TASK, TRUST, containers, policy
from tests.testbed.aws.provider.policies import canonical as canonical_policy
from tests.testbed.aws.provider.values import UNKNOWN
from tests.testbed.pulumi_aws import Direct

A, B = {"name": "A", "value": "1"}, {"name": "B", "value": "2"}
TASK_TYPE = SPECIMENS["task"].resource


def changed(direct: Direct, old: str, new: str) -> list[str]:
    one, other = ({**TASK, "containerDefinitions": text} for text in (old, new))
    diff = direct.diff(TASK_TYPE, one, other)
    assert list(diff.replaces) == list(diff.diffs)
    return list(diff.diffs)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"environment": [A, B]}, {"environment": [B, A]}),
        ({}, {"essential": True}),
        ({}, {"environment": []}),
        ({}, {"cpu": 0}),
        ({"portMappings": [{"containerPort": 80}]}, {"portMappings": [{"containerPort": 80, "protocol": "tcp"}]}),
        ({"portMappings": [{"containerPort": 80}]}, {"portMappings": [{"containerPort": 80, "hostPort": 80}]}),
    ],
)
def test_containers_that_mean_the_same_are_no_change(direct: Direct, old: dict[str, Any], new: dict[str, Any]) -> None:
    assert changed(direct, containers(**old), containers(**new)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"environment": [A]}, {"environment": [{**A, "value": "2"}]}),
        ({"command": ["a", "b"]}, {"command": ["b", "a"]}),
        ({}, {"readonlyRootFilesystem": True}),
        ({"cpu": 1}, {"cpu": 2}),
    ],
)
def test_other_containers_are_a_replacement(direct: Direct, old: dict[str, Any], new: dict[str, Any]) -> None:
    assert changed(direct, containers(**old), containers(**new)) == ["containerDefinitions"]


def test_policies_are_compared_by_meaning() -> None:
    document = json.loads(TRUST)
    document["Statement"][0]["Action"] = ["sts:AssumeRole"]
    assert canonical_policy(TRUST, {}) == canonical_policy(json.dumps(document, indent=2), {})
    everybody = (policy(Principal="*"), policy(Principal={"AWS": "*"}))
    assert canonical_policy(everybody[0], {}) == canonical_policy(everybody[1], {})
    assert canonical_policy(policy(), {}) != canonical_policy(policy("s3:PutObject"), {})


@pytest.mark.parametrize(
    ("short", "new", "replaced"),
    [
        ("role", {"name": "other"}, ["name"]),
        ("role", {"description": "other"}, []),
        ("cluster", {"name": "other"}, ["name"]),
        ("bucket", {"bucket": "other"}, ["bucket"]),
        ("task", {"memory": "1024"}, ["memory"]),
        ("log group", {"retentionInDays": 30}, []),
        ("vpc", {"cidrBlock": "10.8.0.0/16"}, ["cidrBlock"]),
        ("security group", {"description": "other"}, ["description"]),
        ("parameter", {"region": "eu-central-1"}, ["region"]),
        ("policy", {"description": "other"}, ["description"]),
    ],
)
def test_only_what_aws_cannot_change_is_replaced(
    direct: Direct, short: str, new: dict[str, Any], replaced: list[str]
) -> None:
    kind = SPECIMENS[short].resource
    old, _ = direct.check(kind, **SPECIMENS[short].inputs)
    diff = direct.diff(kind, old, {**old, **new})
    assert set(diff.diffs) == set(new)
    assert list(diff.replaces) == replaced


def test_an_ingress_rule_for_another_kind_of_source_is_replaced(direct: Direct) -> None:
    rule = SPECIMENS["ingress"]
    inputs = {**rule.inputs, "securityGroupId": "sg-0"}
    other = {k: v for k, v in inputs.items() if k != "cidrIpv4"} | {"referencedSecurityGroupId": "sg-1"}
    assert list(direct.diff(rule.resource, inputs, other).replaces) == ["cidrIpv4", "referencedSecurityGroupId"]


def test_what_is_unknown_at_preview_is_not_refused(direct: Direct) -> None:
    inputs, wrong = direct.check(TASK_TYPE, **{**TASK, "executionRoleArn": UNKNOWN, "containerDefinitions": UNKNOWN})
    assert wrong == []
    assert inputs["containerDefinitions"] is UNKNOWN
