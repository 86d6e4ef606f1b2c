"""Reads policy files; docs/policies.md has their format."""

import difflib
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, time
from typing import Any, TypeVar

from stacks.review.finding import Weight
from stacks.review.findings import RULES
from stacks.review.policy.file import Exempt, Level, Policy, PolicyError

SCHEMA_VERSION = 1
KEYS = ("schema_version", "default", "weights", "rules", "exceptions")
EXCEPTION_KEYS = ("rule", "stack", "resource", "reason", "expires")
SHOWN_LENGTH = 60
"""Characters of a wrong value that a message quotes."""

T = TypeVar("T")


def read(text: str, *, file: str) -> Policy:
    """Reads a policy file.

    Args:
        text: the file, in TOML.
        file: its name, for messages.

    Raises:
        PolicyError: it is not TOML, or something in it is missing, unknown or of another type.
    """
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        why = str(error) or "it is nested too deeply"
        raise PolicyError(f"{file} is not TOML: {why}. Correct it as docs/policies.md shows.") from None
    try:
        return _policy(content, file)
    except _WrongError as error:
        raise PolicyError(f"{file}: {error}") from None


class _WrongError(Exception):
    """What is wrong with a key, and what to do."""

    def __init__(self, path: str, found: str, expected: str, advice: str = "") -> None:
        super().__init__(f"{path} {found}, expected {expected}. {advice or 'Correct it in the file.'}")


def _policy(content: Mapping[str, Any], file: str) -> Policy:
    _known("", content, KEYS)
    version = content.get("schema_version")
    if type(version) is not int or version != SCHEMA_VERSION:
        found = "is missing" if version is None else f"is {_shown(version)}"
        raise _WrongError("schema_version", found, str(SCHEMA_VERSION), f"Write schema_version = {SCHEMA_VERSION}.")
    names = [rule.name for rule in RULES]
    weights = {weight.name.lower(): weight for weight in Weight}
    exceptions = content.get("exceptions", [])
    if not isinstance(exceptions, list):
        raise _WrongError("exceptions", _is(exceptions), "tables", "Begin each with [[exceptions]].")
    return Policy(
        file=file,
        default=_level("default", content.get("default", Level.ADVISORY.value)),
        weights={weights[name]: level for name, level in _levels("weights", content, weights).items()},
        rules=_levels("rules", content, names),
        exceptions=tuple(_exempt(f"exceptions[{index}]", entry, names) for index, entry in enumerate(exceptions)),
    )


def _levels(key: str, content: Mapping[str, Any], known: Collection[str]) -> dict[str, Level]:
    table = content.get(key, {})
    if not isinstance(table, dict):
        raise _WrongError(key, _is(table), "a table", f"Begin it with [{key}].")
    _known(f"{key}.", table, known)
    return {name: _level(f"{key}.{name}", value) for name, value in table.items()}


def _level(path: str, value: object) -> Level:
    if not isinstance(value, str) or value not in list(Level):
        raise _WrongError(path, _is(value), f"one of {', '.join(Level)}")
    return Level(value)


def _exempt(path: str, entry: object, names: Collection[str]) -> Exempt:
    if not isinstance(entry, dict):
        raise _WrongError(path, _is(entry), "a table", "Begin it with [[exceptions]].")
    _known(f"{path}.", entry, EXCEPTION_KEYS)
    rule = _given(f"{path}.rule", entry, "the name of a rule", _text)
    if rule not in names:
        raise _WrongError(f"{path}.rule", _is(rule), "the name of a rule", _near(rule, names))
    return Exempt(
        path=path,
        rule=rule,
        stack=_given(f"{path}.stack", entry, "a pattern of names of stacks", _text),
        resource=_given(f"{path}.resource", entry, "a pattern of names of resources or of their URNs", _text),
        reason=_given(f"{path}.reason", entry, "a sentence that says why", _text),
        expires=_given(f"{path}.expires", entry, "a date without quotation marks, as 2030-12-31", _date),
    )


def _given(path: str, entry: Mapping[str, Any], expected: str, typed: Callable[[Any], T | None]) -> T:
    value = entry.get(path.rpartition(".")[2])
    if value is None:
        raise _WrongError(path, "is missing", expected, "Add it.")
    found = typed(value)
    if found is None:
        raise _WrongError(path, _is(value), expected)
    return found


def _text(value: object) -> str | None:
    return " ".join(value.split()) or None if isinstance(value, str) else None


def _date(value: object) -> date | None:
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _known(prefix: str, table: Mapping[str, Any], names: Collection[str]) -> None:
    for key in table:
        if key not in names:
            expected = "the name of a rule" if prefix == "rules." else f"one of {', '.join(names)}"
            raise _WrongError(f"{prefix}{_key(key)}", "is unknown", expected, _near(key, names))


def _near(word: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(word, names)
    return f"Did you mean {' or '.join(near)}?" if near else "Correct it, or take it out."


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _shown(key)


def _is(value: object) -> str:
    return f"is {_shown(value)}"


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, date | time):
        return str(value)
    text = str(value).lower() if isinstance(value, bool) else ascii(value)
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}..."
