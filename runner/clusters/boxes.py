"""Turns times into boxes of whole columns, so that a picture of any number of tasks stays small.

A time of at least four columns is a box of its own, with a gap behind it. Shorter ones share columns: each column is
marked with what took most of it, weaker where little of it was busy, and neighbours that are alike become one box.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from runner.clusters.task_records import Label, Span

OWN_COLUMNS = 4
"""How wide a time must be for a box of its own: with a gap, three columns are left."""
STRENGTHS = (0.4, 0.7, 1.0)
"""How strong a column's mark is, by the third of it that was busy."""


class Box(NamedTuple):
    """Some columns with one mark."""

    first: int
    width: int
    label: Label
    strength: float


def boxes(spans: Iterable[Span], *, seconds: float, columns: int) -> list[Box]:
    """The boxes of one thread from left to right, at most one for each column.

    Args:
        spans: times between 0 and `seconds`, in order of their starts.
        seconds: how long the columns are in all.
        columns: how many there are.
    """
    scale = columns / seconds
    found: list[Box] = []
    shared: dict[tuple[int, Label], float] = {}
    taken: set[int] = set()
    reach = 0
    for start, stop, label in spans:
        left, right = start * scale, stop * scale
        first, end = max(round(left), reach), round(right)
        if end - first >= OWN_COLUMNS:
            found.append(Box(first, end - first - 1, label, 1.0))
            taken.update(range(first, end - 1))
            reach = end
            continue
        last = min(int(right), columns - 1)
        # What lies under a box cannot be seen: times that overlap, as transfers do, cost no more than others.
        hidden = reach if right - left >= OWN_COLUMNS else min(reach - 1, last)
        for column in range(max(min(int(left), last), hidden), last + 1):
            part = max(0.0, min(right, column + 1) - max(left, column))
            shared[column, label] = shared.get((column, label), 0.0) + part
    found += _merged({place: busy for place, busy in shared.items() if place[0] not in taken})
    return sorted(found)


def _merged(shared: Mapping[tuple[int, Label], float]) -> list[Box]:
    most: dict[int, tuple[float, Label]] = {}
    busy: dict[int, float] = {}
    for (column, label), part in shared.items():
        most[column] = max(most.get(column, (part, label)), (part, label))
        busy[column] = busy.get(column, 0.0) + part
    merged: list[Box] = []
    for column in sorted(most):
        label = most[column][1]
        strength = STRENGTHS[min(int(busy[column] * len(STRENGTHS)), len(STRENGTHS) - 1)]
        before = merged[-1] if merged else None
        if before and before.first + before.width == column and before[2:] == (label, strength):
            merged[-1] = before._replace(width=before.width + 1)
        else:
            merged.append(Box(column, 1, label, strength))
    return merged
