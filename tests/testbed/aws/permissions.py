"""Decides whether IAM policies allow a call, as far as Penstock's policies need it.

Known: Allow and Deny, wildcards in Action and Resource, and conditions with StringEquals, StringLike, ArnEquals,
ArnLike, Bool and their `IfExists`. A condition of another kind is an error: silence would say that something holds.
Source: "Policy evaluation logic" in the IAM User Guide.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Policy = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a call needs to be allowed."""

    action: str
    """Such as `ecs:RunTask`."""
    resource: str
    """ARN of what it is about; `*` for nothing that has one."""
    conditions: Mapping[str, str] = field(default_factory=dict)
    """Values of condition keys."""


def allowed(policies: Iterable[Policy], need: Need) -> bool:
    """Whether the policies allow it: some statement does, and none denies it."""
    found = [str(item["Effect"]) for item in statements(policies) if matches(item, need)]
    return "Allow" in found and "Deny" not in found


def refused(policies: Sequence[Policy], needs: Iterable[Need]) -> list[Need]:
    """What of all that is needed the policies do not allow."""
    return [need for need in needs if not allowed(policies, need)]


def unused(policies: Sequence[Policy], needs: Sequence[Need]) -> list[str]:
    """Actions that the policies allow, and nothing needed: `<Sid>: <action>`."""
    return [
        f"{item.get('Sid', '')}: {action}"
        for item in statements(policies)
        for action in _listed(item.get("Action"))
        if not any(matches({**item, "Action": action}, need) for need in needs)
    ]


def statements(policies: Iterable[Policy]) -> list[Mapping[str, Any]]:
    """All statements of policies."""
    return [item for policy in policies for item in _listed(policy["Statement"])]


def matches(statement: Mapping[str, Any], need: Need) -> bool:
    """Whether a statement is about what is needed."""
    return (
        any(_like(action.lower(), need.action.lower()) for action in _listed(statement["Action"]))
        and any(_like(resource, need.resource) for resource in _listed(statement["Resource"]))
        and all(
            _holds(operator, key, _listed(values), need.conditions)
            for operator, tests in statement.get("Condition", {}).items()
            for key, values in tests.items()
        )
    )


def _holds(operator: str, key: str, values: list[str], given: Mapping[str, str]) -> bool:
    plain = operator.removesuffix("IfExists")
    found = next((value for name, value in given.items() if name.lower() == key.lower()), None)
    if found is None:
        return operator != plain
    if plain in {"StringEquals", "ArnEquals", "Bool"}:
        return any(found == value or (plain == "ArnEquals" and _like(value, found)) for value in map(str, values))
    if plain in {"StringLike", "ArnLike"}:
        return any(_like(value, found) for value in values)
    raise ValueError(f"The condition operator {operator} is not known here. Teach it to {__name__}.")


def _like(pattern: str, text: str) -> bool:
    return _pattern(pattern).fullmatch(text) is not None


@lru_cache(maxsize=1000)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern), re.DOTALL)


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
