"""Prefect 3 flows whose tasks run on pods of a real cluster, against Prefect's own server in a pod beside them."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner import contract
from runner.kubernetes.client import Client
from runner.sections import Resources
from tests.runner.cli.conftest import start
from tests.testbed import kubernetes_cluster
from tests.testbed.dask_on_kubernetes import await_nothing_left, dask_environment, dask_namespace
from tests.testbed.prefect_on_kubernetes import IMAGE, await_recorded, load_image, start_server

# The first one has the image built, where it is not.
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
SIZE: dict[str, Any] = {"cpu_millicores": 50, "memory_mib": 640}
SECONDS = 90
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def place(_namespaces_are_gone: None) -> Iterator[tuple[str, str]]:
    """A namespace with Prefect's server, and the address of its API."""
    load_image()
    with kubernetes_cluster.cluster_client() as client, dask_namespace(client) as namespace:
        yield namespace, start_server(client, namespace)


@pytest.fixture
def run(place: tuple[str, str], tmp_path: Path) -> Run:
    """Run a flow with the command; the outcome, after its workers are gone."""
    namespace, api = place
    target = dask_environment(
        namespace,
        2,
        image=IMAGE,
        resources=Resources(**SIZE),
        worker={"worker_resources": SIZE},
        # All that users have to say: it reaches the flow and its workers.
        env={"PREFECT_API_URL": api},
    )
    document = tmp_path / "document.json"
    document.write_bytes(contract.to_bytes(target))

    def run(function: str, *words: str) -> dict[str, Any]:
        line = ["run", f"with_prefect.py:{function}", "--environment", str(document), "--json", *words]
        with start(*line, KUBECONFIG=os.environ[kubernetes_cluster.KUBECONFIG]) as process:
            out, err = process.communicate(timeout=SECONDS)
        outcome: dict[str, Any] = json.loads(out)
        assert process.returncode == outcome["exit_code"], err
        return outcome | {"output": err}

    return run


def test_tasks_run_on_the_workers_of_the_run(run: Run, client: Client, place: tuple[str, str]) -> None:
    outcome = run("spread", "-p", "tasks=20", "-p", "workers=2")

    assert outcome["exit_code"] == 0, outcome["output"]
    own = outcome["result"]["own"]
    workers = [f"{own}-worker-{number}" for number in range(2)]
    assert outcome["result"] == {"sum": sum(range(20)), "hosts": workers, "own": own}
    await_nothing_left(client, place[0], 5)
    # Tasks report for themselves, from the workers.
    await_recorded(client, place[0], "spread", {"COMPLETED": 21})


def test_a_task_that_fails_on_a_worker_fails_the_run(run: Run, client: Client, place: tuple[str, str]) -> None:
    outcome = run("failing_on_a_worker")

    assert (outcome["exit_code"], outcome["failure"]["class"]) == (1, "flow")
    assert outcome["failure"]["message"] == "ValueError: no data for 5"
    assert "in refuse_odd" in outcome["output"]
    await_nothing_left(client, place[0], 5)
    await_recorded(client, place[0], "failing-on-a-worker", {"COMPLETED": 3, "FAILED": 1})
