"""From previews to a report: order, what is folded, what is noise, and where each finding points."""

from pathlib import Path
from typing import Any

import pytest

from stacks.review.finding import Weight
from stacks.review.preview import Op, Preview, Step
from stacks.review.report import Report
from stacks.review.reporting import report
from tests.stacks.review.steps import STACK, step

ENVIRONMENT = "penstock:index:DaskCloudProviderEnvironment"
RULE, POLICY, LOGS = (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:iam/policy:Policy",
    "aws:cloudwatch/logGroup:LogGroup",
)
OPEN = {"cidrIpv4": "0.0.0.0/0", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "securityGroupId": "sg-1"}


def made(*steps: Step, folder: Path = Path("/none"), stack: str = STACK) -> Report:
    return report([Preview(stack=stack, steps=steps, counts={})], stack_files=folder)


def allowing(*actions: str) -> dict[str, Any]:
    return {"policy": {"Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": ["arn:aws:s3:::a/*"]}]}}


def test_the_heaviest_finding_comes_first_whatever_the_order_of_the_preview() -> None:
    steps = (
        step(POLICY, allowing("s3:GetObject"), allowing("s3:GetObject", "s3:PutObject"), name="read"),
        step(RULE, None, OPEN, name="in"),
    )

    orders = [made(*steps), made(*reversed(steps))]

    assert orders[0] == orders[1]
    assert [told.weight for told in orders[0].findings] == [Weight.DANGER, Weight.WARNING]
    assert orders[0].heaviest() == Weight.DANGER


def test_what_a_finding_tells_is_not_told_again_among_the_rest() -> None:
    changed = {**OPEN, "description": "for all"}

    assert made(step(RULE, None, OPEN)).rows == ()
    [row] = made(step(RULE, {**OPEN, "cidrIpv4": "10.0.0.0/8"}, changed)).rows
    assert (row.name, row.op) == ("thing", "update")
    assert [(field.path, field.before, field.after) for field in row.fields] == [("description", None, "for all")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"name": "a", "tags": {"x": "1"}}, {"name": "a", "tags": {"x": "2"}, "tagsAll": {"x": "2"}}),
        ({"name": "a", "__defaults": []}, {"name": "a", "__defaults": ["name"]}),
        ({"name": "a", "list": ["x", "y"]}, {"name": "a", "list": ["y", "x"]}),
        ({"metadata": {"labels": {"team": "a"}}}, {"metadata": {"labels": {"team": "b"}, "annotations": {"x": "y"}}}),
    ],
    ids=range(4),
)
def test_changes_that_mean_nothing_are_counted_and_not_told(old: Any, new: Any) -> None:
    found = made(step("some:thing:Type", old, new))

    assert (found.rows, found.findings, found.stacks[0].noise) == ((), (), 1)


def test_labels_that_kubernetes_acts_upon_are_no_noise() -> None:
    labels = {"metadata": {"labels": {"topology.kubernetes.io/zone": "b"}}}

    [row] = made(step("kubernetes:core/v1:Node", {"metadata": {}}, labels)).rows
    assert [field.path for field in row.fields] == ["metadata.labels.topology.kubernetes.io/zone"]


def test_protection_is_told_of_a_resource_that_stays_the_same() -> None:
    same: dict[str, Any] = {"op": Op.SAME, "protected_before": True}

    [told] = made(step("aws:s3/bucket:Bucket", {"bucket": "a"}, {"bucket": "a"}, **same)).findings
    assert told.weight >= Weight.WARNING
    assert made(step("aws:s3/bucket:Bucket", {}, {}, protected_after=True, **same)).findings == ()


def test_a_finding_points_to_the_option_that_was_edited(tmp_path: Path) -> None:
    (tmp_path / f"Pulumi.{STACK}.yaml").write_text(
        "config:\n  penstock:kind: x\n  # penstock:egress: no\n  'penstock:egress':\n    - {}\n  penstock:image: y\n"
    )
    rule = f"{ENVIRONMENT}$aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    out = step(rule, None, OPEN, name=f"{STACK}-run-0.0.0.0-0-all")
    old, new = {"image": "a"}, {"image": "a", "egress": [{"cidr": "0.0.0.0/0"}]}

    [alone] = made(step(ENVIRONMENT, old, new), out, folder=tmp_path).findings
    [among] = made(step(ENVIRONMENT, old, {**new, "env": {"A": "b"}}), out, folder=tmp_path).findings[:1]
    [nobody] = made(out).findings

    assert (alone.pointer.file, alone.pointer.options, alone.pointer.line) == (
        f"stacks/Pulumi.{STACK}.yaml",
        ("egress",),
        4,
    )
    assert among.pointer == alone.pointer
    assert (nobody.pointer.file, nobody.pointer.line) == (f"stacks/Pulumi.{STACK}.yaml", None)


@pytest.mark.parametrize("stack", ["../../etc/passwd", "a b", "", "`x`", "a/b"])
def test_a_name_that_no_stack_has_is_no_path(stack: str) -> None:
    [told] = made(step(RULE, None, OPEN), stack=stack).findings

    assert (told.pointer.file, told.pointer.line) == ("", None)


def test_parts_of_an_environment_that_is_removed_are_told_with_it_unless_they_are_a_danger() -> None:
    found = made(
        step(ENVIRONMENT, {"environment_name": "prod"}, None, name="prod"),
        step(f"{ENVIRONMENT}${LOGS}", {"name": "/penstock/prod"}, None, name="prod-log"),
        step(f"{ENVIRONMENT}$aws:iam/role:Role", {"name": "prod"}, None, name="prod-task"),
        step(f"{ENVIRONMENT}$aws:iam/role:Role", {"name": "other"}, None, name="other-task"),
        step("aws:iam/role:Role", {"name": "reader"}, None, name="prod-reader"),
    )

    assert {told.name: told.weight for told in found.findings} == {
        "prod": Weight.DANGER,
        "prod-log": Weight.DANGER,
        "other-task": Weight.WARNING,
        "prod-reader": Weight.WARNING,
    }
