"""Draws Dask's task stream, who worked on what and when, as SVG, with nothing but Python."""

import math
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any, NamedTuple

from runner.clusters.boxes import boxes
from runner.clusters.task_records import TASKS, Kind, Label, Span, Stream, Thread, Worker, read

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
PAPER, INK, SOFT, LINE, BAND = "#ffffff", "#1d2433", "#5d6778", "#d5dae3", "#f1f3f7"
PALETTE = (
    *("#3b6fb6", "#2a9d8f", "#e0b12e", "#7b5bb5", "#5fa84f", "#d978a8"),
    *("#6fb1e0", "#94684a", "#b39ad9", "#a9c94f", "#8e3b73", "#17685b"),
)
"""Colours of the tasks: one for each name that is in the legend, and none that is near red or orange."""
REST = Label(Kind.TASK, "")
"""Tasks of all names for which the legend has no room."""
FIXED = {
    REST: ("other names", "#aab3c2"),
    Label(Kind.FAILED, Kind.FAILED): ("failed", "#1d2433"),
    Label(Kind.TRANSFER, Kind.TRANSFER): ("transfer between workers", "#e0352b"),
    Label(Kind.DISK, Kind.DISK): ("disk", "#f08a24"),
    Label(Kind.OTHER, Kind.OTHER): ("deserialization", "#8a93a3"),
}
"""Words and colour of everything else, in the order of the legend."""

WIDTH, MARGIN, LABELS, GAP = 1116, 36, 168, 12  # widths; the plot gets what is left
LEFT = MARGIN + LABELS + GAP  # where the plot starts
PLOT = WIDTH - MARGIN - LEFT
TOP, BETWEEN = 104, 5  # heights: above the first row, between workers
ENTRY, ACROSS = 22, 3  # the legend: height of a line, entries on it
NAME, TIP = 27, 80  # longest names, in characters
MAX_ROWS = 120
MAX_BOXES = 144 * 1024
"""Most bytes of boxes. More of them are drawn in wider columns, so that the picture is below 200 KB whatever ran: rows
and names are limited too."""
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Line(NamedTuple):
    """Half a row: what its thread ran, or the thin line under that."""

    middle: float
    height: int
    spans: list[Span]


