"""What is told of policies that say who may do what with a resource."""

from typing import Any

import pytest

from stacks.review.finding import Weight
from stacks.review.findings import iam
from stacks.review.findings.iam_statements import matches
from stacks.review.preview import Op, Step
from tests.stacks.review.steps import step

BUCKET, QUEUE = "aws:s3/bucketPolicy:BucketPolicy", "aws:sqs/queuePolicy:QueuePolicy"
NOTICE, WARNING, DANGER = Weight.NOTICE, Weight.WARNING, Weight.DANGER


def policy(principal: Any, effect: str = "Allow", action: Any = "sqs:SendMessage", **more: Any) -> dict[str, Any]:
    statement = {"Sid": "A", "Effect": effect, "Principal": principal, "Action": action, "Resource": "*", **more}
    return {"policy": {"Statement": [statement]}}


def lines(change: Step) -> list[tuple[str, Weight, str]]:
    return [(one.rule.name, one.weight, str(one.what)) for check in iam.STEP_CHECKS for one in check(change)]


ANYONE = [("iam-public-principal", DANGER, "anyone, from any account, may call sqs:SendMessage on thing")]
OWN = {"StringEquals": {"aws:SourceAccount": "1"}}
TLS = {"Bool": {"aws:SecureTransport": "true"}}
CONFINED = [
    ("iam-public-principal", WARNING, "anyone who meets a condition may call sqs:SendMessage on thing"),
]
OTHER = {"AWS": ["arn:aws:iam::2:root"]}
CASES: list[Any] = [
    pytest.param(None, policy("*"), ANYONE, id="anyone"),
    pytest.param(policy(OTHER), policy({"AWS": "*"}), ANYONE, id="anyone now"),
    pytest.param(None, policy("*", Condition=TLS), ANYONE, id="anyone by TLS"),
    pytest.param(
        None,
        policy("*", Condition=OWN),
        [("iam-statement-added", NOTICE, "anyone may call sqs:SendMessage on thing")],
        id="an account of one's own",
    ),
    pytest.param(policy(OTHER), policy("*", Condition=OWN), CONFINED, id="an account of one's own now"),
    pytest.param(policy("*", Condition=OWN), policy("*"), ANYONE, id="the condition removed"),
    pytest.param(
        policy(OTHER),
        policy({"AWS": ["arn:aws:iam::2:root", "arn:aws:iam::3:root"]}),
        [
            (
                "iam-widened",
                WARNING,
                "arn:aws:iam::2:root and arn:aws:iam::3:root may now call sqs:SendMessage on thing",
            )
        ],
        id="another account",
    ),
    pytest.param(
        policy("*", "Deny", "s3:*", Condition=TLS),
        policy("*", "Deny", "s3:GetObject", Condition=TLS),
        [
            (
                "iam-widened",
                WARNING,
                "a Deny is gone or narrower that stopped anyone from calling s3:* on thing",
            )
        ],
        id="a Deny narrower",
    ),
    pytest.param(None, policy("*", "Deny", "s3:*"), [], id="a Deny"),
    pytest.param(policy("*"), policy("*"), [], id="nothing"),
    pytest.param(policy("*"), policy(OTHER), [], id="narrower"),
    pytest.param(
        None,
        policy({"AWS": "arn:aws:iam::1:root"}, action="kms:*"),
        [("iam-statement-added", NOTICE, "arn:aws:iam::1:root may make every call of kms on thing")],
        id="the usual policy of a key",
    ),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES)
def test_who_is_let_in(before: Any, after: Any, expected: list[Any]) -> None:
    assert lines(step(QUEUE, before, after)) == expected


def test_policies_that_only_limit_are_not_read() -> None:
    assert lines(step("aws:ec2/vpcEndpoint:VpcEndpoint", None, policy("*", action="*"))) == []
    assert lines(step("kubernetes:core/v1:ConfigMap", None, policy("*"))) == []


def test_a_deny_may_follow_its_bucket() -> None:
    old, new = policy("*", "Deny", "s3:*"), policy("*", "Deny", "s3:*", Resource="arn:aws:s3:::other/*")
    assert lines(step(BUCKET, old, new, op=Op.REPLACE)) == []
    assert [weight for _, weight, _ in lines(step(BUCKET, old, new))] == [WARNING]


MATCHES = [
    ("*", "s3:GetObject", True),
    ("s3:*", "s3:Get*", True),
    ("s3:Get*", "s3:*", False),
    ("s3:Get*Tagging", "s3:GetObjectTagging", True),
    ("s3:Get?bject", "s3:GetObject", True),
    ("s3:Get?", "s3:Get*", False),
    ("a*b*c", "axxbyyc", True),
    ("a*b*c", "axxbyy", False),
    ("", "", True),
    ("", "a", False),
    ("*a" * 40, "a" * 2000 + "b", False),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), MATCHES, ids=range(len(MATCHES)))
def test_one_pattern_matches_all_that_another_does(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected
