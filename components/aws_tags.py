"""Tags of what a component creates at AWS."""

import re
from collections.abc import Mapping

from runner.contract import broken_rule, describe
from runner.labels import ENVIRONMENT

OWN_PREFIX = "penstock.dev/"
"""Begins the keys that are Penstock's own: clients and policies find what is an environment's by them."""
MANAGER = f"{OWN_PREFIX}managed-by"
"""Tag that says what creates and changes an object."""

LONGEST_KEY, LONGEST_VALUE = 128, 256
MOST = 40
"""Most tags of the user's: AWS takes 50 of an object, of which a run's task needs some for itself.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html#tag-restrictions"""
LEGAL = r"[\w .:/=+@-]*"
"""What the services of AWS have in common."""


def environment_tags(environment: str, *, tags: Mapping[str, str] | None = None) -> dict[str, str]:
    """All tags of an object, sorted.

    Args:
        environment: the environment's name.
        tags: the user's own.

    Raises:
        ContractError: one of the user's is no legal tag, or one of Penstock's own.
    """
    users = tags or {}
    if len(users) > MOST:
        raise broken_rule("tags", f"{len(users)} tags", f"at most {MOST}")
    for key, value in users.items():
        if key.startswith(OWN_PREFIX):
            raise broken_rule(f"tags.{key}", "given", "another key: this tag is Penstock's own")
        if not key or len(key) > LONGEST_KEY or key.lower().startswith("aws:") or not re.fullmatch(LEGAL, key):
            expected = f"at most {LONGEST_KEY} letters, digits, spaces and . : / = + @ _ -, not beginning with aws:"
            raise broken_rule("a key of tags", describe(key), expected)
        if len(value) > LONGEST_VALUE or not re.fullmatch(LEGAL, value):
            expected = f"at most {LONGEST_VALUE} letters, digits, spaces and . : / = + @ _ -"
            raise broken_rule(f"tags.{key}", describe(value), expected)
    return dict(sorted({**users, ENVIRONMENT: environment, MANAGER: "pulumi"}.items()))
