"""The figures as an SVG picture: one row each, its pairs as dots, all on one scale on which the goals are one line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from tests.bench.report import goal, with_unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.figures import Figure

WIDTH, LABELS, VALUES, MARGIN = 1100, 450, 230, 24
TOP, ROW, BOTTOM = 92, 46, 64
LEFT, RIGHT = LABELS, WIDTH - VALUES
GOOD, BAD, INK, PALE = "#1b7f5c", "#c2410c", "#1f2933", "#6b7785"
TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
FONT = "font-family='system-ui, DejaVu Sans, sans-serif'"


class _Scale:
    """Places shares of the goal on the page, logarithmically."""

    def __init__(self, shares: Sequence[float]) -> None:
        usable = [share for share in shares if share > 0]
        self.low = max(tick for tick in TICKS if tick <= max(TICKS[0], min([*usable, 0.5])))
        self.high = min(tick for tick in TICKS if tick >= min(TICKS[-1], max([*usable, 2])))

    def x(self, share: float) -> float:
        inside = min(self.high, max(self.low, share))
        part = math.log(inside / self.low) / math.log(self.high / self.low)
        return LEFT + part * (RIGHT - LEFT)

    @property
    def ticks(self) -> list[float]:
        return [tick for tick in TICKS if self.low <= tick <= self.high]


def svg(machine: Mapping[str, str], figures: Sequence[Figure]) -> str:
    """The picture of all figures that have a goal."""
    shown = [figure for figure in figures if figure.goal is not None]
    scale = _Scale([share for figure in shown for share in _shares(figure)])
    height = TOP + ROW * len(shown) + BOTTOM
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' {FONT} role='img'>",
        "<title>Penstock's figures beside their goals</title>",
        f"<rect width='{WIDTH}' height='{height}' fill='white'/>",
        _text(MARGIN, 34, "Penstock's figures beside their goals", size=19, weight=600),
        _text(MARGIN, 56, "  ·  ".join(machine.values()), size=12, colour=PALE),
        *_axis(scale, height),
    ]
    for number, figure in enumerate(shown):
        parts += _row(scale, figure, TOP + ROW * number + ROW / 2)
    return "\n".join([*parts, "</svg>", ""])


def _axis(scale: _Scale, height: int) -> list[str]:
    bottom = height - BOTTOM
    goal_at = scale.x(1)
    parts = [
        f"<rect x='{LEFT}' y='{TOP}' width='{goal_at - LEFT:.1f}' height='{bottom - TOP}' fill='{GOOD}' opacity='.07'/>"
    ]
    for tick in scale.ticks:
        x = scale.x(tick)
        parts += [
            f"<line x1='{x:.1f}' y1='{TOP}' x2='{x:.1f}' y2='{bottom}' stroke='#d5dae0'/>",
            _text(x, bottom + 18, f"{tick:g}", anchor="middle", size=12, colour=PALE),
        ]
    caption = "share of what the goal allows, logarithmic: left of 1 the goal is met"
    return [
        *parts,
        f"<line x1='{goal_at:.1f}' y1='{TOP - 6}' x2='{goal_at:.1f}' y2='{bottom}' stroke='{INK}' stroke-width='1.5'/>",
        _text(goal_at, TOP - 12, "goal", anchor="middle", size=12, weight=600),
        _text((LEFT + RIGHT) / 2, bottom + 40, caption, anchor="middle", size=12, colour=PALE),
    ]


def _row(scale: _Scale, figure: Figure, y: float) -> list[str]:
    colour = GOOD if figure.met else BAD
    low, high = (scale.x(share) for share in sorted(_share(figure, value) for value in figure.quartiles))
    median = scale.x(_share(figure, figure.median))
    dots = [
        f"<circle cx='{scale.x(share):.1f}' cy='{y:.1f}' r='3.2' fill='{colour}' opacity='.22'/>"
        for share in _shares(figure)
    ]
    return [
        _text(MARGIN, y - 2, figure.name, size=14),
        _text(MARGIN, y + 14, f"beside {figure.other}", size=12, colour=PALE),
        *dots,
        f"<line x1='{low:.1f}' y1='{y:.1f}' x2='{high:.1f}' y2='{y:.1f}' stroke='{colour}' stroke-width='3'/>",
        f"<circle cx='{median:.1f}' cy='{y:.1f}' r='6' fill='{colour}'/>",
        _text(RIGHT + 18, y + 5, with_unit(figure.median, figure.value_unit), size=15, weight=600, colour=colour),
        _text(WIDTH - MARGIN, y + 5, f"goal {goal(figure)}", anchor="end", size=12, colour=PALE),
    ]


def _shares(figure: Figure) -> list[float]:
    return [_share(figure, value) for value in figure.values]


def _share(figure: Figure, value: float) -> float:
    share = figure.goal_used(value)
    assert share is not None
    return share


def _text(
    x: float, y: float, text: str, *, size: int, weight: int = 400, colour: str = INK, anchor: str = "start"
) -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' font-weight='{weight}' fill='{colour}' "
        f"text-anchor='{anchor}'>{escape(text)}</text>"
    )
