"""The figures as a table for people and as JSON for machines."""

from __future__ import annotations

import json
import statistics
from typing import TYPE_CHECKING

from tests.bench.figures import Comparison, Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEADINGS = ("what", "beside", "Penstock", "other", "figure", "middle half", "all", "pairs", "goal", "")
SIGNS = {Comparison.SPEEDUP: "≥"}
COUNTS = {"calls", "errors", "tasks"}
"""Units of what is counted, and is told in full."""
MET = {True: "met", False: "missed", None: ""}


def table(machine: Mapping[str, str], figures: Sequence[Figure], skipped: Mapping[str, str]) -> str:
    """The whole report for people.

    Args:
        machine: facts about where it was measured, in words.
        figures: what was measured.
        skipped: sections that were not, and why.
    """
    lines = [f"{name:<10}{fact}" for name, fact in machine.items()]
    rows = [HEADINGS, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    section = ""
    for figure, row in zip([None, *figures], rows, strict=True):
        if figure is not None and figure.section != section:
            section = figure.section
            lines += ["", section]
        elif figure is None:
            lines += [""]
        lines += ["  " + "  ".join(map(str.ljust, row, widths)).rstrip()]
    for name, reason in skipped.items():
        lines += ["", name, f"  {reason}"]
    if figures:
        lines += ["", "Medians; `figure` is the median over pairs that were measured one right after the other."]
    return "\n".join(lines)


def _row(figure: Figure) -> tuple[str, ...]:
    values = figure.values
    unit = figure.value_unit
    return (
        figure.name,
        figure.other,
        with_unit(statistics.median(figure.ours), figure.unit),
        with_unit(statistics.median(figure.others), figure.unit),
        with_unit(figure.median, unit),
        span(*figure.quartiles),
        span(min(values), max(values)),
        str(len(values)),
        goal(figure),
        MET[figure.met],
    )


def goal(figure: Figure) -> str:
    """The goal in words; nothing where there is none."""
    if figure.goal is None:
        return ""
    return f"{SIGNS.get(figure.comparison, '≤')} {figure.goal:g}{_separator(figure.value_unit)}{figure.value_unit}"


def with_unit(value: float, unit: str) -> str:
    """A value to three digits, or a count in full, with its unit."""
    if unit in COUNTS:
        return f"{value:g} {unit}"
    return f"{digits(value)}{_separator(unit)}{unit}"


def span(low: float, high: float) -> str:
    """Two values, from the smaller to the larger."""
    return f"{digits(low)} to {digits(high)}"


def digits(value: float) -> str:
    """A number to three digits, never in powers of ten."""
    for limit, decimals in ((0.0995, 4), (0.995, 3), (9.95, 2), (99.5, 1)):
        if abs(value) < limit:
            return f"{value:.{decimals}f}"
    return f"{value:.0f}"


def _separator(unit: str) -> str:
    return "" if unit == "x" else " "


def as_json(machine: Mapping[str, str], figures: Sequence[Figure], skipped: Mapping[str, str]) -> str:
    """The same as one JSON object, with every single measurement."""
    found = [
        {
            "section": figure.section,
            "name": figure.name,
            "other": figure.other,
            "comparison": figure.comparison,
            "unit": figure.value_unit,
            "median": figure.median,
            "quartiles": figure.quartiles,
            "lowest": min(figure.values),
            "highest": max(figure.values),
            "goal": figure.goal,
            "met": figure.met,
            "measured_in": figure.unit,
            "ours": figure.ours,
            "others": figure.others,
        }
        for figure in figures
    ]
    return json.dumps({"machine": machine, "figures": found, "skipped": skipped}, sort_keys=True, ensure_ascii=False)