def picture(records: Iterable[Mapping[str, Any]], workers: Mapping[str, Worker], *, limit: int | None = None) -> str:
    """The text of the SVG file: a row for each thread, a box for each task that is wide enough to be seen alone.

    Args:
        records: as `distributed.get_task_stream` has them.
        workers: the workers by address.
        limit: how many records the scheduler keeps; when there are as many, tasks before them are missing.
    """
    stream = read(records, workers)
    rows = _rows(stream.threads)
    pitch = max(6, min(20, 480 // max(len(rows), 1)))
    places = _places(rows, pitch)
    bottom = places[-1] + pitch if places else TOP
    colours = _colours(stream)
    legend = _legend(stream, colours)
    below = bottom + 60
    end = below + math.ceil(len(legend) / ACROSS) * ENTRY
    drawn = [
        _text(MARGIN, 50, _headline(stream, limit), size=23, weight=650),
        _text(MARGIN, 74, _subtitle(stream, len(rows)), fill=SOFT, size=14),
        _bands(places, pitch),
        *_scale(stream.seconds, bottom),
        *_boxes(stream.seconds, _lines(rows, places, pitch, colours), colours),
        *_workers(rows, places, pitch),
        *(line for number, entry in enumerate(legend) for line in _entry(number, below, *entry)),
        _text(MARGIN, end + 14, "A row is a thread. Pale: busy for a part of that time only.", fill=SOFT),
    ]
    height = end + MARGIN
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{FONT}">'
    paper = f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>'
    return "\n".join([head, "<title>Dask task stream</title>", paper, *drawn, "</svg>"]) + "\n"


def _rows(threads: Sequence[Thread]) -> list[Thread]:
    """The threads for which there is room, in order: the busiest."""
    order = sorted(range(len(threads)), key=lambda number: (-threads[number].busy, number))
    return [threads[number] for number in sorted(order[:MAX_ROWS])]


def _places(rows: Sequence[Thread], pitch: int) -> list[int]:
    """Where the rows start, from the top, with a gap between workers."""
    places: list[int] = []
    for number, row in enumerate(rows):
        gap = BETWEEN if number and row.worker != rows[number - 1].worker else 0
        places.append(places[-1] + pitch + gap if places else TOP)
    return places


def _colours(stream: Stream) -> dict[Label, str]:
    """A colour for each name: always the same one, unless a name before it in the alphabet has that already."""
    tasks = sorted((-total, label) for label, total in stream.totals.items() if label.kind is Kind.TASK)
    colours = {label: colour for label, (_, colour) in FIXED.items()}
    free = list(PALETTE)
    for label in sorted(label for _, label in tasks[: len(PALETTE)]):
        wanted = zlib.crc32(label.name.encode(errors="replace")) % len(PALETTE)
        colour = next(c for c in (*PALETTE[wanted:], *PALETTE[:wanted]) if c in free)
        free.remove(colour)
        colours[label] = colour
    return colours


def _headline(stream: Stream, limit: int | None) -> str:
    cut = "The last " if limit is not None and stream.tasks >= limit else ""
    tasks, workers = _count(stream.tasks, "task"), _count(stream.workers, "worker")
    return f"{cut}{tasks} on {workers} in {_seconds(stream.seconds)}" if stream.tasks else f"No task ran on {workers}"


def _subtitle(stream: Stream, rows: int) -> str:
    threads = len(stream.threads)
    busy = sum(thread.busy for thread in stream.threads) / (stream.seconds * max(threads, 1))
    share = "less than 1%" if 0 < busy < 0.01 else f"{min(busy, 1):.0%}"
    shown = f"; the {rows} busiest are shown" if rows < threads else ""
    return f"{_count(threads, 'thread')}, busy for {share} of the time{shown}"


def _bands(places: list[int], pitch: int) -> str:
    gap = _heights(pitch)[2]
    path = "".join(f"M{LEFT} {y}h{PLOT}v{pitch - gap}h-{PLOT}z" for y in places)
    return f'<path d="{path}" fill="{BAND}"/>'


def _heights(pitch: int) -> tuple[int, int, int]:
    """Of a row: what tasks get, the thin line under them for transfers and disk, and what is left free."""
    thin = max(1, pitch // 6)
    return pitch - 2 * thin, thin, thin


def _scale(seconds: float, bottom: int) -> list[str]:
    """Seconds from the first record, in steps of 1, 2 or 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(seconds / 10))
    step = next(power * times for times in (1, 2, 5, 10, 20) if seconds / (power * times) <= 10)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    drawn = []
    for number in range(int(seconds / step + 1e-9) + 1):
        x = LEFT + number * step / seconds * PLOT
        drawn.append(f'<path d="M{x:.1f} {TOP - 6}V{bottom + 6}" stroke="{LINE}"/>')
        drawn.append(_text(x, bottom + 22, f"{number * step:,.{digits}f} s", fill=SOFT, anchor="middle"))
    return drawn


def _lines(rows: list[Thread], places: list[int], pitch: int, colours: Mapping[Label, str]) -> list[_Line]:
    tall, thin, _ = _heights(pitch)
    lines = []
    for row, y in zip(rows, places, strict=True):
        spans = [span if span.label in colours else span._replace(label=REST) for span in row.spans]
        lines.append(_Line(y + tall / 2, tall, [span for span in spans if span.label.kind in TASKS]))
        lines.append(_Line(y + tall + thin / 2, thin, [span for span in spans if span.label.kind not in TASKS]))
    return lines


def _boxes(seconds: float, lines: list[_Line], colours: Mapping[Label, str]) -> list[str]:
    """All boxes, in columns of one pixel or, where that takes too many bytes, of more."""
    pixels = 1
    while True:
        drawn = _paths(seconds, lines, colours, pixels)
        size = sum(len(path.encode()) for path in drawn)
        if size <= MAX_BOXES:
            return drawn
        pixels = max(pixels + 1, round(pixels * size / MAX_BOXES))


def _paths(seconds: float, lines: list[_Line], colours: Mapping[Label, str], pixels: int) -> list[str]:
    """One path for all boxes that look the same; its tip shows under the mouse."""
    paths: defaultdict[tuple[Label, int, float], list[str]] = defaultdict(list)
    for line in lines:
        ends: dict[tuple[Label, int, float], int] = {}
        for first, width, label, strength in boxes(line.spans, seconds=seconds, columns=PLOT // pixels):
            key, x = (label, line.height, strength), first * pixels
            move = f"m{x - ends[key]} 0" if key in ends else f"M{LEFT + x} {line.middle:g}"
            paths[key].append(f"{move}h{width * pixels}")
            ends[key] = x + width * pixels
    drawn = []
    for (label, height, strength), parts in sorted(paths.items()):
        style = f'stroke="{colours[label]}" stroke-width="{height}" stroke-opacity="{strength:g}"'
        tip = f"<title>{_escaped(_clipped(_name(label), TIP))}</title>"
        drawn.append(f'<path {style} shape-rendering="crispEdges" d="{"".join(parts)}">{tip}</path>')
    return drawn


def _workers(rows: list[Thread], places: list[int], pitch: int) -> list[str]:
    """The workers' names, each in the middle of its rows, as many as can be read."""
    drawn, free = [], 0.0
    for worker, group in groupby(zip(rows, places, strict=True), key=lambda pair: pair[0].worker):
        ys = [y for _, y in group]
        middle = (ys[0] + ys[-1] + pitch) / 2 + 3
        if middle >= free:
            drawn.append(_text(LEFT - GAP, middle, _clipped(worker), anchor="end"))
            free = middle + 13
    return drawn


def _legend(stream: Stream, colours: Mapping[Label, str]) -> list[tuple[str, str, str]]:
    """Colour, name, and number and total time of what is drawn: the tasks that took the longest first."""
    of_rest = [label for label in stream.totals if label not in colours]
    totals = {**stream.totals, REST: sum(stream.totals[label] for label in of_rest)}
    counts = {**stream.counts, REST: sum(stream.counts[label] for label in of_rest)}
    tasks = sorted((label for label in colours if label not in FIXED), key=lambda label: (-totals[label], label))
    shown = [*tasks, *(label for label in FIXED if counts.get(label))]
    return [(colours[item], _name(item), f"{counts[item]:,} in {_seconds(totals[item])}") for item in shown]


def _entry(number: int, top: int, colour: str, name: str, figures: str) -> list[str]:
    width = (WIDTH - 2 * MARGIN + 2 * GAP) // ACROSS
    x, y = MARGIN + number % ACROSS * width, top + number // ACROSS * ENTRY
    swatch = f'<rect x="{x}" y="{y - 10}" width="12" height="12" rx="2.5" fill="{colour}"/>'
    return [swatch, _text(x + 20, y, _clipped(name)), _text(x + width - 2 * GAP, y, figures, fill=SOFT, anchor="end")]


def _name(label: Label) -> str:
    return FIXED[label][0] if label in FIXED else label.name


def _clipped(name: str, longest: int = NAME) -> str:
    """A name without its middle where it is long: names of pods differ at the end."""
    half = longest // 2
    return name if len(name) <= longest else f"{name[:half]}…{name[-half:]}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _seconds(seconds: float) -> str:
    if 0 < seconds < 0.001:
        return "< 0.001 s"
    digits = 3 if seconds < 1 else 2 if seconds < 10 else 1 if seconds < 100 else 0
    return f"{seconds:,.{digits}f} s"


def _text(
    x: float, y: float, content: str, *, fill: str = INK, size: int = 12, weight: int = 400, anchor: str = "start"
) -> str:
    style = f'font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{fill}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{_escaped(content)}</text>'


def _escaped(content: str) -> str:
    return escape(NOT_XML.sub("\ufffd", content), quote=False)
