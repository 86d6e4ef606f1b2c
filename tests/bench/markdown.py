"""The figures as tables of `docs/figures.md`."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from tests.bench.figures import Comparison, Figure
from tests.bench.report import COUNTS, digits, with_unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEAD = ("| what | beside | figure (middle half) | goal |", "|---|---|---|---|")
MORE = {Comparison.SPEEDUP: " times faster", Comparison.DIFFERENCE: " more"}


def tables(machine: Mapping[str, str], figures: Sequence[Figure], skipped: Mapping[str, str]) -> str:
    """A table for each section, after a line on what it was measured on.

    Args:
        machine: facts about where it was measured, in words.
        figures: what was measured.
        skipped: sections that were not, and why.
    """
    lines = [f"Measured on: {'; '.join(machine.values())}."]
    for section in dict.fromkeys(figure.section for figure in figures):
        lines += ["", f"## {section}", "", *HEAD]
        lines += [_row(figure) for figure in figures if figure.section == section]
    lines += [line for name, reason in skipped.items() for line in ("", f"{name}: {reason}")]
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    beside = figure.other
    if figure.comparison is not Comparison.SPEEDUP and figure.unit not in COUNTS:
        beside += f", {with_unit(statistics.median(figure.others), figure.unit)}"
    cells = (figure.name, beside, _value(figure), _goal(figure))
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _value(figure: Figure) -> str:
    found = _amount(figure, with_unit(figure.median, figure.value_unit))
    low, high = figure.quartiles
    return found if low == high else f"{found} ({digits(low)}-{digits(high)})"


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return "-"
    wanted = _amount(figure, f"{figure.goal:g}{'' if figure.value_unit == 'x' else ' '}{figure.value_unit}")
    most = "" if figure.comparison is Comparison.SPEEDUP else "at most "
    return f"{most}{wanted.removesuffix(' faster')}{'' if figure.met else ': missed'}"


def _amount(figure: Figure, text: str) -> str:
    more = MORE.get(figure.comparison, "")
    return f"{text.removesuffix('x') if figure.comparison is Comparison.SPEEDUP else text}{more}"
