"""Section `dask-kubernetes`: Dask workers of runs beside raw pods, and beside dask-kubernetes' operator."""

from __future__ import annotations

import contextlib
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from runner.environment import Callbacks, Executor, ExecutorType
from runner.kubernetes import names
from runner.kubernetes.client import Client, path
from tests.bench import dask_operator, kubernetes_section
from tests.bench.figures import Comparison, Figure
from tests.bench.flows.dask_work import TASKS
from tests.bench.processes import MeasurementError, interleaved
from tests.bench.raw_dask import are_running, ask, gone_at, make_keys, raw_cluster
from tests.testbed import kubernetes_cluster
from tests.testbed.dask_on_kubernetes import dask_environment, dask_namespace
from tools.progress import step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.bed import Bed
    from tests.bench.raw_dask import RawCluster
    from tests.testbed.followed_run import Run

SECTION = "dask-kubernetes"
ROUNDS = 5
WORKERS = 8
ROUNDS_OF_TASKS = 8
WORKERS_FOR_TASKS = 4
SERVICE = "10.96.77.77"
"""Address of the scheduler that the operator makes: free, and in the range of the test cluster's Services."""
OPERATOR = "dask-kubernetes' operator"


@dataclass(frozen=True, kw_only=True)
class Life:
    """The seconds of one cluster of workers."""

    whole: float
    """From the order until the last worker is connected."""
    opening: float
    """The same from when the scheduler's process begins to open the cluster."""
    closing: float = math.nan
    """From the end of its use until no worker is listed any more; NaN where that is not measured."""


def missing() -> dict[str, str]:
    """What cannot be measured here, and why."""
    if reasons := kubernetes_section.missing():
        return {SECTION: reasons[kubernetes_section.SECTION]}
    if not dask_operator.is_installed():
        get = "python3 -m tools.setup --with dask-kubernetes"
        return {f"{SECTION}: operator": f"skipped: not installed. Install it with: {get}"}
    return {}


def measure(bed: Bed, pairs: int | None) -> Iterator[Figure]:
    """The section's figures; none where there is no cluster, and none beside an operator that is not installed."""
    if SECTION in missing():
        return
    # Following a run keeps its artifacts on this machine.
    os.environ["XDG_STATE_HOME"] = bed.variables["XDG_STATE_HOME"]
    with kubernetes_cluster.cluster_client() as client:
        with dask_namespace(client, level="privileged") as namespace:
            place = Place(client, namespace, bed)
            yield from _lives(place, pairs or ROUNDS)
            yield from _tasks(place, pairs or ROUNDS_OF_TASKS)
        kubernetes_cluster.await_no_namespaces(client)


class Place:
    """A namespace with an environment, in which there can be raw clusters and an operator as well."""

    def __init__(self, client: Client, namespace: str, bed: Bed) -> None:
        self.client = client
        self.namespace = namespace
        self.bed = bed

    def submit(self, function: str, count: int, *, report: bool = True, **parameters: Any) -> Run:
        """Start a run of a function of `dask_work`, with an environment as users have it."""
        target = dask_environment(
            self.namespace,
            count,
            callbacks=Callbacks(on_execute="dask_work:opening"),
            executor=Executor(type=ExecutorType.DASK, performance_report=report),
        )
        return kubernetes_cluster.submit(
            self.client, target, function, folder=self.bed.flows, file="dask_work.py", **parameters
        )

    def run(self) -> Life:
        """A run whose flow ends as soon as its workers are connected."""
        with ThreadPoolExecutor(1) as pool:
            began = time.time()
            run = self.submit("up", WORKERS, workers=WORKERS)
            selector = f"{names.RUN_ID}={run.run_id},{names.WORKER}"
            gone = pool.submit(gone_at, self.client, self.namespace, selector, WORKERS)
            times = run.follow().result
            if not isinstance(times, dict):
                raise MeasurementError(f"A run of the bench failed: {run.outcome}\n{run.output.decode()}")
            connected = times["connected"]
            return Life(
                whole=connected - began,
                opening=connected - times["opening"],
                closing=gone.result() - connected,
            )

    def operator(self) -> Life:
        """A cluster that the operator makes, whose scheduler is a pod as well."""
        seconds = dask_operator.seconds_to_workers(self.client, self.namespace, SERVICE, WORKERS)
        return Life(whole=seconds, opening=seconds)

    @contextlib.contextmanager
    def serving(self, *, report: bool) -> Iterator[str]:
        """A run whose flow answers as raw clusters do, with its workers connected; the name of its pod."""
        run = self.submit("serve", WORKERS_FOR_TASKS, report=report)
        run.start_following()
        selector = f"{names.RUN_ID}={run.run_id},!{names.WORKER}"
        kubernetes_cluster.await_pods(self.client, self.namespace, are_running, seconds=60, selector=selector)
        found = self.client.get(path("v1", "pods", namespace=self.namespace), labelSelector=selector)
        pod = found["items"][0]["metadata"]["name"]
        ask(self.client, self.namespace, pod, f"connected/{WORKERS_FOR_TASKS}")
        yield pod
        ask(self.client, self.namespace, pod, "end")
        run.end()


