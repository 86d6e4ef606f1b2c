"""Reads frozen dataclasses from JSON that comes from outside, and writes them as canonical JSON.

Guarantees: whatever the input, the only exception is `ContractError`, with the field's path; what is written has sorted
keys and no spare whitespace, so equal values are equal bytes. Rules of a field beside its type stand in the field's
metadata (see `option`), where the generator of the JSON Schemas finds them too.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, NoReturn, TypeVar, cast

from runner.errors import ContractError

MAX_BYTES = 1024 * 1024
"""Largest document, request or outcome that is read: what a ConfigMap can hold."""

MAX_DEPTH = 64
"""Deepest nesting that is read; enough for every parameter a person writes, far from Python's recursion limit."""

LARGEST_NUMBER = sys.float_info.max

T = TypeVar("T")
Hints = Mapping[str, object]


def option(
    default: object = MISSING,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    pattern: str | None = None,
    meaning: str | None = None,
    keys: str | None = None,
    keys_meaning: str | None = None,
) -> Any:
    """A dataclass field with rules beside its type.

    Args:
        default: the value when the key is absent; without one the key is required.
        minimum: smallest number allowed.
        above: number that the value must be greater than.
        maximum: largest number allowed.
        pattern: regular expression that a string, or each string of a list, must match as a whole.
        meaning: what a value must be in words, for the error message.
        keys: regular expression that each key of a mapping must match as a whole.
        keys_meaning: that pattern in words.
    """
    rules = {
        "minimum": minimum,
        "above": above,
        "maximum": maximum,
        "pattern": pattern,
        "meaning": meaning,
        "keys": keys,
        "keys_meaning": keys_meaning,
    }
    metadata = {name: rule for name, rule in rules.items() if rule is not None}
    if isinstance(default, Mapping):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def key_of(item: "Field[object]") -> str:
    """The JSON key of a field: its name, unless that is a word of Python's."""
    return str(item.metadata.get("key", item.name))


def parse_json(data: bytes | str, *, subject: str, next_step: str = "") -> object:
    """JSON of bounded size and depth, with no key twice, no NaN and no text that cannot be written as UTF-8."""

    def refuse(found: str, expected: str) -> NoReturn:
        raise ContractError(path="", found=found, expected=expected, subject=subject, next_step=next_step) from None

    if len(data) > MAX_BYTES:
        refuse(f"{len(data):,} bytes long", f"at most {MAX_BYTES:,}")

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        result: dict[str, object] = {}
        for name, item in items:
            if name in result:
                refuse(f"an object with the key {name[:60]!r} twice", "each key once")
            result[name] = item
        return result

    try:
        text = data.decode() if isinstance(data, bytes) else data
        value: object = json.loads(text, object_pairs_hook=pairs, parse_constant=lambda word: refuse(word, "a number"))
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeError:
        refuse("text with characters that are not Unicode", "UTF-8")
    except RecursionError:
        refuse("nested too deeply", f"at most {MAX_DEPTH} levels")
    except ValueError as error:
        refuse(f"not JSON ({error})", "a JSON object")
    if _depth_exceeds(value, MAX_DEPTH):
        refuse("nested too deeply", f"at most {MAX_DEPTH} levels")
    return value


