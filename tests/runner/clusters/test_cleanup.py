"""The container that removes a run's workers when the run itself could not."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.clusters import worker_pod
from tests.runner.clusters.worker_pods import OWNER, told_pod
from tests.runner.kubernetes.api_server import ApiServer, Asked, Exchange

pytestmark = pytest.mark.usefixtures("unmeasured")
API = f"/api/v1/namespaces/{OWNER.namespace}"
SECRET = worker_pod.secret_name(OWNER)
SIGNALS = {signal.SIGTERM, signal.SIGINT}
MODULE = [sys.executable, "-P", "-m", "runner.clusters.cleanup"]
HASTY = """
import signal, sys
from runner.clusters import cleanup
cleanup.SECONDS = 0.3
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
sys.exit(cleanup.main())
"""
"""The module, which gives up soon."""


@dataclass(frozen=True)
class Done:
    """A process that has ended."""

    code: int
    out: str
    err: str


def pods(*items: dict[str, Any]) -> Callable[[Exchange], None]:
    """A cluster with such pods, of which nothing that is to be deleted is missing."""

    def reply(exchange: Exchange) -> None:
        if exchange.asked.method == "GET":
            exchange.json(200, {"metadata": {"resourceVersion": "1"}, "items": list(items)})
        else:
            exchange.json(200, {})

    return reply


@contextlib.contextmanager
def waiting(
    folder: Path, server: str, command: list[str] = MODULE, *, at_once: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """The process, as soon as it waits for its signal, or at once."""
    cluster = {"name": "c", "cluster": {"server": server}}
    context = {"name": "x", "context": {"cluster": "c", "namespace": OWNER.namespace}}
    config = {"clusters": [cluster], "contexts": [context], "current-context": "x"}
    (folder / "kubeconfig").write_text(json.dumps(config))
    variables = {
        "KUBECONFIG": str(folder / "kubeconfig"),
        "PENSTOCK_POD_NAME": OWNER.pod,
        "PENSTOCK_POD_UID": OWNER.uid,
        "PENSTOCK_RUN_ID": "the-run",
    }
    # A signal that comes before the process is ready for it waits: it begins with our mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        started = subprocess.Popen(
            command, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    with started as process:
        try:
            if not at_once:
                _await_waiting(process.pid)
            yield process
        finally:
            process.kill()


def _await_waiting(pid: int) -> None:
    """Wait until the process waits for SIGTERM, which is not blocked so long; another process has no event of that."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if not int(_status(pid)["SigBlk"], 16) >> signal.SIGTERM - 1 & 1:
            return
        time.sleep(0.01)
    raise TimeoutError("it never waited")


def _status(pid: int) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())


def end(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> Done:
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    return Done(process.returncode, out, err)


def cleaned(folder: Path, reply: Callable[[Exchange], None], command: list[str] = MODULE) -> tuple[Done, list[Asked]]:
    """What became of a process that was asked to end, and what it asked the cluster for."""
    with ApiServer(reply) as server, waiting(folder, server.url, command) as process:
        assert server.requests == []
        return end(process), server.requests


def deletions(asked: list[Asked]) -> dict[str, Any]:
    """Options of every deletion, by place."""
    return {one.place: json.loads(one.body or b"null") for one in asked if one.method == "DELETE"}


def test_what_the_runs_pod_owns_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    leaving = told_pod(2, 1)
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    stranger = told_pod(3, 1, uid="uid-of-another-pod-of-the-attempt")
    done, asked = cleaned(tmp_path, pods(told_pod(0, 1), told_pod(1, 1, state={"running": {}}), leaving, stranger))

    own = [f"{API}/pods/{worker_pod.worker_name(OWNER, number)}" for number in (0, 1)]
    assert [(one.method, one.query) for one in asked[:1]] == [
        ("GET", {"labelSelector": "penstock.dev/run-id=the-run,penstock.dev/worker"})
    ]
    assert deletions(asked) == {
        **{place: {"gracePeriodSeconds": 2} for place in own},
        f"{API}/secrets/{SECRET}": None,
    }
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines() == [
        f"penstock: {place} was left by the run, and is deleted now." for place in deletions(asked)
    ]


def test_where_nothing_is_left_nothing_is_said(tmp_path: Path) -> None:
    def reply(exchange: Exchange) -> None:
        if exchange.asked.method == "GET":
            pods()(exchange)
        else:
            exchange.fail(404, "NotFound")

    done, asked = cleaned(tmp_path, reply)

    assert done == Done(0, "", "")
    assert deletions(asked) == {f"{API}/secrets/{SECRET}": None}


def test_what_goes_by_itself_meanwhile_is_no_failure(tmp_path: Path) -> None:
    def reply(exchange: Exchange) -> None:
        if exchange.asked.method == "DELETE" and exchange.asked.place.endswith("-worker-0"):
            exchange.fail(404, "NotFound")
        else:
            pods(told_pod(0, 1), told_pod(1, 1))(exchange)

    done, asked = cleaned(tmp_path, reply)

    assert done.code == 0
    assert len(deletions(asked)) == 3
    assert "worker-0" not in done.err


def test_a_cluster_that_is_in_trouble_is_asked_again(tmp_path: Path) -> None:
    refusals = [503, 429]

    def reply(exchange: Exchange) -> None:
        if refusals:
            exchange.fail(refusals.pop())
        else:
            pods(told_pod(0, 1))(exchange)

    done, asked = cleaned(tmp_path, reply)

    assert done.code == 0
    assert len(deletions(asked)) == 2


def test_a_cluster_that_does_not_allow_it_is_told_in_a_sentence(tmp_path: Path) -> None:
    done, asked = cleaned(tmp_path, lambda exchange: exchange.fail(403, "Forbidden", "pods is forbidden"))

    assert (done.code, done.out) == (69, "")
    assert done.err.startswith("penstock: The cluster of context x")
    assert "does not allow this: pods is forbidden." in done.err
    assert len(done.err.splitlines()) == 1
    assert deletions(asked) == {}


def test_a_cluster_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
        with waiting(tmp_path, nobody, [sys.executable, "-P", "-c", HASTY]) as process:
            done = end(process)

    assert (done.code, done.out) == (69, "")
    assert "cannot be reached: nothing listens there (connection refused)." in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_at_once_is_taken(tmp_path: Path, number: signal.Signals) -> None:
    with ApiServer(pods()) as server, waiting(tmp_path, server.url, at_once=True) as process:
        assert end(process, number).code == 0
        assert len(server.requests) == 2


def test_while_it_waits_it_is_small_and_asks_for_nothing(tmp_path: Path) -> None:
    with ApiServer(pods()) as server, waiting(tmp_path, server.url) as process:
        fields = _status(process.pid)
        threads, resident = int(fields["Threads"]), int(fields["VmRSS"].split()[0])

        assert threads == 1
        assert resident < 24 * 1024  # KiB; its container may have 64 MiB in all, most of which the end needs
        assert server.connections == 0


def test_what_it_needs_at_the_end_only_is_not_there_before() -> None:
    program = "import sys; from runner.clusters import cleanup; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    found = set(done.stdout.split())

    late = ("runner.kubernetes", "runner.launch", "dask", "distributed")
    assert [name for name in found if name.startswith(late)] == []
    assert not found & {"ssl", "http.client", "asyncio", "logging", "threading", "yaml", "cryptography", "subprocess"}