def raw_life(cluster: RawCluster, *options: str) -> Life:
    """Workers that raw pods are, of a scheduler that is up."""
    connected = cluster.start_workers(WORKERS, *options)
    return Life(whole=connected, opening=connected, closing=cluster.stop_workers(WORKERS))


def _lives(place: Place, rounds: int) -> Iterator[Figure]:
    with contextlib.ExitStack() as stack:
        raw = stack.enter_context(raw_cluster(place.client, place.namespace, "raw", encrypted=False))
        # Workers of runs have no dashboard either, which a raw worker takes a while to load.
        contenders = [place.run, lambda: raw_life(raw), lambda: raw_life(raw, "--no-dashboard")]
        if dask_operator.is_installed():
            with step(f"{SECTION}: starting {OPERATOR}"):
                log = place.bed.folder / "operator.log"
                stack.enter_context(dask_operator.operating(place.client, place.namespace, log))
            contenders.append(place.operator)
        with step(f"{SECTION}: {rounds} rounds of {WORKERS} workers: {len(contenders)} ways"):
            ours, raws, bare, *theirs = interleaved(contenders, rounds=rounds, warm_up=1)
    opening = tuple(life.opening for life in ours)
    whole = tuple(life.whole for life in ours)
    what, pods = f"{WORKERS} workers connected", f"{WORKERS} raw pods"
    for start, times, other, others, goal in (
        ("opening the cluster", opening, pods, raws, 1.2),
        ("opening the cluster", opening, f"{pods} without dashboard", bare, 1.2),
        ("the submit", whole, pods, raws, None),
    ):
        yield Figure(
            section=SECTION,
            name=f"{what}, from {start}",
            other=other,
            comparison=Comparison.RATIO,
            goal=goal,
            ours=times,
            others=tuple(life.whole for life in others),
        )
    for operated in theirs:
        for name, times in (("opening the cluster", opening), ("the submit", whole)):
            yield Figure(
                section=SECTION,
                name=f"{what}, from {name}",
                other=OPERATOR,
                comparison=Comparison.SPEEDUP,
                goal=2.0,
                ours=times,
                others=tuple(life.whole for life in operated),
            )
    yield Figure(
        section=SECTION,
        name="from the flow's end until no worker is listed",
        other=f"deleting {pods}",
        comparison=Comparison.AMOUNT,
        goal=5.0,
        ours=tuple(life.closing for life in ours),
        others=tuple(life.closing for life in raws),
    )


def _tasks(place: Place, rounds: int) -> Iterator[Figure]:
    make_keys(place.client, place.namespace)
    with contextlib.ExitStack() as stack:
        with step(f"{SECTION}: opening four clusters of {WORKERS_FOR_TASKS} workers"):
            pods = [stack.enter_context(place.serving(report=report)) for report in (True, False)]
            for name, encrypted in (("encrypted", True), ("plain", False)):
                raw = stack.enter_context(raw_cluster(place.client, place.namespace, name, encrypted=encrypted))
                raw.start_workers(WORKERS_FOR_TASKS)
                pods.append(raw.name)
        contenders = [partial(ask, place.client, place.namespace, pod, "tasks") for pod in pods]
        with step(f"{SECTION}: {rounds} rounds of {TASKS:,} tasks on each"):
            reported, ours, with_tls, plain = map(tuple, interleaved(contenders, rounds=rounds, warm_up=1))
    what, raws = f"{TASKS:,} tasks on {WORKERS_FOR_TASKS} workers", "raw pods"
    yield Figure(
        section=SECTION,
        name=f"{what}, without a report",
        other=f"{raws} with TLS",
        comparison=Comparison.RATIO,
        goal=1.02,
        ours=ours,
        others=with_tls,
    )
    for name, times, other, others in (
        ("with a report", reported, f"{raws} with TLS", with_tls),
        ("without a report", ours, f"{raws} without TLS", plain),
    ):
        yield Figure(
            section=SECTION,
            name=f"{what}, {name}",
            other=other,
            comparison=Comparison.RATIO,
            goal=None,
            ours=times,
            others=others,
        )
