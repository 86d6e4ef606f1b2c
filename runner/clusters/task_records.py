"""What the records of Dask's task stream say: which thread of which worker did what, and when."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from dask.utils import key_split

SHORTEST_SECONDS = 0.001
"""A stream takes at least this long, so that a scale of seconds can be put under it."""


class Kind(StrEnum):
    """What a thread did."""

    TASK = "task"
    """It ran a task, which returned."""
    FAILED = "failed"
    """It ran a task, which raised."""
    TRANSFER = "transfer"
    """It waited for data of another worker."""
    DISK = "disk"
    """It moved data to the disk, or back."""
    OTHER = "other"
    """It made ready for a task: most of it is deserialization."""


TASKS = frozenset({Kind.TASK, Kind.FAILED})
"""What counts as busy."""
KINDS = {"compute": Kind.TASK, "transfer": Kind.TRANSFER, "disk-read": Kind.DISK, "disk-write": Kind.DISK}
"""Kind of each action that distributed records; of any other it is OTHER."""


class Label(NamedTuple):
    """What is drawn in one colour."""

    kind: Kind
    name: str
    """Name of the tasks; of anything else the kind again."""


class Span(NamedTuple):
    """A time in which a thread did one thing, in seconds from the stream's start."""

    start: float
    stop: float
    label: Label


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker as the scheduler knows it."""

    name: str
    threads: int


@dataclass(frozen=True, kw_only=True)
class Thread:
    """A row of the picture; one that did nothing has no spans."""

    worker: str
    """Name of its worker."""
    spans: tuple[Span, ...]
    """In order of their starts."""

    @property
    def busy(self) -> float:
        """Seconds in which it ran tasks."""
        return sum(span.stop - span.start for span in self.spans if span.label.kind in TASKS)


@dataclass(frozen=True, kw_only=True)
class Stream:
    """All that the records say."""

    threads: tuple[Thread, ...]
    """By worker, and there in the order in which they began."""
    workers: int
    tasks: int
    seconds: float
    """From the start of what began first to the end of what ended last."""
    counts: Mapping[Label, int]
    """How often each thing was done."""
    totals: Mapping[Label, float]
    """How many seconds it took in all."""


def read(records: Iterable[Mapping[str, Any]], workers: Mapping[str, Worker]) -> Stream:
    """Read the records of a task stream.

    Args:
        records: as `distributed.get_task_stream` has them.
        workers: the workers by address, those without a task too; one that has gone since is named by its address.
    """
    records = list(records)
    moments = [
        moment for record in records for part in record["startstops"] for moment in (part["start"], part["stop"])
    ]
    begin, end = min(moments, default=0.0), max(moments, default=0.0)
    counts: Counter[Label] = Counter()
    totals: defaultdict[Label, float] = defaultdict(float)
    spans: dict[str, dict[object, list[Span]]] = {address: {} for address in workers}
    for record in records:
        thread = spans.setdefault(record["worker"], {}).setdefault(record["thread"], [])
        for part in record["startstops"]:
            label = _label(record, part["action"])
            start = part["start"] - begin
            span = Span(start, max(start, part["stop"] - begin), label)
            thread.append(span)
            counts[label] += 1
            totals[label] += span.stop - span.start
    rows = []
    for address in sorted(spans, key=lambda address: (_natural(_name(address, workers)), address)):
        of_worker = sorted(tuple(sorted(thread)) for thread in spans[address].values())
        idle = workers[address].threads - len(of_worker) if address in workers else 0
        name = _name(address, workers)
        rows += [Thread(worker=name, spans=thread) for thread in (*of_worker, *[()] * idle)]
    return Stream(
        threads=tuple(rows),
        workers=len(spans),
        tasks=len(records),
        seconds=max(end - begin, SHORTEST_SECONDS),
        counts=counts,
        totals=totals,
    )


def _label(record: Mapping[str, Any], action: str) -> Label:
    kind = KINDS.get(action, Kind.OTHER)
    if kind is not Kind.TASK:
        return Label(kind, kind)
    return Label(kind, key_split(record["key"])) if record["status"] == "OK" else Label(Kind.FAILED, Kind.FAILED)


def _name(address: str, workers: Mapping[str, Worker]) -> str:
    """A worker's name for people: distributed numbers the workers of one machine, and names others by their address."""
    name = workers[address].name if address in workers else address
    return f"worker {name}" if name.isdecimal() else name.rpartition("://")[2]


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts worker 10 behind worker 9."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]
