"""Keeps out of a review what is secret: what Pulumi marks, what a provider leaks beside it, and what looks like it."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from stacks.review.hiding import marks
from stacks.review.hiding.known_secrets import looked_for, may_be_name, without_known
from stacks.review.hiding.looks_secret import REPLACEMENT, is_plain, without_credentials
from stacks.review.hiding.secret_names import is_secret_name, is_strong_name, lists_secrets, says_where
from stacks.review.plain_json import parsed
from stacks.review.values import SECRET, Value

DEEPEST = 200
"""Levels of nesting that are looked into; what is deeper is hidden."""
LONG = 4096
"""Characters of the longest text that is remembered with what it becomes."""
CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
"""Sequences that a terminal acts on: ECMA-48's CSI, as for colours, and OSC, as for links."""
UNKNOWN_INSIDE = "(known after the change)"
SECRET_FIELDS: Mapping[str, frozenset[str]] = {
    "kubernetes:core/v1:Secret": frozenset({"data", "stringData"}),
    "aws:ssm/parameter:Parameter": frozenset({"value", "valueWo"}),
    "aws:secretsmanager/secretVersion:SecretVersion": frozenset({"secretString", "secretBinary", "secretStringWo"}),
    "aws:iam/accessKey:AccessKey": frozenset({"secret", "sesSmtpPasswordV4"}),
    "random:index/randomPassword:RandomPassword": frozenset({"result", "bcryptHash"}),
    "github:index/actionsSecret:ActionsSecret": frozenset({"plaintextValue", "encryptedValue"}),
}
"""Properties that are secret, by type of the resource; others are found by their names."""
ENTRY = "secrets[]"
"""Instead of a name: an entry of a list that says where secrets are, `secrets: [{env: ..., secret: ..., key: ...}]`."""
NAME_KEYS = ("name", "Name", "key", "Key", "parameterKey", "ParameterKey", "parameterName")
VALUE_KEYS = ("value", "Value", "parameterValue", "ParameterValue")
HASHES = ("hash", "digest", "checksum", "sha256", "sha1", "sha512", "md5", "etag", "integrity", "fingerprint")
"""How names of fields end whose values are as random as a credential."""


def secrets_in(states: Iterable[tuple[str, Any, Any]]) -> frozenset[str]:
    """The texts that are known to be secret, wherever else they stand.

    Args:
        states: for each resource its type, and its properties before and after, inputs or outputs, as a preview has
            them; None where there are none.
    """
    found: set[str] = set()
    for type_, before, after in states:
        walk = _Walk(known=None, found=found)
        walk.properties(type_, before, after)
        walk.properties(type_, after, before)
    return frozenset(found)


def cleaned(type_: str, value: Any, other: Any, known: frozenset[str]) -> Value:
    """Properties with marks where they are hidden, and what is JSON inside text parsed.

    Args:
        type_: type of the resource.
        value: its properties as a preview has them.
        other: the same on the other side of the change: what is secret there is so here.
        known: what `secrets_in` has found.
    """
    result: Value = _Walk(known=known, found=set()).properties(type_, value, other)
    return result


def cleaned_text(text: str, known: frozenset[str]) -> str:
    """A text without what is known to be secret or looks like it."""
    return _cleaned_short(text, known) if len(text) <= LONG else _cleaned_any(text, known)


@lru_cache(maxsize=16384)
def _cleaned_short(text: str, known: frozenset[str]) -> str:
    return _cleaned_any(text, known)


def _cleaned_any(text: str, known: frozenset[str]) -> str:
    if "\x1b" in text:
        # Colours in a message of the engine would stand between a secret and the space before it.
        text = CONTROL.sub("", text)
    if "-" in text:
        for unknown in marks.UNKNOWN_TEXTS:
            text = text.replace(unknown, UNKNOWN_INSIDE)
    return without_credentials(without_known(text, known))


