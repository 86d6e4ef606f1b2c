"""Connections that break, and clients that are killed: no line is lost or doubled, and nothing is left behind."""

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runner import contract
from runner.environment import Environment, Retention
from runner.kubernetes import names
from runner.kubernetes.client import Client, path
from runner.launch.kubernetes.launcher import KubernetesLauncher
from tests.testbed.cutting_proxy import through_cuts
from tests.testbed.followed_run import Run
from tests.testbed.kubernetes_cluster import KUBECONFIG, await_gone, environment, jobs, pods, submit
from tests.testbed.runner_process import BEHAVIOURS

pytestmark = pytest.mark.cluster

MOMENTS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8, 1.2, 1.8, 2.5)
Penstock = Callable[..., list[str]]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("longest", [0.3, 1.5])
def test_every_line_once_while_connections_are_cut_at_random(client: Client, namespace: str, longest: float) -> None:
    target = environment(namespace)
    run = submit(client, target, "count", lines=4000, pause=0.002)
    with through_cuts(client.access, longest=longest) as (access, proxy), Client(access) as cut:
        followed = Run(KubernetesLauncher(target, cut), run.run_id)
        outcome = followed.follow()

    assert proxy.cuts > 5
    assert (outcome.exit_code, outcome.result, outcome.log.lines) == (0, 4000, 4000)
    assert followed.output.count(b"\n") == 4000
    assert hashlib.sha256(followed.output).hexdigest() == outcome.log.sha256


def test_submitting_while_connections_are_cut_at_random_starts_every_run_once(client: Client, namespace: str) -> None:
    target = environment(namespace)
    with through_cuts(client.access, longest=0.05) as (access, _), Client(access) as cut:
        runs = [submit(cut, target, "succeed") for _ in range(10)]

    assert sorted(job["metadata"]["labels"][names.RUN_ID] for job in jobs(client, namespace)) == sorted(
        run.run_id for run in runs
    )


@pytest.fixture
def penstock(namespace: str, state_home: Path) -> Penstock:
    """The command line of `penstock`, with one environment in its store."""
    store(state_home, environment(namespace))
    return lambda *words: [sys.executable, "-m", "runner.cli", *words, *_context()]


def store(state_home: Path, target: Environment) -> None:
    """Put an environment into the local store."""
    folder = state_home / "penstock" / "environments"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{target.name}.json").write_bytes(contract.to_bytes(target))


def _context() -> list[str]:
    return ["--kubeconfig", os.environ[KUBECONFIG]]


def _start_and_kill(command: list[str], seconds: float) -> None:
    """Start a client, and kill it after some time."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.timeout(180)
def test_a_run_whose_client_was_killed_is_picked_up(client: Client, namespace: str, penstock: Penstock) -> None:
    words = [f"{BEHAVIOURS}:count", "-p", "lines=300", "-p", "pause=0.01", "--env", "jobs"]
    for number, moment in enumerate(MOMENTS):
        _start_and_kill(penstock("run", *words, "--run-id", f"killed-{number}"), moment)
    started = {job["metadata"]["labels"][names.RUN_ID] for job in jobs(client, namespace)}

    # The earliest were killed before they had asked for anything.
    assert {f"killed-{number}" for number, moment in enumerate(MOMENTS) if moment >= 1} <= started
    for run_id in started:
        log = subprocess.run(penstock("logs", "-f", run_id), capture_output=True, timeout=60, check=True).stdout
        told = subprocess.run(penstock("describe", run_id, "--json"), capture_output=True, timeout=60, check=True)
        outcome = json.loads(told.stdout)
        assert log.count(b"\n") == 300
        assert (outcome["state"], outcome["exit_code"], outcome["result"]) == ("succeeded", 0, 300)
        assert hashlib.sha256(log).hexdigest() == outcome["log"]["sha256"]


@pytest.mark.timeout(240)
def test_many_killed_clients_leave_nothing_after_the_retention(
    client: Client, namespace: str, penstock: Penstock, state_home: Path
) -> None:
    store(state_home, environment(namespace, retention=Retention(succeeded_seconds=0, failed_seconds=0)))
    words = [f"{BEHAVIOURS}:succeed", "--env", "jobs"]
    for number in range(50):
        _start_and_kill(penstock("run", *words, "--run-id", f"killed-{number}"), random.uniform(0.05, 0.8))  # noqa: S311

    for job in jobs(client, namespace):
        await_gone(client, path("batch/v1", "jobs", namespace=namespace), job["metadata"]["name"], 90)
    assert jobs(client, namespace) == []
    for pod in pods(client, namespace):
        await_gone(client, path("v1", "pods", namespace=namespace), pod["metadata"]["name"], 30)
    maps = client.get(path("v1", "configmaps", namespace=namespace), labelSelector=names.CONTENT)["items"]
    assert len(maps) <= 1  # code is no run's own: one copy serves all, until `penstock gc` finds it unused


def test_interrupting_the_client_cancels_the_run(client: Client, namespace: str, penstock: Penstock) -> None:
    words = [f"{BEHAVIOURS}:wait_until", "-p", f"moment={time.time() + 120}", "--env", "jobs", "--run-id", "stopped"]
    with subprocess.Popen(penstock("run", *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)

    assert process.returncode == 143
    assert b"cancelling stopped, which has its grace to end" in said
    assert b"stopped in jobs: cancelled [cancelled], exit code 143" in said
