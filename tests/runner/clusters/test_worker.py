"""A Dask worker of a run, as the process that its pod starts."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner import contract
from runner.clusters import tls
from runner.clusters.pod_cluster import KubernetesCluster
from runner.clusters.versions import own_versions
from runner.clusters.worker_pod import INPUT_VARIABLE, KEYS_VARIABLE
from runner.environment import Log
from runner.outcome import WORKER_LOG_ARTIFACT
from runner.sections import SCHEDULER_PORT
from tests.runner.clusters.pod_clusters import KEYS, SECONDS, client_of, loopback, pod_cluster

pytestmark = [pytest.mark.dask, pytest.mark.timeout(60)]
SCHEDULER = """
import asyncio, sys
from distributed import Scheduler
from runner.clusters import tls

async def main():
    options = {"host": sys.argv[1], "port": int(sys.argv[2]), "dashboard_address": "127.0.0.1:0", "dashboard": False}
    async with Scheduler(protocol="tls://", security=tls.security(sys.stdin.read()), **options) as scheduler:
        print("up", flush=True)
        while not scheduler.workers:
            await asyncio.sleep(0.01)
        print("joined", flush=True)
        await scheduler.finished()

asyncio.run(main())
"""


class WorkerProcess:
    """A worker that has been started."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self.output = output

    def wait(self) -> tuple[int, str]:
        """Exit code and output of the worker, which ends by itself."""
        code = self.process.wait(SECONDS)
        return code, self.output.read_text()


@contextlib.contextmanager
def started(folder: Path, scheduler: str, *, without: str = "", **told: Any) -> Iterator[WorkerProcess]:
    """A worker; whatever is left of it is killed on leaving.

    Args:
        folder: in which it works, of its own.
        scheduler: address of its scheduler.
        without: a variable that it does not get.
        told: changes of what it is told.
    """
    folder.mkdir(exist_ok=True)
    common = {"threads": 2, "death_seconds": 20, "versions": own_versions(), "log": contract.encode(Log())}
    variables = {
        INPUT_VARIABLE: json.dumps({"scheduler": scheduler, "number": 0, **common, **told}),
        KEYS_VARIABLE: KEYS,
        "PENSTOCK_POD_IP": loopback(),
        "COLOUR": "blue",
    }
    variables.pop(without, None)
    output = folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "runner.clusters.worker"],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder), **variables},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield WorkerProcess(process, output)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[KubernetesCluster, Path]]:
    """A scheduler with the run's keys, and the folder of its log."""
    folder = tmp_path_factory.mktemp("cluster")
    with pod_cluster(folder, 0) as (found, _):
        yield found, folder


@contextlib.contextmanager
def joined(cluster: KubernetesCluster, folder: Path, *numbers: int, **told: Any) -> Iterator[tuple[Any, Any]]:
    """A client, and workers of these numbers that have joined the cluster."""
    with contextlib.ExitStack() as stack:
        place = cluster.scheduler_address
        workers = {
            number: stack.enter_context(started(folder / f"worker-{number}", place, number=number, **told))
            for number in numbers
        }
        yield stack.enter_context(client_of(cluster, len(numbers))), workers


def nobody() -> str:
    return f"tls://{loopback()}:{SCHEDULER_PORT}"


def test_another_image_is_told_in_a_sentence(tmp_path: Path) -> None:
    versions = {**own_versions(), "dask": "1999.1.0"}
    with started(tmp_path, nobody(), versions=versions) as worker:
        code, output = worker.wait()

    assert code == 65
    assert output == (
        f"penstock: worker_spec: image is one with dask {own_versions()['dask']} instead of 1999.1.0, expected the "
        "versions of the run's image. Name an image with those versions, or none, so that workers have the run's.\n"
    )


@pytest.mark.parametrize("missing", [INPUT_VARIABLE, KEYS_VARIABLE])
def test_a_variable_that_is_missing_is_told_in_a_sentence(tmp_path: Path, missing: str) -> None:
    with started(tmp_path, nobody(), without=missing) as worker:
        code, output = worker.wait()

    assert code == 65
    assert f"is not in the environment variable {missing}, expected its JSON there." in output
    assert len(output.splitlines()) == 1


def test_a_worker_that_finds_no_scheduler_ends_in_its_time(tmp_path: Path) -> None:
    began = time.monotonic()
    with started(tmp_path, nobody(), death_seconds=1) as worker:
        code, output = worker.wait()

    assert code == 69
    assert time.monotonic() - began < SECONDS
    assert re.search(r"^penstock: the worker could not join the run \(.*\)\.$", output, re.MULTILINE), output
    assert "Traceback" not in output


