"""Section `kubernetes`: runs as Jobs beside raw Jobs of the same image, on a real cluster."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runner import contract
from runner.kubernetes import names
from runner.kubernetes.client import Client, path
from runner.kubernetes.watch import Watch
from runner.launch.kubernetes.launcher import KubernetesLauncher
from runner.request import RunRequest
from tests.bench.figures import Comparison, Figure
from tests.bench.processes import MeasurementError, interleaved, seconds_to_end
from tests.testbed import kubernetes_cluster
from tests.testbed.followed_run import Run
from tools import ready_cluster
from tools.paths import CHECKOUT
from tools.progress import step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runner.environment import Environment
    from tests.bench.bed import Bed

SECTION = "kubernetes"
PAIRS = 15
ROUNDS_AT_ONCE = 5
AT_ONCE = 200
HELLO = "print('hello')"


def missing() -> dict[str, str]:
    """Why the section cannot be measured here; empty where it can."""
    if kubernetes_cluster.KUBECONFIG not in os.environ and ready_cluster.is_up():
        os.environ[kubernetes_cluster.KUBECONFIG] = str(kubernetes_cluster.the_node().kubeconfig)
    if kubernetes_cluster.KUBECONFIG in os.environ:
        return {}
    return {SECTION: "no cluster is up; `make cluster-up` starts one"}


def measure(bed: Bed, pairs: int | None) -> Iterator[Figure]:
    """The section's figures; none where there is no cluster."""
    if missing():
        return
    yield from _starts(pairs or PAIRS)
    yield from _many(pairs or ROUNDS_AT_ONCE)
    yield _import(bed, pairs or PAIRS)