def _depth_exceeds(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True


def read_document(
    cls: type[T],
    data: bytes | str,
    *,
    version: int,
    subject: str,
    next_step: str = "",
    warn: Callable[[str], None],
) -> T:
    """A dataclass from the JSON of a versioned document.

    Args:
        cls: the dataclass.
        data: the JSON.
        version: the only `schema_version` that is read.
        subject: what the messages call the document.
        next_step: the sentence that ends each error message.
        warn: called with one sentence for each key that is not known.

    Raises:
        ContractError: it is not such a document, or not of that version.
    """
    value = parse_json(data, subject=subject, next_step=next_step)
    found = value.get("schema_version") if isinstance(value, dict) else version
    if found != version or isinstance(found, bool):
        newer = isinstance(found, int) and found > version
        raise ContractError(
            path="schema_version",
            found="missing" if found is None else describe(found),
            expected=f"{version}, the version that this penstock reads",
            subject=subject,
            next_step=f"Use a {'newer penstock, or an image that has one' if newer else 'matching penstock'}.",
        )
    return decode(
        cls,
        value,
        subject=subject,
        next_step=next_step,
        warn=lambda path: warn(f"The {subject} has the key {path}, which this version of penstock does not know."),
    )


def decode(
    cls: type[T], value: object, *, subject: str, path: str = "", next_step: str = "", warn: Callable[[str], None]
) -> T:
    """A dataclass from parsed JSON.

    Args:
        cls: the dataclass.
        value: parsed JSON.
        subject: what the error messages call it.
        path: where the value stands in the whole.
        next_step: the sentence that ends each error message.
        warn: called with the path of each key that the dataclass does not know.

    Raises:
        ContractError: the value is not of the dataclass.
    """
    reader = _Reader(subject=subject, next_step=next_step, warn=warn)
    return cast(T, reader.read(cls, value, path, {}))


class _Reader:
    """Walks a value and its type together."""

    def __init__(self, *, subject: str, next_step: str, warn: Callable[[str], None]) -> None:
        self.subject = subject
        self.next_step = next_step
        self.warn = warn

    def refuse(self, path: str, value: object, expected: str) -> NoReturn:
        raise ContractError(
            path=path, found=describe(value), expected=expected, subject=self.subject, next_step=self.next_step
        )

    def read(self, kind: object, value: object, path: str, rules: Hints) -> object:
        origin = getattr(kind, "__origin__", None)
        if isinstance(kind, UnionType):
            if value is None and NoneType in kind.__args__:
                return None
            return self.read(next(arm for arm in kind.__args__ if arm is not NoneType), value, path, rules)
        if kind is object:
            return value
        if origin is tuple:
            return self.read_list(kind.__args__[0], value, path, rules)  # type: ignore[attr-defined]
        if origin is not None:
            return self.read_mapping(kind.__args__[1], value, path, rules)  # type: ignore[attr-defined]
        if isinstance(kind, type) and issubclass(kind, Enum):
            words = [member.value for member in kind]
            if value not in words:
                self.refuse(path, value, f"one of {', '.join(words)}")
            return kind(value)
        if is_dataclass(kind):
            return self.read_object(cast(type, kind), value, path)
        return self.read_scalar(kind, value, path, rules)

    def read_scalar(self, kind: object, value: object, path: str, rules: Hints) -> object:
        if kind is str:
            pattern = rules.get("pattern")
            if not isinstance(value, str) or (pattern and not re.fullmatch(str(pattern), value)) or "\0" in value:
                self.refuse(path, value, str(rules.get("meaning", "text")))
            return value
        if kind is bool:
            if not isinstance(value, bool):
                self.refuse(path, value, "true or false")
            return value
        allowed = int if kind is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, allowed) or not _within(value, rules):
            self.refuse(path, value, str(rules.get("meaning") or _number_in_words(kind is int, rules)))
        return value

    def read_list(self, kind: object, value: object, path: str, rules: Hints) -> tuple[object, ...]:
        if not isinstance(value, list | tuple):
            self.refuse(path, value, "a list")
        return tuple(self.read(kind, item, f"{path}[{i}]", rules) for i, item in enumerate(value))

    def read_mapping(self, kind: object, value: object, path: str, rules: Hints) -> dict[str, object]:
        if not isinstance(value, Mapping):
            self.refuse(path, value, "a mapping")
        for key in value:
            if not isinstance(key, str) or not re.fullmatch(str(rules.get("keys", r"(?s:.*)")), key):
                self.refuse(f"a key of {path}", key, str(rules.get("keys_meaning", "text")))
        return {key: self.read(kind, item, f"{path}.{key}", rules) for key, item in value.items()}

    def read_object(self, cls: type, value: object, path: str) -> object:
        if not isinstance(value, Mapping):
            self.refuse(path, value, "an object" if path else "a JSON object")
        known = {key_of(item): item for item in fields(cls)}
        prefix = f"{path}." if path else ""
        for key in value:
            if key not in known:
                self.warn(f"{prefix}{key}")
        arguments = {}
        for key, item in known.items():
            if key in value:
                arguments[item.name] = self.read(item.type, value[key], f"{prefix}{key}", item.metadata)
            elif item.default is MISSING and item.default_factory is MISSING:
                raise ContractError(
                    path=f"{prefix}{key}",
                    found="missing",
                    expected="a value",
                    subject=self.subject,
                    next_step=self.next_step,
                )
        try:
            return cls(**arguments)
        except ContractError as error:
            raise ContractError(
                path=f"{prefix}{error.path}",
                found=error.found,
                expected=error.expected,
                subject=self.subject,
                next_step=self.next_step,
            ) from None


def broken_rule(path: str, found: str, expected: str) -> ContractError:
    """The error for a dataclass's own check between its fields; `decode` adds where in which document that was."""
    return ContractError(path=path, found=found, expected=expected, subject="")


def _within(value: float, rules: Hints) -> bool:
    minimum, above, maximum = (cast("float | None", rules.get(rule)) for rule in ("minimum", "above", "maximum"))
    return (
        abs(value) <= LARGEST_NUMBER  # neither for infinity and NaN, nor for a whole number that is no float any more
        and (minimum is None or value >= minimum)
        and (above is None or value > above)
        and (maximum is None or value <= maximum)
    )


def _number_in_words(whole: bool, rules: Hints) -> str:
    words = "a whole number" if whole else "a number"
    limits = [
        f"{word} {rules[rule]:,}"
        for rule, word in (("minimum", "of at least"), ("above", "above"), ("maximum", "of at most"))
        if rule in rules
    ]
    return " ".join([words, " and ".join(limits)]).strip()


def describe(value: object, limit: int = 60) -> str:
    """A value of JSON in a few words, for error messages."""
    if isinstance(value, Mapping):
        return f"an object with {len(value)} keys"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= limit else f"{text[:limit]}…"


def encode(value: object) -> object:
    """A dataclass as plain JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {key_of(item): encode(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return value


def to_bytes(value: object) -> bytes:
    """Canonical JSON of a dataclass or of plain JSON values: sorted keys, no spare whitespace, UTF-8."""
    return json.dumps(
        encode(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def unreadable(subject: str, path: str, error: OSError) -> ContractError:
    """The error for a file that should hold a document and cannot be read."""
    return ContractError(
        path="",
        found=f"not readable at {path} ({error.strerror or error})",
        expected="a JSON file",
        subject=subject,
        next_step="Name a file that exists and that you may read.",
    )
