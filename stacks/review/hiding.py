"""Keeps out of a review what is secret: what Pulumi marks, what a provider leaks beside it, and what looks like it."""

from collections.abc import Iterable
from typing import Any

from stacks.review.values import Value


def secrets_in(states: Iterable[tuple[str, Any, Any]]) -> frozenset[str]:
    """The texts that are known to be secret, wherever else they stand.

    Args:
        states: for each resource its type, and its properties before and after, inputs or outputs, as a preview has
            them; None where there are none.
    """
    del states
    return frozenset()


def cleaned(type_: str, value: Any, other: Any, known: frozenset[str]) -> Value:
    """Properties with marks where they are hidden, and what is JSON inside text parsed.

    Args:
        type_: type of the resource.
        value: its properties as a preview has them.
        other: the same on the other side of the change: what is secret there is so here.
        known: what `secrets_in` has found.
    """
    del type_, other, known
    cleaned_value: Value = value
    return cleaned_value


def cleaned_text(text: str, known: frozenset[str]) -> str:
    """A text without what is known to be secret or looks like it."""
    del known
    return text
