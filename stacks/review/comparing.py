"""What differs between two values, field by field, without what is only written in another way."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stacks.review.values import Hidden, Value, tree

KEYS = ("name", "Sid", "sid", "key", "containerPort", "mountPath", "sourceVolume", "env", "id")
"""Properties by which the entries of a list are told apart; the first that all entries have, each its own."""
SILENT = ("__defaults", "__internal")
"""Properties that Pulumi's SDKs keep for themselves."""
TAGS = ("tags", "tagsAll")
EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True, kw_only=True)
class Change:
    """One field that differs."""

    path: str
    """As `containers[flow].image`: names of entries instead of indices, where entries have names."""
    before: Value
    """None when it was not there."""
    after: Value
    """None when it is not going to be there."""


def changes(before: object, after: object) -> list[Change]:
    """The fields that differ, in the order of their paths.

    JSON inside text is compared by its fields. Nothing, an empty list, mapping and text are the same. The order of
    keys is not told; that of lists only where it can matter, so not in lists of plain values or of named entries.
    """
    found: list[Change] = []
    _compare("", tree(before), tree(after), found)
    return sorted(found, key=lambda change: change.path)


def canonical(value: object) -> str:
    """A text that is the same for values that are."""
    return json.dumps(value, sort_keys=True, default=repr)


def _compare(path: str, before: Any, after: Any, found: list[Change]) -> None:
    if before in EMPTY and after in EMPTY:
        return
    if isinstance(before, Mapping | None) and isinstance(after, Mapping | None):
        old, new = before or {}, after or {}
        if (old or new) and (before is not None or after is not None):
            for key in sorted({*old, *new} - set(SILENT)):
                _compare(f"{path}.{key}" if path else key, old.get(key), new.get(key), found)
            return
    if _is_list(before) and _is_list(after):
        _compare_lists(path, before, after, found)
        return
    if not _same(before, after):
        found.append(Change(path=path, before=before, after=after))


def _compare_lists(path: str, before: Sequence[Any], after: Sequence[Any], found: list[Change]) -> None:
    if canonical(before) == canonical(after):
        return
    if key := _key(before, after):
        old = {entry[key]: entry for entry in before}
        new = {entry[key]: entry for entry in after}
        for name in sorted({*old, *new}, key=str):
            _compare(f"{path}[{name}]", old.get(name), new.get(name), found)
        return
    if sorted(map(canonical, before)) == sorted(map(canonical, after)) and not any(map(_is_list, (*before, *after))):
        return
    if all(isinstance(entry, Mapping) for entry in (*before, *after)) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            _compare(f"{path}[{index}]", one, other, found)
        return
    found.append(Change(path=path, before=before, after=after))


def _key(before: Sequence[Any], after: Sequence[Any]) -> str | None:
    entries = (*before, *after)
    if not entries or not all(isinstance(entry, Mapping) for entry in entries):
        return None
    for key in KEYS:
        if all(isinstance(entry.get(key), str | int) for entry in entries) and all(
            len({entry[key] for entry in side}) == len(side) for side in (before, after)
        ):
            return key
    return None


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _same(before: object, after: object) -> bool:
    # 256 and "256", true and "true": providers write numbers and truth values as text.
    if isinstance(before, Hidden) or isinstance(after, Hidden):
        return before is after
    return before == after or (_plain(before) == _plain(after) and not isinstance(before, Mapping | list))


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
