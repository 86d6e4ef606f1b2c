"""Policy documents: which ones AWS would refuse, and which mean the same."""

import json
from collections.abc import Iterator
from typing import Any

from tests.testbed.aws.provider.errors import Problem
from tests.testbed.aws.provider.values import Unknown, Values

KEYS = frozenset({"Version", "Id", "Statement"})
VERSIONS = ("2012-10-17", "2008-10-17")
EITHER = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))
STATEMENT = frozenset({"Sid", "Effect", "Condition", *(key for pair in EITHER for key in pair)})


def refused(name: str, text: Any, *, principal: bool, resource: bool = True) -> Iterator[Problem]:
    """What is wrong with a policy.

    Args:
        name: the input.
        text: its value; an unknown or missing one is not judged.
        principal: whether it names whom it is for, as those of a role's trust and of resources do.
        resource: whether it names what it is about, as all but those of a role's trust do.
    """
    if text is None or isinstance(text, Unknown):
        return
    try:
        document = json.loads(text)
    except ValueError as error:
        yield Problem(name, f"expected a policy as JSON, got a text that is none: {error}")
        return
    if not isinstance(document, dict) or not document.get("Statement"):
        yield Problem(name, "expected a policy: an object with Version and Statement")
        return
    for key in sorted(document.keys() - KEYS):
        yield Problem(name, f"expected {', '.join(sorted(KEYS))} in the policy, got {key}")
    if document.get("Version", VERSIONS[1]) not in VERSIONS:
        yield Problem(name, f"expected the Version {VERSIONS[0]}, got {document['Version']!r}")
    seen: set[str] = set()
    for i, statement in enumerate(_listed(document["Statement"])):
        for reason in _wrong(statement, principal=principal, resource=resource):
            yield Problem(name, f"Statement[{i}]: {reason}")
        sid = statement.get("Sid") if isinstance(statement, dict) else None
        if sid in seen:
            yield Problem(name, f"Statement[{i}]: expected a Sid that no other statement has, got {sid!r}")
        seen |= {sid} if sid else set()


def _wrong(statement: Any, *, principal: bool, resource: bool) -> Iterator[str]:
    if not isinstance(statement, dict):
        yield f"expected an object, got {statement!r}"
        return
    for key in sorted(statement.keys() - STATEMENT):
        yield f"a statement has no {key}"
    if statement.get("Effect") not in {"Allow", "Deny"}:
        yield f"expected the Effect Allow or Deny, got {statement.get('Effect')!r}"
    needed = {"Action": True, "Resource": resource, "Principal": principal}
    for one, other in EITHER:
        count = (one in statement) + (other in statement)
        if needed[one] and count != 1:
            yield f"expected {one} or {other}, got {'both' if count else 'neither'}"
        elif not needed[one] and count:
            yield f"expected no {one} in a policy of this kind"
    for action in _listed(statement.get("Action", [])):
        if not isinstance(action, str) or (action != "*" and ":" not in action):
            yield f"expected actions as service:Name, got {action!r}"


def canonical(text: Any, _: Values) -> Any:
    """A policy without what does not matter to AWS: order, one item lists, spelling of everybody."""
    try:
        document = json.loads(text)
    except (TypeError, ValueError):
        return text
    if not isinstance(document, dict):
        return document
    statements = [_plain(statement) for statement in _listed(document.get("Statement", []))]
    return {**document, "Statement": sorted(statements, key=lambda item: json.dumps(item, sort_keys=True))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("Principal") == "*":
            value = {**value, "Principal": {"AWS": "*"}}
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return value[0] if len(value) == 1 else sorted((_plain(item) for item in value), key=json.dumps)
    return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
