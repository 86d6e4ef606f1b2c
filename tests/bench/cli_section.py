"""Section `cli`: what the command `penstock` adds to running a flow by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.figures import Comparison, Figure
from tests.bench.processes import interleaved, seconds_to_end, timed
from tools.progress import step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.bed import Bed
    from tests.bench.processes import Command

SECTION = "cli"
PAIRS = 20
HELP_PAIRS = 40
LINE = b"hello from the flow"


def measure(bed: Bed, pairs: int | None) -> Iterator[Figure]:
    """The section's figures."""
    rounds = pairs or PAIRS
    ours, others = _commands(bed, "empty")
    with step(f"cli: {rounds} pairs of an empty flow"):
        ends = interleaved([lambda: seconds_to_end(ours), lambda: seconds_to_end(others)], rounds=rounds)
    yield _difference("penstock run of an empty flow, to its end", ends, goal=0.25)
    ours, others = _commands(bed, "hello")
    with step(f"cli: {rounds} pairs of a flow's first line"):
        lines = interleaved(
            [lambda: timed(ours, marker=LINE).line, lambda: timed(others, marker=LINE).line], rounds=rounds
        )
    yield _difference("penstock run, to the flow's first line", lines, goal=None)
    yield _help(bed, pairs or HELP_PAIRS)


def _commands(bed: Bed, flow: str) -> tuple[Command, Command]:
    penstock = bed.command("penstock", "run", f"{flow}.py:main", "--env", "local")
    return penstock, bed.command("python", f"{flow}.py")


def _difference(name: str, measured: list[list[float]], *, goal: float | None) -> Figure:
    ours, others = map(tuple, measured)
    return Figure(
        section=SECTION,
        name=name,
        other="python flow.py",
        comparison=Comparison.DIFFERENCE,
        goal=goal,
        ours=ours,
        others=others,
    )


def _help(bed: Bed, rounds: int) -> Figure:
    penstock, bare = bed.command("penstock", "--help"), bed.command("python", "-c", "pass")
    with step(f"cli: {rounds} pairs of penstock --help"):
        ours, others = interleaved([lambda: seconds_to_end(penstock), lambda: seconds_to_end(bare)], rounds=rounds)
    return Figure(
        section=SECTION,
        name="penstock --help",
        other="python -c pass",
        comparison=Comparison.RATIO,
        goal=3,
        ours=tuple(ours),
        others=tuple(others),
    )
