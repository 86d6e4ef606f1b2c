"""What is told of who may take a role."""

from typing import Any

import pytest

from stacks.review.finding import Finding, Weight
from stacks.review.findings import trust
from stacks.review.preview import Step
from stacks.review.values import SECRET, UNKNOWN
from tests.stacks.review.steps import step

ROLE = "aws:iam/role:Role"
NOTICE, WARNING, DANGER = Weight.NOTICE, Weight.WARNING, Weight.DANGER
TASKS, EVENTS = {"Service": "ecs-tasks.amazonaws.com"}, {"Service": "events.amazonaws.com"}
OTHER = {"AWS": "arn:aws:iam::222222222222:root"}
GITHUB = {"Federated": "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"}
OUTPUTS = {"arn": "arn:aws:iam::111111111111:role/thing"}


def role(principal: Any, **conditions: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return {"assumeRolePolicy": {"Statement": [{**statement, **({"Condition": conditions} if conditions else {})}]}}


def sub(value: Any, operator: str = "StringLike") -> dict[str, Any]:
    return {operator: {"token.actions.githubusercontent.com:sub": value}}


def told(change: Step) -> list[Finding]:
    return list(trust.check_trust(change))


ANYONE = [("trust-anyone", DANGER, "anyone with an account at AWS may take the role thing")]
CONDITION = [("trust-anyone", WARNING, "anyone who meets a condition may take the role thing")]
ISSUER = "token.actions.githubusercontent.com"
OPEN = [("trust-federated-open", DANGER, f"anyone whom {ISSUER} vouches for may take the role thing")]
STRANGERS = [
    ("trust-federated-open", DANGER, f"workloads of strangers whom {ISSUER} vouches for may take the role thing")
]
ALIKE = [
    ("trust-federated-open", WARNING, f"any branch or workload alike whom {ISSUER} vouches for may take the role thing")
]
NAMED = [("trust-changed", NOTICE, f"{GITHUB['Federated']} may take the role thing")]
ORGANISATION = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
CASES: list[Any] = [
    pytest.param(None, role(TASKS), [], id="a service"),
    pytest.param(role(TASKS), role(TASKS), [], id="nothing"),
    pytest.param(
        role(TASKS),
        role({"Service": [TASKS["Service"], EVENTS["Service"]]}),
        [("trust-changed", WARNING, "events.amazonaws.com may now take the role thing")],
        id="another service",
    ),
    pytest.param(
        role(TASKS, StringEquals={"aws:SourceAccount": "1"}),
        role(TASKS),
        [("trust-changed", WARNING, "ecs-tasks.amazonaws.com may now take the role thing")],
        id="a condition removed",
    ),
    pytest.param(role(TASKS), role(TASKS, StringEquals={"aws:SourceAccount": "1"}), [], id="narrower"),
    pytest.param(None, role("*"), ANYONE, id="anyone"),
    pytest.param(role(TASKS), role({"AWS": ["*"]}), ANYONE, id="anyone now"),
    pytest.param(role("*"), role("*"), [], id="anyone as before"),
    pytest.param(None, role("*", **ORGANISATION), CONDITION, id="an organisation"),
    pytest.param(
        role(TASKS),
        role(OTHER),
        [("trust-other-account", DANGER, f"{OTHER['AWS']} of another account may take the role thing")],
        id="another account",
    ),
    pytest.param(
        role(TASKS),
        role(OTHER, StringEquals={"sts:ExternalId": "x"}),
        [("trust-changed", WARNING, f"{OTHER['AWS']} may now take the role thing")],
        id="another account on a condition",
    ),
    pytest.param(
        role(TASKS),
        role({"AWS": "111111111111"}),
        [("trust-changed", WARNING, "111111111111 may now take the role thing")],
        id="one's own account",
    ),
    pytest.param(None, role(GITHUB), OPEN, id="any login"),
    pytest.param(None, role(GITHUB, StringEquals={f"{ISSUER}:aud": "sts.amazonaws.com"}), OPEN, id="only an audience"),
    pytest.param(None, role(GITHUB, **sub("repo:*")), STRANGERS, id="any repository"),
    pytest.param(None, role(GITHUB, **sub("repo:our/*")), STRANGERS, id="any repository of an organisation"),
    pytest.param(None, role(GITHUB, **sub("*")), STRANGERS, id="any subject"),
    pytest.param(None, role(GITHUB, **sub("repo:our/flows:*")), ALIKE, id="any branch"),
    pytest.param(None, role(GITHUB, **sub("repo:our/flows:ref:refs/heads/main")), NAMED, id="one branch"),
    pytest.param(None, role(GITHUB, **sub("x", "StringNotEquals")), OPEN, id="all but one"),
    pytest.param(
        role(GITHUB, **sub("repo:our/flows:ref:refs/heads/main")),
        role(GITHUB, **sub("repo:our/*")),
        STRANGERS,
        id="wider",
    ),
    pytest.param(
        role(TASKS),
        {"assumeRolePolicy": UNKNOWN},
        [("trust-changed", NOTICE, "who may take the role thing is known after the change only")],
        id="unknown",
    ),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES)
def test_who_may_take_a_role(before: Any, after: Any, expected: list[Any]) -> None:
    change = step(ROLE, before, after, old_outputs=OUTPUTS)
    assert [(one.rule.name, one.weight, str(one.what)) for one in told(change)] == expected


def test_the_element_that_differs_is_shown() -> None:
    change = step(ROLE, role(TASKS), role(EVENTS))
    assert [(one.field, one.before, one.after) for one in told(change)] == [
        ("assumeRolePolicy.Statement[0].Principal", TASKS, EVENTS)
    ]


@pytest.mark.parametrize("kind", ["Principal", "NotPrincipal", "Condition", "Effect", "Action"])
def test_no_shape_makes_it_fail(kind: str) -> None:
    for value in (None, UNKNOWN, SECRET, 1, "x", [], {}, [1], {"AWS": UNKNOWN}, {"AWS": [1, None]}, {"x": {"y": 1}}):
        entry = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*", kind: value}
        for policy in (value, {"Statement": value}, {"Statement": entry}):
            for old in (None, role(TASKS), {"assumeRolePolicy": value}):
                change = step(ROLE, old, {"assumeRolePolicy": policy}, old_outputs={"arn": value})
                assert all(str(one.what) for one in told(change))
