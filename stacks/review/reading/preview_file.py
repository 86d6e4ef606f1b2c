"""Reads a preview, in whichever of Pulumi's three ways it was written: https://github.com/pulumi/pulumi/blob/master/pkg/display/json.go.

One object (`--json`), one engine event per line (`PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true`), or a summary without
properties (`--output json`). Everything in what is returned has gone through `hiding`.
"""

import json
from collections.abc import Mapping
from typing import Any

from stacks.review.errors import ReviewError
from stacks.review.plain_json import parsed
from stacks.review.preview import Preview
from stacks.review.reading.digest import from_digest, from_summary
from stacks.review.reading.events import from_events

LONGEST = 200 * 1024 * 1024
"""Characters of a preview: a thousand resources have two million."""
DEEPEST = 100
"""Nesting of mappings and lists: Kubernetes' deepest objects have about 30."""
AGAIN = "Make it again with `pulumi preview --json`."


def read(text: str, name: str) -> Preview | Mapping[str, Any]:
    """The preview in a file, or the mapping when it is another object that says what it is by `kind`.

    Args:
        text: contents of the file.
        name: of the file, for messages, and for the stack when the preview has no resource.

    Raises:
        ReviewError: it is damaged, or no preview.
    """
    if len(text) > LONGEST:
        raise ReviewError(f"{name} is longer than {LONGEST} characters, which no preview is. {AGAIN}")
    stripped = text.strip().lstrip("\ufeff")
    if not stripped:
        raise ReviewError(f"{name} is empty, expected a preview. {AGAIN}")
    try:
        whole = parsed(stripped)
    except json.JSONDecodeError as error:
        first, newline, _ = stripped.partition("\n")
        if newline and _is_event(_line(first)):
            return _events(stripped, name)
        raise _damaged(name, error, len(stripped)) from None
    except RecursionError:
        raise _deep(name) from None
    except ValueError as error:
        raise ReviewError(f"{name} is no JSON: {error}. {AGAIN}") from None
    if not isinstance(whole, dict):
        raise ReviewError(f"{name} holds a {_noun(whole)}, expected the object of a preview. {AGAIN}")
    if _depth(whole) > DEEPEST:
        raise _deep(name)
    if "kind" in whole and "steps" not in whole:
        return whole
    if _is_event(whole):
        return from_events([whole], name, complete=False)
    if isinstance(whole.get("resources"), list) and "summary" in whole:
        return from_summary(whole, name)
    if isinstance(whole.get("steps", []), list) and whole.keys() & {"steps", "changeSummary", "diagnostics"}:
        return from_digest(whole, name)
    found = ", ".join(sorted(map(str, whole))[:5]) or "nothing"
    raise ReviewError(f"{name} has {found[:200]!a}, expected steps, events or resources of a preview. {AGAIN}")


def _events(text: str, name: str) -> Preview:
    lines = [line for line in text.splitlines() if line.strip()]
    events = []
    complete = True
    for number, line in enumerate(lines, 1):
        event = _line(line)
        if not _is_event(event):
            if number < len(lines):
                raise ReviewError(f"{name} has no event in line {number}, expected one per line. {AGAIN}")
            complete = False
            break
        if _depth(event) > DEEPEST:
            raise _deep(name)
        events.append(event)
    return from_events(events, name, complete=complete)


def _line(line: str) -> Any:
    try:
        return parsed(line)
    except (ValueError, RecursionError):
        return None


def _is_event(value: object) -> bool:
    return isinstance(value, dict) and "sequence" in value and any(key.endswith("Event") for key in value)


def _damaged(name: str, error: json.JSONDecodeError, length: int) -> ReviewError:
    if error.pos >= length - 1 or error.msg.startswith("Unterminated"):
        return ReviewError(f"{name} ends in the middle of its JSON, in line {error.lineno}. {AGAIN}")
    place = f"line {error.lineno}, column {error.colno}"
    return ReviewError(f"{name} is no JSON: {error.msg[0].lower()}{error.msg[1:]} at {place}. {AGAIN}")


def _deep(name: str) -> ReviewError:
    return ReviewError(f"{name} is nested more than {DEEPEST} deep, which no preview is. {AGAIN}")


def _depth(value: object) -> int:
    """How deep mappings and lists are nested; without recursion, since the input may be made to exhaust it."""
    deepest, level = 0, [value]
    while level and deepest <= DEEPEST:
        following: list[object] = []
        for item in level:
            if isinstance(item, dict):
                following.extend(item.values())
            elif isinstance(item, list):
                following.extend(item)
        level = [item for item in following if isinstance(item, dict | list)]
        deepest += 1
    return deepest


def _noun(value: object) -> str:
    return {list: "list", str: "text", bool: "truth value", type(None): "null"}.get(type(value), "number")