class _Walk:
    """Goes through properties and those of the other side together.

    With `known`, what is hidden or replaced is so in what comes out; without, only `found` is of use.
    """

    def __init__(self, *, known: frozenset[str] | None, found: set[str]) -> None:
        self.known = known
        self.found = found

    def properties(self, type_: str, value: Any, other: Any) -> Any:
        """What comes out for the properties of a resource."""
        fields = SECRET_FIELDS.get(type_)
        against = None if _same(value, other) else other
        if fields is None or not isinstance(value, Mapping) or marks.SIGNATURE in value:
            return self.value(value, against, "", 0)
        result: dict[str, Any] = {}
        for key, item in value.items():
            if key not in fields:
                result |= self.mapping({key: item}, against, "", 0)
            elif key == "value" and item is not None and item == value.get("insecureValue"):
                # By AWS' own word, this is no secret.
                result[key] = SECRET
            else:
                result[key] = self.secret(item, key, beside_names=isinstance(item, Mapping))
        return result

    def value(self, value: Any, other: Any, name: str, depth: int) -> Any:
        """What comes out for a value.

        Args:
            value: as the preview has it.
            other: what is at the same place on the other side; None when nothing is, or when it is the same.
            name: of the field.
            depth: how deep it is nested.
        """
        if (mark := marks.hidden(value)) is not None:
            if mark is SECRET:
                self.leak(marks.behind(value), name, beside_names=False)
            return mark
        if depth > DEEPEST:
            return SECRET
        if other is not None and marks.hidden(other) is SECRET:
            return self.secret(value, name, beside_names=False)
        if isinstance(value, str):
            return self.text(value, other, name, depth)
        if isinstance(value, Mapping):
            return self.mapping(value, other, name, depth)
        if isinstance(value, Sequence):
            return self.list(value, other, name, depth)
        return value

    def text(self, text: str, other: Any, name: str, depth: int) -> Any:
        parsed = _parsed(text)
        if is_secret_name(name) and not is_plain(text) and (parsed is None or (parsed and isinstance(parsed, Mapping))):
            return self.secret(text, name, beside_names=not is_strong_name(name))
        if parsed is not None:
            if self.known and text.strip() in self.known:
                return SECRET
            against = _parsed(other) if isinstance(other, str) else other
            return self.value(parsed, None if _same(parsed, against) else against, name, depth + 1)
        if self.known is None:
            return text
        if name.lower().endswith(HASHES):
            return without_known(text, self.known)
        result = cleaned_text(text, self.known)
        return SECRET if result == REPLACEMENT else result

    def mapping(self, value: Mapping[str, Any], other: Any, name: str, depth: int) -> Any:
        if marks.SIGNATURE in value:
            return self.value(marks.described(value), None, name, depth + 1)
        against = other if isinstance(other, Mapping) else {}
        named = _named(value)
        # What holds credentials under names of its own: `credentials: {user: ..., first: ...}`.
        holds = name == "secrets" or (is_secret_name(name) and name != "secret")
        is_secret = value.get("kind") == "Secret" and "apiVersion" in value
        result: dict[str, Any] = {}
        for key, item in value.items():
            if is_secret and key in ("data", "stringData"):
                result[key] = self.secret(item, key, beside_names=True)
                continue
            label = named if named and key in VALUE_KEYS else key
            if name == ENTRY and key == "secret" and isinstance(item, str) and may_be_name(item):
                label = ""
            if holds and isinstance(item, str) and not says_where(key) and not is_plain(item):
                shown: Any = self.secret(item, key, beside_names=True)
            else:
                shown = self.value(item, against.get(key), label, depth + 1)
            result[self.key(key, result)] = shown
        return result

    def list(self, value: Sequence[Any], other: Any, name: str, depth: int) -> list[Any]:
        against = _beside(value, other)
        result: list[Any] = []
        flag = ""
        for item, one in zip(value, against, strict=True):
            # ["--password", "..."]
            entry = ENTRY if lists_secrets(name) else ""
            result.append(self.value(item, one, entry if isinstance(item, Mapping) else flag or name, depth + 1))
            flag = item if isinstance(item, str) and item.startswith("-") and is_secret_name(item) else ""
        return result

    def key(self, key: str, taken: Mapping[str, Any]) -> str:
        result = cleaned_text(key, self.known) if self.known is not None else key
        if result == key:
            return key
        number = 1
        unique = result
        while unique in taken:
            number += 1
            unique = f"{result} {number}"
        return unique

    def secret(self, value: Any, name: str, *, beside_names: bool) -> Any:
        """Hides a value, of the data of a Secret each by itself, and keeps in mind what it was."""
        if value is None:
            return None
        if name in ("data", "stringData") and isinstance(value, Mapping) and marks.SIGNATURE not in value:
            result: dict[str, Any] = {}
            for key, item in value.items():
                result[self.key(key, result)] = self.secret(item, f"[{key}]", beside_names=beside_names)
            return result
        mark = marks.hidden(value)
        self.leak(value if mark is None else marks.behind(value), name, beside_names=beside_names and mark is None)
        return mark or SECRET

    def leak(self, value: Any, name: str, *, beside_names: bool) -> None:
        """Keeps in mind what is told in plain though it is secret."""
        if self.known is None and value is not None:
            self.found.update(_telling(value, name, beside_names=beside_names, depth=0))


