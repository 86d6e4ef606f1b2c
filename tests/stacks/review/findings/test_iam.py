"""What is told of policies of roles, users and groups."""

import json
from typing import Any

import pytest

from stacks.review.finding import Finding, Weight
from stacks.review.findings import iam
from stacks.review.preview import Op, Step
from stacks.review.values import SECRET, UNKNOWN, at
from tests.stacks.review.steps import step, urn

POLICY, ROLE_POLICY = "aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy"
ROLE = "aws:iam/role:Role"
NOTICE, WARNING, DANGER = Weight.NOTICE, Weight.WARNING, Weight.DANGER
FLIGHTS = "arn:aws:s3:::flights/*"


def allow(action: Any, resource: Any, sid: str | None = "A", **more: Any) -> dict[str, Any]:
    return {**({"Sid": sid} if sid else {}), "Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, "No", **more), "Effect": "Deny"}


def policy(*statements: Any) -> dict[str, Any]:
    return {"policy": {"Version": "2012-10-17", "Statement": list(statements)}, "role": "loader"}


def told(change: Step) -> list[Finding]:
    return [finding for check in iam.STEP_CHECKS for finding in check(change)]


def lines(change: Step) -> list[tuple[str, Weight, str]]:
    return [(finding.rule.name, finding.weight, str(finding.what)) for finding in told(change)]


READ = allow("s3:GetObject", FLIGHTS)
RUN_ROLE = "arn:aws:iam::1:role/run"
TO_TASKS = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}

