"""The example spread over Dask workers that are pods: provisioned by the example stack, run by its submitter."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.kubernetes.client import Client
from tests.testbed import kubernetes_cluster
from tests.testbed.dask_on_kubernetes import await_nothing_left
from tests.testbed.flights import FLOW, kept, local_outcome, penstock, provisioned
from tests.testbed.pulumi_kubernetes import ENVIRONMENT, Stack

pytestmark = [pytest.mark.cluster, pytest.mark.engine, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with provisioned(tmp_path_factory.mktemp("flights"), "Pulumi.dask-kubernetes.yaml") as stack:
        yield stack


@pytest.fixture
def client() -> Iterator[Client]:
    with kubernetes_cluster.cluster_client() as client:
        yield client


@pytest.fixture
def submitter(stack: Stack, client: Client, tmp_path: Path) -> Path:
    """A kubeconfig of the environment's submitter, who may start runs and little else."""
    file = tmp_path / "submitter.json"
    kubernetes_cluster.token_kubeconfig(client, stack.namespace, f"{ENVIRONMENT}-submitter", file)
    pulled = penstock("env", "pull", "--namespace", stack.namespace, kubeconfig=file)
    assert pulled.returncode == 0, pulled.stderr.decode()
    return file


def test_the_result_is_that_of_one_machine(stack: Stack, client: Client, submitter: Path) -> None:
    local = local_outcome()

    done = penstock("run", f"{FLOW}:main", "--env", ENVIRONMENT, "--json", kubeconfig=submitter)
    outcome = json.loads(done.stdout)

    assert (done.returncode, outcome["state"], outcome["kind"]) == (0, "succeeded", "dask-kubernetes"), done.stderr
    assert outcome["result"] == local["result"]
    assert outcome["result"]["flights"] == 336_776
    assert kept(outcome, "flights.svg") == kept(local, "flights.svg")
    # Each of the four workers has a row in the picture of who worked on what.
    assert set(re.findall(r"worker (\d+)", kept(outcome, "dask-task-stream.svg").decode())) == set("0123")
    assert b"Dask Performance Report" in kept(outcome, "dask-performance-report.html")
    told = penstock("describe", outcome["run_id"], kubeconfig=submitter).stdout.decode()
    assert "dask-task-stream.svg" in told
    assert "dask-performance-report.html" in told
    await_nothing_left(client, stack.namespace, 5)


def test_the_doctor_finds_nothing_wrong(stack: Stack, submitter: Path) -> None:
    done = penstock("doctor", "--env", ENVIRONMENT, kubeconfig=submitter)

    assert done.returncode == 0, done.stdout.decode()
    assert "this account may run flows" in done.stdout.decode()
    assert "executor dask with 4 workers of 250 millicores and 384 MiB" in done.stdout.decode()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--workers", "5"], "--workers is 5, expected at most the 4 that the stack allows."),
        (["--min-workers", "3", "--max-workers", "2"], "--min-workers is 3, expected at most the 2 of max_workers."),
    ],
)
def test_more_workers_than_the_stack_allows_are_refused_before_anything_is_created(
    stack: Stack, client: Client, submitter: Path, words: list[str], sentence: str
) -> None:
    before = len(kubernetes_cluster.jobs(client, stack.namespace))
    done = penstock("run", f"{FLOW}:main", "--env", ENVIRONMENT, *words, kubeconfig=submitter)

    assert done.returncode == 64
    assert sentence in done.stderr.decode()
    assert len(kubernetes_cluster.jobs(client, stack.namespace)) == before
