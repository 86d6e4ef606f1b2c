"""What is told of resources that are deleted or replaced."""

from typing import Any

import pytest

from stacks.review.finding import Finding, Weight
from stacks.review.findings import loss
from stacks.review.findings.losses import IN_NETWORKS, LOSSES, NETWORK
from stacks.review.preview import Op, Preview, Step
from stacks.review.values import SECRET, UNKNOWN
from tests.stacks.review.steps import step

NOTICE, WARNING, DANGER = Weight.NOTICE, Weight.WARNING, Weight.DANGER
NAMESPACE, LOGS = "kubernetes:core/v1:Namespace", "aws:cloudwatch/logGroup:LogGroup"
BUCKET, SECRET_TYPE = "aws:s3/bucket:Bucket", "aws:secretsmanager/secret:Secret"
PARAMETER, TASK = "aws:ssm/parameter:Parameter", "aws:ecs/taskDefinition:TaskDefinition"
ENVIRONMENT = "penstock:index:DaskCloudProviderEnvironment"
DOCUMENT = {"insecureValue": {"schema_version": 1, "kind": "fargate-task"}}


def told(change: Step) -> list[Finding]:
    return found_in(change)


def found_in(*steps: Step) -> list[Finding]:
    whole = loss.check_networks(Preview(stack="prod", steps=steps, counts={}))
    return [*(one for change in steps for one in loss.check_loss(change)), *whole]


def lines(change: Step) -> list[tuple[str, Weight, str]]:
    return [(one.rule.name, one.weight, str(one.what)) for one in told(change)]


DATA, RUNS, LEFT = "data-lost", "runs-interrupted", "left-behind"
DELETED: list[Any] = [
    (
        NAMESPACE,
        {},
        (RUNS, DANGER, "the namespace thing is deleted: everything in it is deleted, and flows that run in it end"),
    ),
    (LOGS, {}, (DATA, DANGER, "the log group thing is deleted: all logs in it are lost")),
    (LOGS, {"skipDestroy": True}, (LEFT, NOTICE, "the log group thing leaves the stack, but stays where it is")),
    (BUCKET, {"forceDestroy": True}, (DATA, DANGER, "the bucket thing is deleted: all objects in it are deleted")),
    (BUCKET, {}, (DATA, WARNING, "the bucket thing is deleted: that fails while objects are in it")),
    (
        SECRET_TYPE,
        {"recoveryWindowInDays": 0},
        (DATA, DANGER, "the secret thing is deleted: its value is lost"),
    ),
    (
        SECRET_TYPE,
        {},
        (
            DATA,
            WARNING,
            "the secret thing is deleted: what reads it fails, and it is gone once its recovery window is over",
        ),
    ),
    (
        "aws:rds/instance:Instance",
        {"skipFinalSnapshot": True},
        (DATA, DANGER, "the database thing is deleted: all data in it is lost, without a last snapshot"),
    ),
    (
        "aws:ecr/repository:Repository",
        {},
        (DATA, WARNING, "the repository thing is deleted: that fails while images are in it"),
    ),
    (
        "aws:kms/key:Key",
        {},
        (DATA, DANGER, "the key thing is deleted: what is encrypted with it can never be read again"),
    ),
    (
        "kubernetes:core/v1:ConfigMap",
        {},
        (DATA, NOTICE, "the ConfigMap thing is deleted: what reads it fails until there is another"),
    ),
    (TASK, {}, (RUNS, WARNING, "the task definition thing is deleted: no run can start from it any more")),
    (PARAMETER, {"type": "String"}, (DATA, WARNING, "the parameter thing is deleted: its value is lost")),
    (
        PARAMETER,
        DOCUMENT,
        (
            "environment-removed",
            WARNING,
            "the environment document of prod is deleted, and penstock env pull fails",
        ),
    ),
    (
        ENVIRONMENT,
        {},
        ("environment-removed", DANGER, "the environment thing is removed, and penstock run no longer finds it"),
    ),
]


@pytest.mark.parametrize(("type_", "old", "expected"), DELETED, ids=range(len(DELETED)))
def test_what_is_lost_by_a_deletion(type_: str, old: Any, expected: Any) -> None:
    assert lines(step(type_, old, None)) == [expected]


