"""Section `review`: how long the review of a large preview takes, beside only parsing its JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.bench.figures import Comparison, Figure
from tests.bench.processes import Command, interleaved, seconds_to_end, timed
from tests.stacks.review.large import large_preview
from tools.paths import CHECKOUT, VENV
from tools.processes import quiet
from tools.progress import step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.bed import Bed

SECTION = "review"
RESOURCES = 1000
PAIRS = 15
MEMORY_ROUNDS = 5
SECONDS_GOAL, MEGABYTES_GOAL = 1.0, 150.0
PARSE = "import json, sys; json.load(open(sys.argv[1])); print('parsed')"
PEAK = """import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""


def measure(bed: Bed, pairs: int | None) -> Iterator[Figure]:
    """The section's figures."""
    file = bed.folder / "large.json"
    file.write_text(large_preview(RESOURCES))
    ours, others = _command(bed, "-m", "stacks.review", str(file)), _command(bed, "-c", PARSE, str(file))
    rounds = pairs or PAIRS
    name = f"review of {RESOURCES:,} resources"
    with step(f"review: {rounds} pairs of {RESOURCES:,} resources"):
        ends = interleaved([lambda: seconds_to_end(ours), lambda: timed(others).end], rounds=rounds)
    yield _figure(f"{name}, whole command", ends, SECONDS_GOAL, "s")
    with step("review: memory"):
        peaks = interleaved([lambda: _megabytes(ours), lambda: _megabytes(others)], rounds=MEMORY_ROUNDS)
    yield _figure(f"{name}, memory at most", peaks, MEGABYTES_GOAL, "MB")


def _command(bed: Bed, *words: str) -> Command:
    # The reviewer is not in the wheel: it runs in a checkout.
    return Command(words=(str(VENV / "bin" / "python"), *words), folder=CHECKOUT, variables=bed.variables)


def _megabytes(command: Command) -> float:
    words: list[str | Path] = [sys.executable, "-c", PEAK, *command.words]
    return int(quiet(words, cwd=command.folder, env=dict(command.variables))) * 1024 / 1_000_000


def _figure(name: str, measured: list[list[float]], goal: float, unit: str) -> Figure:
    ours, others = map(tuple, measured)
    return Figure(
        section=SECTION,
        name=name,
        other="json.load of the same file",
        comparison=Comparison.AMOUNT,
        goal=goal,
        ours=ours,
        others=others,
        unit=unit,
    )
