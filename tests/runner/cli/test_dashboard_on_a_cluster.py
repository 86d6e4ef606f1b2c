"""`penstock run --dashboard` on a real cluster: the browser's side of it."""

import os
import queue
import re
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest

from runner import contract
from runner.environment import Action, Environment, Executor, ExecutorType, FailurePolicy
from runner.kubernetes.client import Client
from runner.sections import Resources
from tests.runner.cli.conftest import Penstock, start
from tests.runner.cli.test_dashboard import FLOW
from tests.testbed import kubernetes_cluster
from tests.testbed.dask_on_kubernetes import dask_environment, dask_namespace

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]
SECONDS = 90
FAILS_ONCE = """
import time
from distributed import Client

def main(client: Client, until: float):
    print("up", flush=True)
    if time.time() < until:
        time.sleep(until - time.time())
        raise ValueError("on purpose")
    time.sleep(3600)
"""
WHERE = re.compile(r"penstock: Dask's dashboard is at (http://127\.0\.0\.1:(\d+)/status) while this follows the run\.")


def _on_local_processes(namespace: str) -> Environment:
    executor = Executor(
        type=ExecutorType.DASK, workers=1, threads_per_worker=1, memory_limit_mib=512, performance_report=False
    )
    size = Resources(cpu_millicores=100, memory_mib=1024)
    return kubernetes_cluster.environment(
        namespace, image="penstock.local/runner-dask:test", executor=executor, resources=size
    )


def _with_a_retry(namespace: str) -> Environment:
    policy = FailurePolicy(flow=Action.RETRY, retries=1)
    template = kubernetes_cluster.environment(namespace, job={"failure_policy": {"flow": "retry", "retries": 1}})
    return replace(_on_local_processes(namespace), failure_policy=policy, kubernetes_job=template.kubernetes_job)


def _on_pods(namespace: str) -> Environment:
    return dask_environment(namespace, 1)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with kubernetes_cluster.cluster_client() as client:
        yield client
        kubernetes_cluster.await_no_namespaces(client)


@pytest.fixture(params=[_on_local_processes, _on_pods], ids=["kubernetes-job", "dask-kubernetes"])
def environment(
    request: pytest.FixtureRequest, client: Client, penstock: Penstock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Environment]:
    """An environment that has been pulled."""
    make: Callable[[str], Environment] = request.param
    monkeypatch.setenv("KUBECONFIG", os.environ[kubernetes_cluster.KUBECONFIG])
    with dask_namespace(client) as namespace:
        found = make(namespace)
        (tmp_path / "document.json").write_bytes(contract.to_bytes(found))
        assert penstock("env", "pull", str(tmp_path / "document.json")).code == 0
        yield found


class _Lines:
    """The lines of a stream as they come."""

    def __init__(self, stream: IO[str] | None) -> None:
        assert stream is not None
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.seen: list[str] = []
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._lines.put(line)
        self._lines.put(None)

    def await_(self, pattern: re.Pattern[str] | str) -> re.Match[str]:
        while (line := self._lines.get(timeout=SECONDS)) is not None:
            self.seen.append(line)
            if found := re.match(pattern, line):
                return found
        raise AssertionError(f"no line like {pattern} in {self.seen}")


def _page(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as page:  # noqa: S310 it is http
        assert page.status == 200
        body: bytes = page.read()
        return body


def _is_closed(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) != 0


def _end(process: "subprocess.Popen[str]", port: int, code: int) -> None:
    assert process.wait(60) == code
    assert _is_closed(port)


def test_it_is_reached_while_the_run_is_followed(penstock: Penstock, environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "flow.py").write_text(FLOW)
    words = ["flow.py:main", "--env", environment.name, "--dashboard", "-p", "until=9999999999", "--run-id", "one"]
    with start("run", *words, cwd=tmp_path / "code") as process:
        err, out = _Lines(process.stderr), _Lines(process.stdout)
        found = err.await_(WHERE)
        out.await_("up\n")
        page = _page(found[1])
        assert b"Dask" in page
        assert b"bokeh" in page.lower()
        with start("logs", "-f", "one", "--dashboard") as follower:
            elsewhere = _Lines(follower.stderr).await_(WHERE)
            assert elsewhere[2] != found[2]
            assert b"Dask" in _page(elsewhere[1])
            penstock("cancel", "one")
            _end(follower, int(elsewhere[2]), 0)
        _end(process, int(found[2]), 143)

    assert "http://127.0.0.1" not in "".join(out.seen)


@pytest.mark.parametrize("environment", [_with_a_retry], ids=["kubernetes-job"], indirect=True)
def test_it_leads_to_the_pod_in_which_the_run_is_started_again(
    penstock: Penstock, environment: Environment, tmp_path: Path
) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "flow.py").write_text(FAILS_ONCE)
    words = ["flow.py:main", "--env", environment.name, "--dashboard", "--run-id", "two"]
    with start("run", *words, "-p", f"until={time.time() + 30}", cwd=tmp_path / "code") as process:
        err, out = _Lines(process.stderr), _Lines(process.stdout)
        found = err.await_(WHERE)
        out.await_("up\n")
        assert b"Dask" in _page(found[1])
        err.await_("penstock: two ended")
        out.await_("up\n")
        assert b"Dask" in _page(found[1])
        penstock("cancel", "two")
        _end(process, int(found[2]), 143)
    assert len([line for line in err.seen if WHERE.match(line)]) == 1