CASES: list[Any] = [
    pytest.param(
        [READ],
        [allow(["s3:GetObject", "s3:PutObject"], FLIGHTS)],
        [("iam-widened", WARNING, f"the role loader may now call s3:PutObject on {FLIGHTS}")],
        ("policy.Statement[A].Action", "s3:GetObject", ["s3:GetObject", "s3:PutObject"]),
        id="more calls",
    ),
    pytest.param(
        [READ],
        [allow("s3:GetObject", [FLIGHTS, "arn:aws:s3:::taxis/*"])],
        [("iam-widened", WARNING, "the role loader may now call s3:GetObject on arn:aws:s3:::taxis/*")],
        ("policy.Statement[A].Resource", FLIGHTS, [FLIGHTS, "arn:aws:s3:::taxis/*"]),
        id="more resources",
    ),
    pytest.param(
        [allow("s3:GetObject", FLIGHTS, Condition={"Bool": {"aws:SecureTransport": "true"}})],
        [READ],
        [("iam-widened", WARNING, f"the role loader may now call s3:GetObject on {FLIGHTS}")],
        ("policy.Statement[A].Condition", {"Bool": {"aws:SecureTransport": "true"}}, None),
        id="a condition removed",
    ),
    pytest.param(
        [READ, deny("s3:DeleteObject", FLIGHTS)],
        [READ],
        [
            (
                "iam-widened",
                WARNING,
                f"a Deny is gone or narrower that stopped the role loader from calling s3:DeleteObject on {FLIGHTS}",
            )
        ],
        ("policy.Statement[No]", {"Action": "s3:DeleteObject", "Resource": FLIGHTS}, None),
        id="a Deny removed",
    ),
    pytest.param(
        [READ],
        [READ, allow("sqs:SendMessage", "arn:aws:sqs:eu-west-1:1:jobs", "B")],
        [
            (
                "iam-statement-added",
                WARNING,
                "the role loader may now call sqs:SendMessage on arn:aws:sqs:eu-west-1:1:jobs",
            )
        ],
        ("policy.Statement[B]", None, {"Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:eu-west-1:1:jobs"}),
        id="a statement added",
    ),
    pytest.param(
        [READ],
        [READ, allow("sqs:GetQueueUrl", "arn:aws:sqs:eu-west-1:1:jobs", None)],
        [
            (
                "iam-statement-added",
                NOTICE,
                "the role loader may now call sqs:GetQueueUrl on arn:aws:sqs:eu-west-1:1:jobs",
            )
        ],
        ("policy.Statement[1]", None, {"Action": "sqs:GetQueueUrl", "Resource": "arn:aws:sqs:eu-west-1:1:jobs"}),
        id="a statement added that reads",
    ),
    pytest.param(
        [READ],
        [allow("s3:*", "*")],
        [("iam-wildcard-action", DANGER, "the role loader may make every call of s3 on every resource")],
        (
            "policy.Statement[A]",
            {"Action": "s3:GetObject", "Resource": FLIGHTS},
            {"Action": "s3:*", "Resource": "*"},
        ),
        id="all of a service on everything",
    ),
    pytest.param(
        [READ],
        [allow("s3:*", FLIGHTS)],
        [("iam-wildcard-action", WARNING, f"the role loader may make every call of s3 on {FLIGHTS}")],
        ("policy.Statement[A].Action", "s3:GetObject", "s3:*"),
        id="all of a service on one resource",
    ),
    pytest.param(
        [READ],
        [allow("s3:Put*", FLIGHTS)],
        [("iam-wildcard-action", WARNING, f"the role loader may call s3:Put* on {FLIGHTS}")],
        ("policy.Statement[A].Action", "s3:GetObject", "s3:Put*"),
        id="all that begins alike",
    ),
    pytest.param(
        [READ],
        [allow("iam:*", "arn:aws:iam::1:role/run")],
        [("iam-wildcard-action", DANGER, "the role loader may make every call of iam on arn:aws:iam::1:role/run")],
        None,
        id="all of IAM",
    ),
    pytest.param(
        [READ],
        [allow("*", "*")],
        [("iam-wildcard-action", DANGER, "the role loader may make every call on every resource")],
        None,
        id="everything",
    ),
    pytest.param(
        [READ],
        [{"Sid": "A", "Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
        [("iam-wildcard-action", DANGER, "the role loader may make every call but iam:* on every resource")],
        None,
        id="everything but",
    ),
    pytest.param(
        [READ],
        [{"Sid": "A", "Effect": "Allow", "Action": "s3:DeleteObject", "NotResource": FLIGHTS}],
        [
            (
                "iam-wildcard-resource",
                DANGER,
                f"the role loader may call s3:DeleteObject on every resource but {FLIGHTS}",
            )
        ],
        None,
        id="every resource but",
    ),
    pytest.param(
        [READ],
        [READ, allow(["sqs:SendMessage", "ec2:DescribeVpcs"], "*", "B")],
        [
            ("iam-wildcard-resource", DANGER, "the role loader may call sqs:SendMessage on every resource"),
            (
                "iam-statement-added",
                WARNING,
                "the role loader may now call sqs:SendMessage and ec2:DescribeVpcs on every resource",
            ),
        ],
        None,
        id="writes on every resource, with what has none",
    ),
    pytest.param(
        [READ],
        [allow("s3:GetObject", "arn:aws:s3:::*")],
        [("iam-wildcard-resource", NOTICE, "the role loader may call s3:GetObject on arn:aws:s3:::*")],
        ("policy.Statement[A].Resource", FLIGHTS, "arn:aws:s3:::*"),
        id="reads of everything",
    ),
    pytest.param(
        [READ],
        [READ, allow("secretsmanager:GetSecretValue", "*", "B")],
        [("iam-wildcard-resource", DANGER, "the role loader may call secretsmanager:GetSecretValue on every resource")],
        None,
        id="every secret",
    ),
    pytest.param(
        [READ],
        [READ, allow("iam:PassRole", RUN_ROLE, "B", Condition=TO_TASKS)],
        [("iam-pass-role", WARNING, f"the role loader may hand {RUN_ROLE} to ecs-tasks.amazonaws.com (iam:PassRole)")],
        None,
        id="a role handed on",
    ),
    pytest.param(
        [allow("iam:PassRole", RUN_ROLE, Condition=TO_TASKS)],
        [allow("iam:PassRole", "arn:aws:iam::1:role/*")],
        [("iam-pass-role", DANGER, "the role loader may hand every role to any service (iam:PassRole)")],
        None,
        id="every role handed on",
    ),
    pytest.param(
        [allow("s3:GetObject", FLIGHTS)],
        [allow("s3:GetObject", UNKNOWN)],
        [("iam-not-known", NOTICE, "what the role loader may do is known after the change only")],
        ("policy.Statement[A].Resource", FLIGHTS, UNKNOWN),
        id="a resource that is not known",
    ),
    pytest.param([allow("*", "*")], [allow("*", "*", "Renamed")], [], None, id="a hazard that was there"),
    pytest.param([allow("s3:*", "*")], [READ], [], None, id="narrower"),
    pytest.param([READ], [deny("s3:*", "*"), READ], [], None, id="a Deny added"),
    pytest.param(
        [allow(["s3:GetObject", "s3:PutObject"], FLIGHTS)],
        [allow("S3:getobject", FLIGHTS, "B"), allow(["s3:PutObject"], [FLIGHTS], "C")],
        [],
        None,
        id="split",
    ),
]


@pytest.mark.parametrize(("before", "after", "expected", "shown"), CASES)
def test_what_a_changed_policy_means(before: list[Any], after: list[Any], expected: list[Any], shown: Any) -> None:
    change = step(ROLE_POLICY, policy(*before), policy(*after))
    assert lines(change) == expected
    if shown:
        assert [(one.field, one.before, one.after) for one in told(change)] == [shown]


def test_a_new_policy_is_one_notice_however_much_it_allows() -> None:
    many = [allow("s3:GetObject", FLIGHTS), allow(["sqs:SendMessage", "sqs:ReceiveMessage"], "arn:aws:sqs:::q", "B")]
    assert lines(step(POLICY, None, policy(*many))) == [
        (
            "iam-statement-added",
            NOTICE,
            "the role loader may make 3 calls by a new policy, as s3:GetObject, sqs:SendMessage and sqs:ReceiveMessage",
        )
    ]
    assert lines(step(ROLE_POLICY, None, policy(READ))) == [
        ("iam-statement-added", NOTICE, f"the role loader may call s3:GetObject on {FLIGHTS}")
    ]


@pytest.mark.parametrize("op", [Op.CREATE, Op.UPDATE, Op.REPLACE])
def test_a_hazard_in_a_new_policy_weighs_as_one_in_a_changed_policy(op: Op) -> None:
    change = step(ROLE_POLICY, None, policy(allow("s3:*", "*")), op=op)
    assert lines(change) == [
        ("iam-wildcard-action", DANGER, "the role loader may make every call of s3 on every resource")
    ]


def test_policies_inside_a_role_are_read_too() -> None:
    inline = {"inlinePolicies": [{"name": "own", "policy": json.dumps(policy(allow("*", "*"))["policy"])}]}
    found = told(step(ROLE, {}, inline))
    assert [(one.field, str(one.what)) for one in found] == [
        ("inlinePolicies[own].policy.Statement[A]", "the role thing may make every call on every resource")
    ]


OURS = "penstock:index:DaskCloudProviderEnvironment$" + ROLE_POLICY
WHO = {
    "prod-own": ("runs of prod", ("task_role_statements",)),
    "prod-worker-own": ("workers of prod", ("task_role_statements",)),
    "flights-own": ("runs of flights", ("task_role_statements",)),
    "flights-worker-own": ("the role loader", ("task_role_statements",)),
    "prod-execution": ("the role by which ECS starts runs of prod", ("secrets", "image")),
    "prod-extra": ("the role loader", ()),
}


@pytest.mark.parametrize("name", WHO)
def test_who_is_named_only_where_it_is_certain(name: str) -> None:
    change = step(OURS, policy(READ), policy(allow("*", "*")), name=name)
    who, options = WHO[name]
    assert [(str(one.what), one.options) for one in told(change)] == [
        (f"{who} may make every call on every resource", options)
    ]


def test_what_runs_need_is_no_hazard_when_it_is_new() -> None:
    change = step(OURS, None, policy(allow("iam:PassRole", RUN_ROLE, Condition=TO_TASKS)), name="prod-task")
    assert lines(change) == [("iam-statement-added", NOTICE, f"runs of prod may call iam:PassRole on {RUN_ROLE}")]


def test_what_runs_need_may_move_with_their_environment_but_not_widen() -> None:
    def change(before: Any, after: Any) -> list[Any]:
        return lines(step(OURS, policy(*before), policy(*after), name="prod-task"))

    old = [READ, allow("iam:PassRole", RUN_ROLE, "B", Condition=TO_TASKS)]
    new = [
        allow("s3:GetObject", "arn:aws:s3:::taxis/*"),
        allow("iam:PassRole", f"{RUN_ROLE}-2", "B", Condition=TO_TASKS),
    ]
    assert change(old, new) == [("iam-widened", NOTICE, "the rights of runs of prod move to other resources")]
    assert change(new, [*old, allow("s3:GetObject", "arn:aws:s3:::taxis/*", "C")]) == [
        ("iam-widened", WARNING, f"runs of prod may now call s3:GetObject on {FLIGHTS}"),
        ("iam-widened", WARNING, f"runs of prod may now call iam:PassRole on {RUN_ROLE}"),
    ]
    assert change(old[1:], [allow("iam:PassRole", "*", "B", Condition=TO_TASKS)]) == [
        ("iam-pass-role", DANGER, "runs of prod may hand every role to ecs-tasks.amazonaws.com (iam:PassRole)")
    ]


MANAGED = {
    "AdministratorAccess": (DANGER, "the role loader may make nearly every call, by the policy AdministratorAccess"),
    "AmazonS3FullAccess": (
        DANGER,
        "the role loader may make every call that the policy AmazonS3FullAccess is about, on every resource",
    ),
    "Readers": (NOTICE, "the role loader may do what the policy Readers allows"),
}


@pytest.mark.parametrize("name", MANAGED)
def test_what_a_kept_policy_means(name: str) -> None:
    arn = f"arn:aws:iam::aws:policy/{name}"
    attached = {"role": "loader", "policyArn": arn}
    type_ = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    found = told(step(type_, None, attached))
    assert [(one.rule.name, one.weight, str(one.what), one.field, one.after) for one in found] == [
        ("iam-managed-policy", *MANAGED[name], "policyArn", arn)
    ]
    assert told(step(type_, attached, attached, op=Op.UPDATE)) == []
    moved = told(step(type_, {**attached, "role": "other"}, attached, op=Op.REPLACE))
    assert [one.weight for one in moved] == [MANAGED[name][0]]
    of_role = told(step(ROLE, {"managedPolicyArns": ["x"]}, {"managedPolicyArns": ["x", arn]}))
    assert [(one.field, one.after) for one in of_role] == [("managedPolicyArns", ["x", arn])]


@pytest.mark.parametrize("mark", [UNKNOWN, SECRET])
def test_a_hidden_policy_is_told_as_such(mark: Any) -> None:
    change = step(ROLE_POLICY, policy(READ), {"policy": mark, "role": "loader"})
    assert [(one.rule.name, one.weight, one.field, one.after) for one in told(change)] == [
        ("iam-not-known", NOTICE, "policy", mark)
    ]
    assert told(step(ROLE_POLICY, {"policy": mark}, {"policy": mark}, op=Op.UPDATE)) == []


ODD: tuple[Any, ...] = (None, UNKNOWN, SECRET, 1, True, "x", [], {}, [1], [UNKNOWN], {"x": 1}, [{"x": UNKNOWN}], [[]])


def odd(value: Any) -> list[Any]:
    keys = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "Condition")
    shapes = [value, {"Statement": value}, {"Statement": [value]}]
    return shapes + [{"Statement": [{**READ, key: value}]} for key in keys]


@pytest.mark.parametrize("type_", [POLICY, ROLE, "aws:s3/bucketPolicy:BucketPolicy", "aws:iam/userPolicy:UserPolicy"])
def test_no_shape_makes_it_fail(type_: str) -> None:
    for value in ODD:
        for shape in odd(value):
            for new in ({"policy": shape}, {"inlinePolicies": [{"policy": shape}]}, {"managedPolicyArns": shape}):
                for old in (None, policy(READ), {**new, "x": 1}):
                    for found in told(Step(urn=urn(type_), op=Op.UPDATE, old=old, new=new)):
                        assert str(found.what)
                        assert at(found.after) is not NotImplemented