def _telling(value: Any, name: str, *, beside_names: bool, depth: int) -> Iterator[str]:
    if depth > DEEPEST or marks.hidden(value) is not None:
        return
    if isinstance(value, str):
        yield from looked_for(value, beside_names=beside_names and not is_strong_name(name))
        if (parsed := _parsed(value)) is not None:
            yield from _telling(parsed, name, beside_names=True, depth=depth + 1)
        elif (decoded := _decoded(value)) is not None:
            yield from _telling(decoded, name, beside_names=True, depth=depth + 1)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            label = _named(value) if key in VALUE_KEYS else key
            yield from _telling(item, label or key, beside_names=True, depth=depth + 1)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _telling(item, name, beside_names=True, depth=depth + 1)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from looked_for(str(value), beside_names=False)


def _decoded(text: str) -> str | None:
    """What base64 stands for, when that is text."""
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return decoded if decoded.isprintable() or "\n" in decoded else None


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Any:
    """What JSON inside a text stands for; None when there is none."""
    bare = text.strip()
    if bare[:1] + bare[-1:] not in ("{}", "[]") or text == marks.SECRET_TEXT:
        return None
    try:
        return parsed(bare)
    except (ValueError, RecursionError):
        return None


def _named(value: Mapping[str, Any]) -> str:
    """The name of what a mapping has the value of, as in a container's environment."""
    if not any(key in value for key in VALUE_KEYS):
        return ""
    return next((value[key] for key in NAME_KEYS if isinstance(value.get(key), str)), "")


def _same(one: object, other: object) -> bool:
    try:
        return one == other
    except RecursionError:
        return False


def _has_name(entry: object) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("name"), str)


def _beside(value: Sequence[Any], other: Any) -> Sequence[Any]:
    """What stands beside each entry of a list on the other side: by name where entries have one, or by place."""
    if not isinstance(other, Sequence) or isinstance(other, str):
        return [None] * len(value)
    beside = [*other[: len(value)], *([None] * (len(value) - len(other)))]
    names = {entry["name"]: entry for entry in other if _has_name(entry)}
    if not names or not all(map(_has_name, value)):
        return beside
    # An entry with another name than any before may be the same with a new one, or with one that is hidden there.
    known = {entry["name"] for entry in value}
    free = [None if _has_name(entry) and entry["name"] in known else entry for entry in beside]
    return [names.get(entry["name"], one) for entry, one in zip(value, free, strict=True)]
