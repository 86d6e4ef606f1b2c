"""Values of resources as previews have them: plain, not known before the change is made, or secret."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, TypeAlias

from stacks.review.plain_json import parsed


class Hidden(Enum):
    """What stands in the place of a value that is not shown."""

    UNKNOWN = "known after the change"
    """The provider tells it only when the change is made."""
    SECRET = "secret"  # noqa: S105 a mark, not a secret
    """Pulumi keeps it encrypted, or it looks like what nobody should read."""

    def __repr__(self) -> str:
        return f"<{self.value}>"


UNKNOWN, SECRET = Hidden.UNKNOWN, Hidden.SECRET

Value: TypeAlias = bool | int | float | str | Hidden | Sequence["Value"] | Mapping[str, "Value"] | None
Properties: TypeAlias = Mapping[str, Value]


def tree(value: object) -> Any:
    """A value with what is JSON inside text parsed, at any depth: a policy, container definitions, a document."""
    if isinstance(value, str):
        text = value.strip()
        if text[:1] in ("{", "[") and text[-1:] in ("}", "]"):
            try:
                return tree(parsed(text))
            except (ValueError, RecursionError):
                return value
        return value
    if isinstance(value, Mapping):
        return {key: tree(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [tree(item) for item in value]
    return value


def at(value: object, *path: str | int) -> Any:
    """What is at a path of keys and indices; None when the way ends before, the mark when it ends in a hidden value."""
    for key in path:
        if isinstance(value, Hidden):
            return value
        if isinstance(value, Mapping) and isinstance(key, str):
            value = value.get(key)
        elif isinstance(value, Sequence) and not isinstance(value, str) and isinstance(key, int):
            value = value[key] if -len(value) <= key < len(value) else None
        else:
            return None
    return value


def items(value: object) -> list[Any]:
    """The entries of a list; a single value is one entry, nothing and what is hidden none."""
    if value is None or isinstance(value, Hidden):
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def mapping(value: object) -> Mapping[str, Any]:
    """The mapping; an empty one when it is anything else."""
    return value if isinstance(value, Mapping) else {}