class Namespace:
    """One namespace with an environment, and raw Jobs beside it."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name
        self.environment = kubernetes_cluster.environment(name)
        self.jobs = path("batch/v1", "jobs", namespace=name)
        self._count = 0

    def raw(self) -> tuple[float, float]:
        """Seconds from the POST of a raw Job to its first line, and from there until its completion can be seen."""
        self._count += 1
        container = {"name": "flow", "image": kubernetes_cluster.IMAGE, "command": ["python3", "-c", HELLO]}
        job = _raw_job(f"raw-{self._count}", container)
        began = time.time()
        self.client.create(self.jobs, job)
        with Watch(self.client, self.jobs, field_selector=f"metadata.name=raw-{self._count}") as watch:
            for event in watch:
                conditions = event.object.get("status", {}).get("conditions", [])
                if any(condition["type"] == "Complete" for condition in conditions):
                    break
        seen = time.time()
        line = self._first_line(f"batch.kubernetes.io/job-name=raw-{self._count}")
        return line - began, seen - line

    def ours(self, start: Callable[[], Run]) -> tuple[float, float]:
        """The same of a run: seconds from the submit to its first line, and from its end until its follower has it."""
        began = time.time()
        run = start()
        outcome = run.follow()
        ended = began + outcome.ledger["finished"]
        line = self._first_line(f"{names.RUN_ID}={run.run_id}")
        return line - began, run.ended_at - ended

    def travelling(self) -> Run:
        """A run whose code travels, and is in the cluster already."""
        return kubernetes_cluster.submit(self.client, self.environment, "succeed")

    def in_image(self) -> Run:
        """A run whose code is in the image."""
        launcher = KubernetesLauncher(self.environment, self.client)
        self._count += 1
        request = RunRequest(
            run_id=f"baked-{self._count}",
            accepted_at=time.time(),
            flow="pprint:pprint",
            parameters={"object": "hello"},
        )
        launcher.submit(self.environment, request)
        return Run(launcher, request.run_id)

    def _first_line(self, selector: str) -> float:
        pod = self.client.get(path("v1", "pods", namespace=self.name), labelSelector=selector)["items"][0]
        log = path("v1", "pods", namespace=self.name, name=pod["metadata"]["name"], sub="log")
        return moment(self.client.raw("GET", log, container="flow", timestamps=True).split(b" ", 1)[0].decode())


def moment(stamp: str) -> float:
    """The time that a kubelet writes before a line of a log, in seconds since 1970."""
    # Python reads microseconds, the kubelet writes nanoseconds.
    return datetime.fromisoformat(f"{stamp[:26].rstrip('Z')}+00:00").timestamp()


@contextlib.contextmanager
def _namespace() -> Iterator[tuple[Client, str]]:
    """A client and a namespace that takes raw Jobs; it is gone on leaving."""
    with kubernetes_cluster.cluster_client() as client:
        with kubernetes_cluster.namespace(client, level="privileged") as name:
            yield client, name
        kubernetes_cluster.await_no_namespaces(client)


def _starts(rounds: int) -> Iterator[Figure]:
    with (
        kubernetes_cluster.cluster_client() as client,
        kubernetes_cluster.namespace(client, level="privileged") as name,
    ):
        place = Namespace(client, name)
        with step(f"kubernetes: {rounds} rounds of a raw Job and two runs"):
            raw, known, baked = interleaved(
                [place.raw, lambda: place.ours(place.travelling), lambda: place.ours(place.in_image)], rounds=rounds
            )
    firsts = tuple(line for line, _ in raw)
    for what, measured in (("code travels and is known", known), ("code in the image", baked)):
        yield Figure(
            section=SECTION,
            name=f"submit to the first line, {what}",
            other="a raw Job of the same image",
            comparison=Comparison.RATIO,
            goal=1.15,
            ours=tuple(line for line, _ in measured),
            others=firsts,
        )
    yield Figure(
        section=SECTION,
        name="from the flow's end until its follower returns",
        other="completion of a raw Job",
        comparison=Comparison.AMOUNT,
        goal=1.2,
        ours=tuple(end for _, end in known),
        others=tuple(end for _, end in raw),
    )


def _many(rounds: int) -> Iterator[Figure]:
    with (
        kubernetes_cluster.cluster_client() as client,
        kubernetes_cluster.namespace(client, level="privileged") as name,
    ):
        suspended = {"apiVersion": "batch/v1", "kind": "Job", "spec": {"suspend": True}}
        target = kubernetes_cluster.environment(name, job={"job_spec": suspended})
        with step(f"kubernetes: {rounds} pairs of {AT_ONCE} submits at once"):
            ours, others = interleaved(
                [lambda: _at_once("penstock", target), lambda: _at_once("official", target)], rounds=rounds, warm_up=0
            )
        there = len(kubernetes_cluster.jobs(client, name))
    if there != len(ours + others) * AT_ONCE:
        raise MeasurementError(f"{there} Jobs are there, where {len(ours + others) * AT_ONCE} were submitted.")
    yield Figure(
        section=SECTION,
        name=f"{AT_ONCE} submits at once through one client",
        other="the official client",
        comparison=Comparison.RATIO,
        goal=1.3,
        ours=tuple(seconds for seconds, _ in ours),
        others=tuple(seconds for seconds, _ in others),
    )
    yield Figure(
        section=SECTION,
        name=f"memory of a client with {AT_ONCE} submits at once",
        other="the official client",
        comparison=Comparison.AMOUNT,
        goal=120.0,
        ours=tuple(memory for _, memory in ours),
        others=tuple(memory for _, memory in others),
        unit="MB",
    )


def _at_once(client: str, target: Environment) -> tuple[float, float]:
    """Seconds and MB that a process takes for all its submits."""
    command = [sys.executable, "-m", "tests.bench.submits", client, str(AT_ONCE)]
    done = subprocess.run(command, input=contract.to_bytes(target), capture_output=True, cwd=CHECKOUT, check=False)
    if done.returncode:
        raise MeasurementError(f"`{' '.join(command)}` ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


def _import(bed: Bed, rounds: int) -> Figure:
    ours = bed.command("python", "-c", "import runner.launch.kubernetes.connect")
    others = replace(ours, words=(sys.executable, "-c", "import kubernetes"))
    with step(f"kubernetes: {rounds} pairs of imports"):
        measured = interleaved([lambda: seconds_to_end(ours), lambda: seconds_to_end(others)], rounds=rounds)
    return Figure(
        section=SECTION,
        name="python that imports the launcher",
        other="that imports the official client",
        comparison=Comparison.AMOUNT,
        goal=0.3,
        ours=tuple(measured[0]),
        others=tuple(measured[1]),
    )


def _raw_job(name: str, container: dict[str, Any]) -> dict[str, Any]:
    spec = {"restartPolicy": "Never", "containers": [container]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": spec}},
    }
