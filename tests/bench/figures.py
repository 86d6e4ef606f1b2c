"""What the bench finds out: pairs of measurements, what they say together, and the goal beside it."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from enum import StrEnum


class Comparison(StrEnum):
    """How a figure follows from the two sides of a pair."""

    RATIO = "ratio"
    """Penstock's divided by the other's; small is good."""
    SPEEDUP = "speed-up"
    """The other's divided by Penstock's; large is good."""
    DIFFERENCE = "difference"
    """Penstock's without the other's; small is good."""
    AMOUNT = "amount"
    """Penstock's alone, the other's is only printed beside it; small is good."""


UNITS = {Comparison.RATIO: "x", Comparison.SPEEDUP: "x"}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One thing that was measured, several times, each time beside what it is compared with."""

    section: str
    name: str
    other: str
    """What it is compared with."""
    comparison: Comparison
    goal: float | None
    """Largest value wished for, of a speed-up the smallest; null where there is none. Never a condition."""
    ours: tuple[float, ...]
    """Penstock's measurements in the unit, one for each pair."""
    others: tuple[float, ...]
    """The other's, measured right beside."""
    unit: str = "s"
    """Unit of the measurements: s, MB, or what is counted."""

    @property
    def values(self) -> list[float]:
        """The figure of each pair."""
        pairs = list(zip(self.ours, self.others, strict=True))
        match self.comparison:
            case Comparison.RATIO:
                return [ours / other for ours, other in pairs]
            case Comparison.SPEEDUP:
                return [other / ours for ours, other in pairs]
            case Comparison.DIFFERENCE:
                return [ours - other for ours, other in pairs]
            case Comparison.AMOUNT:
                return list(self.ours)

    @property
    def value_unit(self) -> str:
        """Unit of the figure."""
        return UNITS.get(self.comparison, self.unit)

    @property
    def median(self) -> float:
        """The figure: half of the pairs are below it."""
        return statistics.median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between these lie the middle half of the pairs."""
        values = self.values
        if len(values) < 2:
            return values[0], values[0]
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
        return low, high

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the goal; null where there is none."""
        used = self.goal_used(self.median)
        return None if used is None else used <= 1

    def goal_used(self, value: float) -> float | None:
        """How much of what the goal allows a value takes: up to 1 is good, for a speed-up too."""
        if self.goal is None:
            return None
        if self.comparison is Comparison.SPEEDUP:
            return self.goal / value
        if self.goal == 0:
            return math.inf if value > 0 else 0.0
        return value / self.goal
