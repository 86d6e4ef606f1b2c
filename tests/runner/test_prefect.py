"""Prefect 3 flows, run by the runner in a virtual environment that has Prefect, against Prefect's own server."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.testbed.runner_process import FLOWS, Ended, run_flow

PYTHON = Path(__file__).parents[2] / ".penstock" / "venvs" / "prefect" / "bin" / "python"
START_SECONDS = 90

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not PYTHON.exists(), reason="no environment with Prefect: `make test` makes it"),
]
Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables that point a flow to a Prefect server of this module's own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api"
    quiet = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    variables = {**quiet, "PREFECT_HOME": str(tmp_path_factory.mktemp("prefect")), "PREFECT_API_URL": url}
    words = [str(PYTHON), "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        words, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await_health(url, process)
        yield variables
    finally:
        process.terminate()
        process.wait(30)


def _await_health(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):  # noqa: S310 our own server on 127.0.0.1
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)  # a server that is not up yet has no event to wait for
    pytest.fail(f"Prefect's server did not come up within {START_SECONDS} s")


@pytest.fixture
def run(tmp_path: Path, server: dict[str, str]) -> Run:
    def run(function: str, parameters: dict[str, Any] | None = None, **options: Any) -> Ended:
        flow = f"{FLOWS}/with_prefect.py:{function}"
        return run_flow(tmp_path, flow, parameters, python=str(PYTHON), variables=server, **options)

    return run


def test_a_flow_object_with_parameters(run: Run) -> None:
    ended = run("doubled", {"number": "5", "times": 2})

    assert (ended.exit_code, ended.outcome["result"]) == (0, 20)
    assert "doubling" in ended.output.decode()


def test_a_failed_flow_is_a_failed_run(run: Run) -> None:
    ended = run("failing")

    assert (ended.exit_code, ended.failure_class) == (1, "flow")
    assert ended.outcome["failure"]["message"] == "ValueError: no data today"


def test_parameters_are_checked_before_prefect_is_asked(run: Run) -> None:
    ended = run("doubled", {"nmber": 5})

    assert ended.exit_code == 66
    assert ended.outcome["failure"]["message"] == (
        "The flow has no parameter 'nmber'. Did you mean 'number'? It takes number, times."
    )


@pytest.mark.dask
def test_tasks_run_on_the_runs_dask_cluster(run: Run) -> None:
    executor = {"type": "dask", "workers": 1, "performance_report": False}
    ended = run("on_workers", environment={"executor": executor})

    assert (ended.exit_code, ended.outcome["result"]) == (0, ["tls"])
