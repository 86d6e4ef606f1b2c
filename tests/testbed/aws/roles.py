"""What roles may do, by their policies in IAM."""

import json
from collections.abc import Sequence
from typing import Any

from moto.iam.models import iam_backends

from tests.testbed.aws.permissions import Need, Policy, allowed

ACCOUNT = "123456789012"


def policies_of(role: str) -> Sequence[Policy]:
    """The policies that a role has now, its own and attached ones; none when there is no such role.

    Args:
        role: name or ARN.
    """
    backend: Any = iam_backends[ACCOUNT]["aws"]
    name = role.rpartition("/")[2]
    found = next((item for item in backend.get_roles() if item.name == name), None)
    if found is None:
        return ()
    inline = [json.loads(text) if isinstance(text, str) else text for text in found.policies.values()]
    attached = [json.loads(policy.document) for policy in found.managed_policies.values()]
    return [*inline, *attached]


def refusal(role: str | None, action: str, resource: str) -> str | None:
    """Why a task's execution role may not do something, in AWS' words; null when it may."""
    if role is not None and allowed(policies_of(role), Need(action=action, resource=resource)):
        return None
    name = (role or "none").rpartition("/")[2]
    return (
        f"AccessDeniedException: User: arn:aws:sts::{ACCOUNT}:assumed-role/{name}/task is not authorized to perform: "
        f"{action} on resource: {resource} because no identity-based policy allows the {action} action"
    )