def test_a_replacement_says_which_property_forces_it() -> None:
    change = step(LOGS, {"name": "/a"}, {"name": "/b"}, op=Op.REPLACE, replace_reasons=("name",))
    assert [(str(one.what), one.field, one.before, one.after) for one in told(change)] == [
        ("the log group thing is replaced because name changes: all logs in it are lost", "name", "/a", "/b")
    ]
    change = step(LOGS, {}, {}, op=Op.REPLACE, replace_reasons=("name", "kmsKeyId"))
    assert [(str(one.what), one.field) for one in told(change)] == [
        ("the log group thing is replaced because name and kmsKeyId change: all logs in it are lost", "")
    ]
    volumes = [{"name": "x", "size": 1}], [{"name": "x", "size": 2}]
    change = step(
        "kubernetes:core/v1:PersistentVolumeClaim",
        {"spec": {"volumes": volumes[0]}},
        {"spec": {"volumes": volumes[1]}},
        op=Op.REPLACE,
        replace_reasons=("spec.volumes[0].size",),
    )
    assert [(one.field, one.before, one.after) for one in told(change)] == [("spec.volumes[0].size", 1, 2)]
    assert lines(step(LOGS, {}, {}, op=Op.REPLACE)) == [
        (DATA, DANGER, "the log group thing is replaced: all logs in it are lost")
    ]


@pytest.mark.parametrize("type_", [TASK, ENVIRONMENT, "kubernetes:core/v1:ResourceQuota", "aws:iam/policy:Policy"])
def test_what_is_replaced_without_loss_is_not_told(type_: str) -> None:
    assert lines(step(type_, {"x": 1}, {"x": 2}, op=Op.REPLACE, replace_reasons=("x",))) == []


def test_an_environment_document_is_replaced_without_loss() -> None:
    assert lines(step(PARAMETER, DOCUMENT, DOCUMENT, op=Op.REPLACE)) == []


@pytest.mark.parametrize("op", [Op.CREATE, Op.UPDATE, Op.SAME, Op.READ, Op.REFRESH, Op.IMPORT])
def test_what_stays_is_not_told(op: Op) -> None:
    assert all(lines(step(type_, {}, {}, op=op)) == [] for type_ in LOSSES)


@pytest.mark.parametrize(("op", "retained"), [(Op.DELETE, True), (Op.REPLACE, True), (Op.FORGET, False)])
def test_what_is_left_behind_is_no_loss(op: Op, retained: bool) -> None:
    assert lines(step(NAMESPACE, {}, None, op=op, retained=retained)) == [
        (LEFT, NOTICE, "the namespace thing leaves the stack, but stays where it is")
    ]
    assert lines(step(ENVIRONMENT, {}, None, op=Op.FORGET)) == [
        (LEFT, NOTICE, "the environment thing leaves the stack, but stays where it is")
    ]


def test_protection() -> None:
    removed = step(BUCKET, {}, {}, op=Op.UPDATE, protected_before=True)
    assert [(one.rule.name, one.weight, str(one.what), one.field, one.before, one.after) for one in told(removed)] == [
        ("protection-removed", WARNING, "thing is no longer protected: Pulumi would delete it", "protect", True, False)
    ]
    assert lines(step(BUCKET, {}, {}, op=Op.UPDATE, protected_before=True, protected_after=True)) == []
    for op, verb in ((Op.DELETE, "deleted"), (Op.REPLACE, "replaced")):
        assert lines(step(BUCKET, {"forceDestroy": True}, None, op=op, protected_before=True)) == [
            ("protected-deleted", DANGER, f"thing is to be {verb} and is protected: Pulumi refuses")
        ]


def test_parts_of_a_network_are_not_told_beside_it() -> None:
    parts = [step(type_, {}, None) for type_ in IN_NETWORKS]
    assert [one.rule.name for one in found_in(*parts)] == [RUNS] * 3
    assert [str(one.what) for one in found_in(step(NETWORK, {}, None), *parts)] == [
        "the network thing is deleted: running flows have to end"
    ]


def test_options_are_told_of_our_own_resources_only() -> None:
    assert [one.options for one in told(step(LOGS, {}, None))] == [()]
    assert [one.options for one in told(step(f"{ENVIRONMENT}${LOGS}", {}, None))] == [("log_group_name",)]
    assert [one.options for one in told(step(ENVIRONMENT, {}, None))] == [("kind", "environment_name")]


def test_no_shape_makes_it_fail() -> None:
    values: list[Any] = [None, UNKNOWN, SECRET, 1, "x", [], [1]]
    for type_ in LOSSES:
        for value in values:
            old = {"forceDestroy": value, "skipDestroy": value, "insecureValue": value, "data": value, "name": value}
            for op in (Op.DELETE, Op.REPLACE, Op.FORGET):
                for reasons in ((), ("name",), ("name[3].x",), ("]]",), ("", "x")):
                    for side in (old, None):
                        found = told(step(type_, side, None, op=op, replace_reasons=reasons))
                        assert all(str(one.what) for one in found)
