"""Draw a heat map with a bar beside each row, as SVG, with nothing but Python."""

import math
from dataclasses import dataclass
from html import escape

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
PAPER, INK, SOFT, LINE, BAR = "#ffffff", "#1d2433", "#5d6778", "#d5dae3", "#8c9dbb"
SCALE = ((252, 246, 232), (252, 217, 160), (245, 158, 94), (215, 84, 68), (150, 32, 82), (78, 16, 68))  # low to high

WIDTH, MARGIN, LABELS, GRID, GAP, NUMBERS = 1116, 36, 200, 552, 12, 62  # widths; the bars get what is left
ROW, BREAK, TOP = 26, 30, 128  # heights: of a row, between groups, and where the first row starts
LEFT = MARGIN + LABELS + GAP  # where the cells start


@dataclass(frozen=True)
class Row:
    """One line: a share for each column, from 0 to 1 or None where there is too little to tell, and the bar."""

    label: str
    shares: list[float | None]
    flights: int


def heat_map(
    *, title: str, subtitle: str, columns: list[str], groups: dict[str, list[Row]], notes: list[str], few: str
) -> str:
    """Return the text of the SVG file. The last column and the last group stand apart: they sum up the others."""
    shares = [share for rows in groups.values() for row in rows for share in row.shares if share is not None]
    top = max(1, math.ceil(max(shares) * 10)) / 10  # the colours end at the next full 10 %
    bodies = list(groups.values())[:-1]
    longest = max(row.flights for rows in bodies for row in rows)
    cell = min(GRID / (len(columns) - 1), 80)
    edges = [LEFT + cell * i for i in range(len(columns))]
    edges[-1] += GAP
    side = edges[-1] + cell + 2 * GAP  # where the bars start
    scale = (WIDTH - MARGIN - NUMBERS - side) / longest

    drawn = [text(MARGIN, 50, title, size=23, weight=650), text(MARGIN, 74, subtitle, fill=SOFT, size=14)]
    drawn += legend(top, few)
    for x, column in zip(edges, columns, strict=True):
        drawn.append(text(x + cell / 2, TOP - 10, column, fill=SOFT, anchor="middle"))
    drawn.append(text(side, TOP - 10, "Flights", fill=SOFT))

    y = TOP
    for heading, rows in groups.items():
        y += (BREAK if heading else BREAK // 3) if y > TOP else 0
        drawn.append(text(LEFT - GAP, y - 10, heading, fill=SOFT, anchor="end"))
        for row in rows:
            middle = y + ROW / 2 + 4.5
            drawn.append(text(LEFT - GAP, middle, row.label, size=13, anchor="end"))
            for x, column, share in zip(edges, columns, row.shares, strict=True):
                drawn.append(square(x, y, cell, share, top=top, tip=f"{row.label}, {column}"))
            bar = row.flights * scale if rows in bodies else 0
            drawn.append(rect(side, y + 6, bar, ROW - 12, fill=BAR))
            drawn.append(text(side + bar + (6 if bar else 0), middle, f"{row.flights:,}"))
            y += ROW
    for note in notes:
        y += 18
        drawn.append(text(MARGIN, y + 14, note, fill=SOFT))
    height = y + MARGIN + 4

    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{FONT}">'
    paper = f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>'
    return "\n".join([head, f"<title>{escape(title)}</title>", paper, *drawn, "</svg>"]) + "\n"


def legend(top: float, few: str) -> list[str]:
    """Explain the colours, and the cells that have none, at the upper right."""
    width, y = 200, 36
    x = WIDTH - MARGIN - width
    stops = "".join(f'<stop offset="{i / 5:g}" stop-color="{colour(i / 5)}"/>' for i in range(6))
    drawn = [f'<defs><linearGradient id="scale">{stops}</linearGradient></defs>']
    drawn.append(rect(x, y, width, 12, fill="url(#scale)"))
    for part, anchor in ((0, "start"), (0.5, "middle"), (1, "end")):
        drawn.append(text(x + part * width, y + 28, f"{part * top:.0%}", fill=SOFT, anchor=anchor))
    drawn.append(square(x - 196, y - 7, 40, None, top=top, tip=few))
    drawn.append(text(x - 150, y + 10.5, few, fill=SOFT))
    return drawn


def square(x: float, y: float, width: float, share: float | None, *, top: float, tip: str) -> str:
    """Draw one cell; its tip shows under the mouse."""
    fill, stroke, ink, label = PAPER, LINE, SOFT, "\N{EN DASH}"
    if share is not None:
        fill = stroke = colour(share / top)
        ink, label = PAPER if share / top > 0.54 else INK, f"{share:.0%}"
    box = rect(x + 1.5, y + 1.5, width - 3, ROW - 3, fill=fill, stroke=stroke)
    inside = text(x + width / 2, y + ROW / 2 + 4.5, label, fill=ink, anchor="middle")
    return f"<g><title>{escape(tip)}</title>{box}{inside}</g>"


def colour(part: float) -> str:
    """Mix the colour that lies at this part of the scale, from 0 to 1."""
    place = min(max(part, 0), 1) * (len(SCALE) - 1)
    below = min(int(place), len(SCALE) - 2)
    mixed = (low + (high - low) * (place - below) for low, high in zip(SCALE[below], SCALE[below + 1], strict=True))
    return "#" + "".join(f"{round(value):02x}" for value in mixed)


def rect(x: float, y: float, width: float, height: float, *, fill: str, stroke: str = "none") -> str:
    """Return a rectangle with rounded corners."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {place} rx="2.5" fill="{fill}" stroke="{stroke}"/>'


def text(
    x: float, y: float, content: str, *, fill: str = INK, size: int = 12, weight: int = 400, anchor: str = "start"
) -> str:
    """Return a line of text."""
    style = f'font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{fill}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(content)}</text>'
