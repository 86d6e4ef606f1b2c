"""Policies of IAM as values: each statement with a name and the reason why it is there.

Guarantees: equal statements give equal bytes.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

VERSION = "2012-10-17"
TASKS = "ecs-tasks.amazonaws.com"
"""The service that takes the roles of tasks."""
LONGEST_POLICY = 6144
"""Most characters of a policy of its own. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What is allowed, with what."""

    sid: str
    """Its name in the policy: letters and digits."""
    actions: tuple[str, ...]
    """Calls."""
    resources: tuple[str, ...]
    """ARNs of what they may be about; `*` only where AWS has nothing narrower."""
    reason: str
    """What it is needed for; one sentence."""
    conditions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What must be true of the call, as in a policy."""
    unbounded: str = ""
    """Why the resources are `*`; one sentence, empty where they are not."""


def policy(statements: Iterable[Statement]) -> str:
    """The policy's JSON."""
    return canonical(
        [
            {
                "Sid": item.sid,
                "Effect": "Allow",
                "Action": sorted(item.actions),
                "Resource": sorted(item.resources),
                **({"Condition": item.conditions} if item.conditions else {}),
            }
            for item in statements
        ]
    )


def canonical(statements: Iterable[Mapping[str, Any]]) -> str:
    """The JSON of a policy with these statements."""
    return json.dumps({"Version": VERSION, "Statement": list(statements)}, sort_keys=True, separators=(",", ":"))


def trust(*, place: Mapping[str, str]) -> str:
    """Who may take a task's role: ECS, for tasks of this account and region only.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html

    Args:
        place: the fields of a `Place`.
    """
    source = f"arn:{place['partition']}:ecs:{place['region']}:{place['account']}:*"
    return canonical(
        [
            {
                "Sid": "TasksOfThisAccount",
                "Effect": "Allow",
                "Principal": {"Service": TASKS},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "ArnLike": {"aws:SourceArn": source},
                    "StringEquals": {"aws:SourceAccount": place["account"]},
                },
            }
        ]
    )