def test_a_worker_with_other_keys_does_not_join(
    cluster: tuple[KubernetesCluster, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.KEYS", tls.make())
    with started(tmp_path, cluster[0].scheduler_address, death_seconds=2) as worker:
        code, _ = worker.wait()

    assert code == 69
    assert cluster[0].scheduler.workers == {}


def test_a_worker_is_what_it_is_told_to_be(cluster: tuple[KubernetesCluster, Path], tmp_path: Path) -> None:
    with joined(cluster[0], tmp_path, 7, threads=3) as (client, _):
        ((address, info),) = client.scheduler_info(n_workers=-1)["workers"].items()

        assert (info["name"], info["nthreads"]) == (7, 3)
        assert re.fullmatch(r"tls://127\.\d+\.\d+\.\d+:8788", address)
        assert info["local_directory"].startswith(str(tmp_path / "worker-7"))


def test_no_task_sees_the_keys(cluster: tuple[KubernetesCluster, Path], tmp_path: Path) -> None:
    def look() -> tuple[dict[str, str], bytes]:
        return dict(os.environ), Path("/proc/self/environ").read_bytes()

    with joined(cluster[0], tmp_path, 0) as (client, _):
        variables, block = client.submit(look, pure=False).result(SECONDS)

    assert variables["COLOUR"] == "blue"
    assert not {INPUT_VARIABLE, KEYS_VARIABLE} & variables.keys()
    assert not [name for name, value in variables.items() if "PRIVATE KEY" in value]
    assert b"PRIVATE KEY" not in block


def test_a_worker_that_is_taken_away_hands_over_what_it_holds(
    cluster: tuple[KubernetesCluster, Path], tmp_path: Path
) -> None:
    with joined(cluster[0], tmp_path, 0, 1) as (client, workers):
        addresses = {info["name"]: address for address, info in client.scheduler_info()["workers"].items()}
        future = client.submit(os.urandom, 8, pure=False, workers=[addresses[0]], allow_other_workers=False)
        value = future.result(SECONDS)
        workers[0].process.send_signal(signal.SIGTERM)
        code, output = workers[0].wait()

        assert code == 143
        assert "Traceback" not in output
        assert future.result(SECONDS) == value
        assert list(client.scheduler_info()["workers"]) == [addresses[1]]


def test_a_worker_that_is_alone_leaves_soon_when_it_is_taken_away(
    cluster: tuple[KubernetesCluster, Path], tmp_path: Path
) -> None:
    with joined(cluster[0], tmp_path, 0) as (client, workers):
        future = client.submit(os.urandom, 8, pure=False)
        assert len(future.result(SECONDS)) == 8
        workers[0].process.send_signal(signal.SIGTERM)

        assert workers[0].wait()[0] == 143


def test_a_worker_that_is_closed_by_its_scheduler_ends_well(
    cluster: tuple[KubernetesCluster, Path], tmp_path: Path
) -> None:
    with joined(cluster[0], tmp_path, 0) as (client, workers):
        client.retire_workers(names=[0])

        assert workers[0].wait() == (0, "")


def test_a_worker_that_is_asked_to_stop_before_it_has_joined_stops(tmp_path: Path) -> None:
    with started(tmp_path, nobody(), log=contract.encode(Log(extra_loggers=("distributed.worker",)))) as worker:
        until = time.monotonic() + SECONDS
        while "Waiting to connect" not in worker.output.read_text():
            assert time.monotonic() < until
            time.sleep(0.01)  # a file of another process has no event
        worker.process.send_signal(signal.SIGTERM)

        assert worker.wait()[0] == 143


def test_a_worker_whose_scheduler_is_killed_says_so_by_its_code(tmp_path: Path) -> None:
    host = loopback()
    with subprocess.Popen(
        [sys.executable, "-P", "-c", SCHEDULER, host, str(SCHEDULER_PORT)],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as scheduler:
        try:
            assert scheduler.stdin is not None
            assert scheduler.stdout is not None
            scheduler.stdin.write(KEYS.encode())
            scheduler.stdin.close()
            assert scheduler.stdout.readline() == b"up\n"
            with started(tmp_path / "worker", f"tls://{host}:{SCHEDULER_PORT}") as worker:
                assert scheduler.stdout.readline() == b"joined\n"
                scheduler.kill()
                code, output = worker.wait()
        finally:
            scheduler.kill()

    assert code == 69
    assert "Traceback" not in output


def test_what_a_worker_prints_is_shown_and_kept(cluster: tuple[KubernetesCluster, Path], tmp_path: Path) -> None:
    def talk() -> None:
        print("hello")
        print("trouble", file=sys.stderr)

    with joined(cluster[0], tmp_path, 5) as (client, workers):
        client.run(talk)
        client.retire_workers(names=[5])
        code, output = workers[5].wait()

    assert (code, output) == (0, "hello\ntrouble\n")
    kept = (cluster[1] / WORKER_LOG_ARTIFACT).read_text().splitlines()
    assert [line for line in kept if line.startswith("worker 5 | ")] == ["worker 5 | hello", "worker 5 | trouble"]
