"""Section `peers`: the same flow, which prints one line and returns, run by Penstock, Prefect and Metaflow in turn."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.cli_section import LINE
from tests.bench.figures import Comparison, Figure
from tests.bench.prefect_server import serving
from tests.bench.processes import Command, Times, interleaved, timed
from tools.progress import step
from tools.setup import EXTRA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.bed import Bed

SECTION = "peers"
ROUNDS = 7
GOALS = {"Prefect": 10.0, "Metaflow": 4.0}
EXTRAS = {"Prefect": "prefect", "Metaflow": "bench"}


@dataclass(frozen=True, kw_only=True)
class _Peer:
    name: str
    command: Command

    def run(self) -> Times:
        return timed(self.command, marker=LINE)


def python_of(peer: str) -> Path:
    """The interpreter that a peer is installed for, whether it is there or not."""
    return EXTRA[EXTRAS[peer]].folder / "bin" / "python"


def missing() -> dict[str, str]:
    """Peers that are not installed, each with how to get it."""
    return {
        f"{SECTION}: {peer}": f"skipped: not installed. Install it with: python3 -m tools.setup --with {extra}"
        for peer, extra in EXTRAS.items()
        if not python_of(peer).exists()
    }


def measure(bed: Bed, pairs: int | None) -> Iterator[Figure]:
    """The figures beside every peer that is installed."""
    rounds = pairs or ROUNDS
    with contextlib.ExitStack() as stack:
        penstock = bed.command("penstock", "run", "hello.py:main", "--env", "local")
        contenders = [_Peer(name="Penstock", command=penstock)]
        if python_of("Prefect").exists():
            contenders.append(_prefect(bed, stack))
        if python_of("Metaflow").exists():
            contenders.append(_metaflow(bed))
        if len(contenders) == 1:
            return
        names = ", ".join(contender.name for contender in contenders)
        with step(f"{SECTION}: {rounds} rounds of {names}"):
            ours, *theirs = interleaved([contender.run for contender in contenders], rounds=rounds)
    for peer, times in zip(contenders[1:], theirs, strict=True):
        for measured, meaning in (("end", "to its end"), ("line", "to its first line")):
            yield Figure(
                section=SECTION,
                name=f"a flow run by Penstock, {meaning}",
                other=peer.name,
                comparison=Comparison.SPEEDUP,
                goal=GOALS[peer.name],
                ours=tuple(getattr(time, measured) for time in ours),
                others=tuple(getattr(time, measured) for time in times),
            )


def _prefect(bed: Bed, stack: contextlib.ExitStack) -> _Peer:
    folder = bed.folder / "prefect"
    folder.mkdir()
    with step(f"{SECTION}: starting Prefect's server"):
        variables = stack.enter_context(serving(python_of("Prefect"), folder, bed.variables))
    return _Peer(name="Prefect", command=bed.command(python_of("Prefect"), "hello_prefect.py", variables=variables))


def _metaflow(bed: Bed) -> _Peer:
    folder = str(bed.folder / "metaflow")
    variables = {
        "USERNAME": "bench",
        "METAFLOW_HOME": folder,
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": folder,
        "METAFLOW_DEFAULT_DATASTORE": "local",
        "METAFLOW_DEFAULT_METADATA": "local",
    }
    words = (python_of("Metaflow"), "hello_metaflow.py", "run")
    return _Peer(name="Metaflow", command=bed.command(*words, variables=variables))
