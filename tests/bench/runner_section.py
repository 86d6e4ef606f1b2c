"""Section `runner`: how soon a flow begins in a container, and what the process beside it costs."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figures import Comparison, Figure
from tests.bench.processes import TIMEOUT_SECONDS, Command, MeasurementError, interleaved, read, started, timed
from tools.progress import step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.bed import Bed

SECTION = "runner"
PAIRS = 40
MEMORY_PAIRS = 10
BARE = "import json, urllib.request; print('x', flush=True)"
BARE_WAITING = "import time; print('x', flush=True); time.sleep(600)"


def measure(bed: Bed, pairs: int | None) -> Iterator[Figure]:
    """The section's figures."""
    rounds = pairs or PAIRS
    with step(f"runner: {rounds} pairs of starts"):
        runner, bare = bed.runner("hello"), bed.command("python", "-c", BARE)
        ours, others = interleaved([lambda: timed(runner).line, lambda: timed(bare).line], rounds=rounds)
    yield Figure(
        section=SECTION,
        name="start of the runner to the flow's first line",
        other="python importing json, urllib",
        comparison=Comparison.RATIO,
        goal=1.5,
        ours=tuple(ours),
        others=tuple(others),
    )
    rounds = pairs or MEMORY_PAIRS
    with step(f"runner: {rounds} pairs of memory"):
        runner, bare = bed.runner("wait"), bed.command("python", "-c", BARE_WAITING)
        memories, bare_memories = interleaved(
            [lambda: memory_of(runner), lambda: memory_of(bare)], rounds=rounds, warm_up=1
        )
    for key, meaning, limit in (("Rss", "all of it", 15.0), ("Pss", "shared pages by share", None)):
        yield Figure(
            section=SECTION,
            name=f"memory of the supervisor, {meaning}",
            other="python waiting",
            comparison=Comparison.AMOUNT,
            goal=limit,
            ours=tuple(memory[key] for memory in memories),
            others=tuple(memory[key] for memory in bare_memories),
            unit="MB",
        )


def memory_of(command: Command) -> dict[str, float]:
    """Memory of a command's first process once it has printed something, in MB by kind.

    Raises:
        MeasurementError: it printed nothing.
    """
    with started(command) as process:
        if not next(read(process, until=time.perf_counter() + TIMEOUT_SECONDS), b""):
            raise MeasurementError(f"`{' '.join(command.words)}` printed nothing.")
        return parse_memory(Path(f"/proc/{process.pid}/smaps_rollup").read_text())


def parse_memory(text: str) -> dict[str, float]:
    """Rss and Pss in MB (of a million bytes) from the kernel's smaps_rollup."""
    kinds = re.findall(r"^(Rss|Pss): +(\d+) kB$", text, flags=re.MULTILINE)
    return {kind: int(kibibytes) * 1024 / 1e6 for kind, kibibytes in kinds}
