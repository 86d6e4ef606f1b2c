"""Values as programs give them and AWS tells them: unknown ones, and which of two mean the same."""

from collections.abc import Iterator
from typing import Any, Final

Values = dict[str, Any]
"""Inputs or outputs of a resource by the names that the SDK sends: lowerCamelCase."""

TAGS: Final = frozenset({"tags", "tagsAll"})


class Unknown:
    """What is not known before `pulumi up`; so is all that is inside of it."""

    def __repr__(self) -> str:
        return "<unknown>"

    def __getitem__(self, _: object) -> "Unknown":
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())


UNKNOWN: Final = Unknown()


def has_unknown(value: Any) -> bool:
    """Whether a value is unknown, or anything inside of it."""
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    if isinstance(value, list):
        return any(map(has_unknown, value))
    return isinstance(value, Unknown)


def same(one: Any, other: Any, *, subset: bool = False) -> bool:
    """Whether two values are equal; an unknown one equals nothing, and a number is no truth value.

    Args:
        one: the first.
        other: the second.
        subset: whether what only `other` has in its objects is no difference, as what a service fills in.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        keys = one.keys() if subset else one.keys() | other.keys()
        return all(key in one and key in other and same(one[key], other[key], subset=subset) for key in keys)
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(same(a, b, subset=subset) for a, b in pairs)
    if has_unknown(one) or has_unknown(other):
        return False
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def differences(old: Any, new: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Each place in which two values differ: its path as Pulumi spells it, and ADD, DELETE or UPDATE."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            step = (f"{at}.{key}" if at else key) if key.isidentifier() else f'{at}["{key}"]'
            yield from _difference(old.get(key), new.get(key), step)
    elif isinstance(old, list) and isinstance(new, list):
        for i in range(max(len(old), len(new))):
            yield from _difference(old[i] if i < len(old) else None, new[i] if i < len(new) else None, f"{at}[{i}]")
    elif not same(old, new):
        yield at, "UPDATE"


def _difference(old: Any, new: Any, at: str) -> Iterator[tuple[str, str]]:
    if old is None and new is None:
        return
    if old is None or new is None:
        yield at, "ADD" if old is None else "DELETE"
    else:
        yield from differences(old, new, at)
