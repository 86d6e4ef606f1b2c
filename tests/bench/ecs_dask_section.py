"""Section `dask-cloud-provider`: Dask workers of runs on the test AWS beside dask-cloudprovider's own clusters.

What AWS itself takes is not among it: the server answers within milliseconds, and its tasks are processes on the same
processors as what is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tests.bench.ecs_dask_place import LEAN, Cluster, EcsDaskPlace
from tests.bench.ecs_place import variables
from tests.bench.figures import Comparison, Figure
from tests.bench.flows.ecs_dask_work import TASKS
from tests.bench.processes import interleaved
from tests.testbed.aws.handle import started
from tests.testbed.dask_on_ecs import dask_place
from tools.progress import step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.bed import Bed

SECTION = "dask-cloud-provider"
ROUNDS = 5
ROUNDS_OF_CALLS = 3
ROUNDS_OF_TASKS = 8
ROUNDS_OF_KILLS = 3
WORKERS = (4, 8)
MANY = WORKERS[-1]
WORKERS_FOR_TASKS = 4
PROVISIONING = 5.0
"""Seconds that tasks wait where calls are counted; on Fargate it is more."""
KILLED_SECONDS = 15.0
OTHER = "FargateCluster"
LEANLY = f"{OTHER}, workers without nanny and dashboard"


@dataclass(frozen=True, kw_only=True)
class Life:
    """The life of one cluster."""

    opening: float
    """Seconds from when its client begins to open it, Dask still to be loaded, until the last worker has joined."""
    whole: float
    """The same from when the task of its client is asked for."""
    closing: float
    """Seconds from the end of its use until no task of it is up."""
    calls: float
    """How often it has called AWS."""


def measure(bed: Bed, pairs: int | None) -> Iterator[Figure]:
    """The section's figures."""
    with (
        started() as aws,
        variables(aws.env | {"XDG_STATE_HOME": bed.variables["XDG_STATE_HOME"]}),
        dask_place(aws, MANY) as flows,
    ):
        there = EcsDaskPlace(bed=bed, aws=aws, flows=flows)
        yield from _calls(there, pairs or ROUNDS_OF_CALLS)
        for workers in WORKERS:
            yield from _lives(there, workers, pairs or ROUNDS)
        yield from _tasks(there, pairs or ROUNDS_OF_TASKS)
        yield from _kills(there, pairs or ROUNDS_OF_KILLS)


def life(there: EcsDaskPlace, opened: Callable[[], Cluster]) -> Life:
    """Open a cluster, and close it when all of its workers have joined."""
    there.calls()
    cluster = opened()
    opening, joined = cluster.ask("opening"), cluster.ask("joined")
    closing = cluster.close()
    there.settle()
    return Life(opening=joined - opening, whole=joined - cluster.began, closing=closing, calls=there.calls())


def _calls(there: EcsDaskPlace, rounds: int) -> Iterator[Figure]:
    there.aws.delay(PROVISIONING=PROVISIONING)
    contenders = [partial(life, there, partial(each, MANY)) for each in (there.of_run, there.of_cloudprovider)]
    with step(f"{SECTION}: {rounds} pairs of {MANY} workers that are provisioned for {PROVISIONING:g} s"):
        ours, others = interleaved(contenders, rounds=rounds, warm_up=1)
    there.aws.clear()
    for comparison, goal in ((Comparison.RATIO, 0.2), (Comparison.AMOUNT, None)):
        yield Figure(
            section=SECTION,
            name=f"calls of a cluster's whole life, {MANY} workers that are provisioned for {PROVISIONING:g} s",
            other=OTHER,
            comparison=comparison,
            goal=goal,
            ours=tuple(each.calls for each in ours),
            others=tuple(each.calls for each in others),
            unit="calls",
        )


