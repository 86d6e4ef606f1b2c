"""Statements of policies of AWS: what they allow or deny, and whether one says all that another says.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stacks.review.values import Hidden, items, mapping

NARROWING = frozenset({"stringequals", "stringlike", "stringequalsignorecase", "arnequals", "arnlike", "ipaddress"})
"""Operators of conditions of which fewer values let less through."""

Pattern = str | Hidden


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement."""

    label: str
    """Its Sid, or its index."""
    allows: bool
    """False for a Deny."""
    actions: tuple[Pattern, ...]
    """Patterns of calls; with `not_actions` those that it is not about."""
    not_actions: bool
    resources: tuple[Pattern, ...]
    """Patterns of ARNs; with `not_resources` those that it is not about. `*` where a trust policy has none."""
    not_resources: bool
    principals: tuple[tuple[str, Pattern], ...]
    """Kind and name of whom it is about, as ("AWS", "*"); empty in policies of roles, users and groups."""
    not_principals: bool
    conditions: Mapping[tuple[str, str], tuple[Pattern, ...]]
    """Values by operator and key, both in lower case."""
    written: Mapping[str, Any] = field(compare=False)
    """As the policy has it."""


def statements(policy: object) -> list[Statement]:
    """The statements of a policy; none of what is not one or not known."""
    return [
        _statement(entry, str(index))
        for index, entry in enumerate(items(mapping(policy).get("Statement")))
        if isinstance(entry, Mapping)
    ]


def covers(outer: Statement, inner: Statement) -> bool:
    """Whether all that the inner statement says is said by the outer one."""
    return (
        outer.allows == inner.allows
        and _cover(_lower(outer.actions), outer.not_actions, _lower(inner.actions), inner.not_actions)
        and _cover(outer.resources, outer.not_resources, inner.resources, inner.not_resources)
        and _principals_cover(outer, inner)
        and _is_as_open(outer.conditions, inner.conditions)
    )


def gained(old: Iterable[Statement], new: Statement) -> Statement | None:
    """What of a statement none of the old ones says: its actions and resources as far as that; None when nothing is."""
    before = [statement for statement in old if statement.allows == new.allows]
    if any(covers(statement, new) for statement in before):
        return None
    if new.not_actions or new.not_resources or not new.actions or not new.resources:
        return new
    cells = [
        (action, resource)
        for action in new.actions
        for resource in new.resources
        if not any(covers(other, replace(new, actions=(action,), resources=(resource,))) for other in before)
    ]
    if not cells:
        return None
    actions, resources = {action for action, _ in cells}, {resource for _, resource in cells}
    return replace(
        new,
        actions=tuple(action for action in new.actions if action in actions),
        resources=tuple(resource for resource in new.resources if resource in resources),
    )


def matches(pattern: Pattern, text: Pattern) -> bool:
    """Whether a pattern with `*` and `?` matches all that another one does. Takes time by the product of lengths."""
    if isinstance(pattern, Hidden) or isinstance(text, Hidden):
        return pattern is text or pattern == "*"
    at, star, resume, position = 0, -1, 0, 0
    while position < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume, at = at, position, at + 1
        elif at < len(pattern) and (pattern[at] == text[position] or (pattern[at] == "?" and text[position] != "*")):
            at, position = at + 1, position + 1
        elif star >= 0:
            resume += 1
            at, position = star + 1, resume
        else:
            return False
    return not pattern[at:].strip("*")


def _statement(entry: Mapping[str, Any], index: str) -> Statement:
    sid = entry.get("Sid")
    not_principals = "NotPrincipal" in entry
    who = entry.get("NotPrincipal" if not_principals else "Principal")
    by_kind = who if isinstance(who, Mapping) else {"AWS": who} if who is not None else {}
    return Statement(
        label=sid if isinstance(sid, str) and sid else index,
        # Whatever is not plainly a Deny may allow something.
        allows=entry.get("Effect") != "Deny",
        actions=_patterns(entry, "NotAction") if "NotAction" in entry else _patterns(entry, "Action"),
        not_actions="NotAction" in entry,
        resources=_patterns(entry, "NotResource")
        if "NotResource" in entry
        else (_patterns(entry, "Resource") if "Resource" in entry else ("*",)),
        not_resources="NotResource" in entry,
        principals=tuple((str(kind), name) for kind, names in by_kind.items() for name in _texts(names)),
        not_principals=not_principals,
        conditions={
            (str(operator).lower(), str(key).lower()): _texts(values)
            for operator, keys in mapping(entry.get("Condition")).items()
            for key, values in mapping(keys).items()
        },
        written=entry,
    )


def _patterns(entry: Mapping[str, Any], key: str) -> tuple[Pattern, ...]:
    return _texts(entry.get(key))


def _texts(value: object) -> tuple[Pattern, ...]:
    if isinstance(value, Hidden):
        return (value,)
    return tuple(
        item if isinstance(item, str | Hidden) else str(item).lower() if isinstance(item, bool) else str(item)
        for item in items(value)
    )


def _lower(patterns: tuple[Pattern, ...]) -> tuple[Pattern, ...]:
    return tuple(pattern if isinstance(pattern, Hidden) else pattern.lower() for pattern in patterns)


def _cover(outer: tuple[Pattern, ...], outer_not: bool, inner: tuple[Pattern, ...], inner_not: bool) -> bool:
    if outer_not and inner_not:
        return all(any(matches(theirs, ours) for theirs in inner) for ours in outer)
    if outer_not:
        return not any(_may_meet(left_out, one) for left_out in outer for one in inner)
    if inner_not:
        return "*" in outer
    return all(any(matches(pattern, one) for pattern in outer) for one in inner)


def _may_meet(one: Pattern, other: Pattern) -> bool:
    if isinstance(one, Hidden) or isinstance(other, Hidden):
        return True
    first, second = (pattern.replace("?", "*").partition("*")[0] for pattern in (one, other))
    return first.startswith(second) or second.startswith(first)


def _principals_cover(outer: Statement, inner: Statement) -> bool:
    if outer.not_principals or inner.not_principals:
        return (outer.principals, outer.not_principals) == (inner.principals, inner.not_principals)
    if not outer.principals or not inner.principals:
        return bool(outer.principals) == bool(inner.principals)
    everyone = ("AWS", "*") in outer.principals
    return all(one in outer.principals or (everyone and one[0] == "AWS") for one in inner.principals)


def _is_as_open(
    outer: Mapping[tuple[str, str], tuple[Pattern, ...]], inner: Mapping[tuple[str, str], tuple[Pattern, ...]]
) -> bool:
    """Whether each condition of the outer statement is met wherever those of the inner one are."""
    for key, values in outer.items():
        theirs = set(inner.get(key, ()))
        operator = key[0].removeprefix("foranyvalue:").removesuffix("ifexists")
        if not theirs or not (theirs <= set(values) if operator in NARROWING else theirs == set(values)):
            return False
    return True