def _lives(there: EcsDaskPlace, workers: int, rounds: int) -> Iterator[Figure]:
    contenders = [
        partial(life, there, partial(there.of_run, workers)),
        partial(life, there, partial(there.of_cloudprovider, workers, *LEAN)),
        partial(life, there, partial(there.of_cloudprovider, workers)),
    ]
    with step(f"{SECTION}: {rounds} rounds of {workers} workers, three ways"):
        ours, lean, usual = interleaved(contenders, rounds=rounds, warm_up=1)
    for other, lives, goal in ((LEANLY, lean, 1.0), (OTHER, usual, 1.0)):
        yield Figure(
            section=SECTION,
            name=f"{workers} workers joined, from opening the cluster",
            other=other,
            comparison=Comparison.RATIO,
            goal=goal,
            ours=tuple(each.opening for each in ours),
            others=tuple(each.opening for each in lives),
        )
    yield Figure(
        section=SECTION,
        name=f"{workers} workers joined, from the submit",
        other=f"{LEANLY}, from RunTask",
        comparison=Comparison.RATIO,
        goal=None,
        ours=tuple(each.whole for each in ours),
        others=tuple(each.whole for each in lean),
    )
    yield Figure(
        section=SECTION,
        name=f"from the end of the flow until none of {workers} workers is up",
        other=f"{LEANLY}, and its scheduler, closed",
        comparison=Comparison.AMOUNT,
        goal=5.0,
        ours=tuple(each.closing for each in ours),
        others=tuple(each.closing for each in lean),
    )


def _tasks(there: EcsDaskPlace, rounds: int) -> Iterator[Figure]:
    with step(f"{SECTION}: opening three clusters of {WORKERS_FOR_TASKS} workers"):
        clusters = [
            there.of_run(WORKERS_FOR_TASKS, report=True),
            there.of_run(WORKERS_FOR_TASKS, report=False),
            there.of_cloudprovider(WORKERS_FOR_TASKS, *LEAN),
        ]
    with step(f"{SECTION}: {rounds} rounds of {TASKS:,} tasks on each"):
        asked = [partial(cluster.ask, "tasks") for cluster in clusters]
        reported, ours, others = interleaved(asked, rounds=rounds, warm_up=2)
    for cluster in clusters:
        cluster.ask("end")
    there.settle()
    for name, times, goal in (("without a report", ours, 1.02), ("with a report", reported, None)):
        yield Figure(
            section=SECTION,
            name=f"{TASKS:,} tasks on {WORKERS_FOR_TASKS} workers, {name}",
            other=LEANLY,
            comparison=Comparison.RATIO,
            goal=goal,
            ours=tuple(times),
            others=tuple(others),
        )


def _kills(there: EcsDaskPlace, rounds: int) -> Iterator[Figure]:
    def killed(opened: Callable[[], Cluster]) -> tuple[float, float]:
        cluster = opened()
        cluster.kill()
        found = cluster.left(KILLED_SECONDS)
        there.settle()
        return found

    contenders = [partial(killed, partial(each, MANY)) for each in (there.of_run, there.of_cloudprovider)]
    with step(f"{SECTION}: {rounds} pairs of clusters whose client is killed"):
        ours, others = interleaved(contenders, rounds=rounds, warm_up=0)
    what = f"after kill -9 of the client, {MANY} workers"
    yield Figure(
        section=SECTION,
        name=f"tasks that are up {KILLED_SECONDS:g} s {what}",
        other=f"{OTHER}, of {MANY + 1} tasks",
        comparison=Comparison.AMOUNT,
        goal=0,
        ours=tuple(count for count, _ in ours),
        others=tuple(count for count, _ in others),
        unit="tasks",
    )
    yield Figure(
        section=SECTION,
        name=f"until no task is up {what}",
        other=f"{OTHER}, looked at no longer than {KILLED_SECONDS:g} s",
        comparison=Comparison.AMOUNT,
        goal=KILLED_SECONDS,
        ours=tuple(seconds for _, seconds in ours),
        others=tuple(seconds for _, seconds in others),
    )
