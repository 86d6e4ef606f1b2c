"""The example on Kubernetes: provisioned by the example stack, run by its submitter, from outside and from inside."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.kubernetes import names
from runner.kubernetes.client import Client, path
from runner.kubernetes.watch import Watch
from tests.testbed import kubernetes_cluster
from tests.testbed.flights import FLOW, kept, local_outcome, penstock, provisioned
from tests.testbed.pulumi_kubernetes import ENVIRONMENT, Stack

pytestmark = [pytest.mark.cluster, pytest.mark.engine, pytest.mark.timeout(180)]

INSIDE = f"""
import json, subprocess, sys
def penstock(*words):
    return subprocess.run(["penstock", *words], stdout=subprocess.PIPE, check=True).stdout
penstock("env", "pull", "--namespace", sys.argv[1])
penstock("doctor", "--env", "{ENVIRONMENT}")
outcome = json.loads(penstock("run", "/app/flow.py:main", "--no-bundle", "--env", "{ENVIRONMENT}", "--json"))
print(json.dumps(outcome["result"]))
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with provisioned(tmp_path_factory.mktemp("flights")) as stack:
        yield stack


@pytest.fixture
def client() -> Iterator[Client]:
    with kubernetes_cluster.cluster_client() as client:
        yield client


@pytest.fixture
def submitter(stack: Stack, client: Client, tmp_path: Path) -> Path:
    """A kubeconfig of the environment's submitter, who may start runs and little else."""
    file = tmp_path / "submitter.json"
    return kubernetes_cluster.token_kubeconfig(client, stack.namespace, f"{ENVIRONMENT}-submitter", file)


@pytest.fixture
def local_result() -> Any:
    """The outcome of the flow on this machine."""
    return local_outcome()


def test_it_runs_from_outside_with_its_code_sent_along_and_with_its_code_in_the_image(
    stack: Stack, submitter: Path, local_result: Any
) -> None:
    pulled = penstock("env", "pull", "--namespace", stack.namespace, kubeconfig=submitter)
    assert pulled.returncode == 0, pulled.stderr.decode()

    for words in ([f"{FLOW}:main"], ["/app/flow.py:main", "--no-bundle"]):
        done = penstock("run", *words, "--env", ENVIRONMENT, "--json", kubeconfig=submitter)

        outcome = json.loads(done.stdout)
        assert (done.returncode, outcome["state"], outcome["kind"]) == (0, "succeeded", "kubernetes-job")
        assert outcome["result"] == local_result["result"]
        assert outcome["result"]["flights"] == 336_776
        assert kept(outcome, "flights.svg") == kept(local_result, "flights.svg")
        told = penstock("describe", outcome["run_id"], "--json", kubeconfig=submitter)
        assert json.loads(told.stdout)["result"] == outcome["result"]


def test_the_doctor_finds_nothing_wrong_and_says_what_another_account_lacks(
    stack: Stack, client: Client, submitter: Path, tmp_path: Path
) -> None:
    penstock("env", "pull", "--namespace", stack.namespace, kubeconfig=submitter)
    previewer = kubernetes_cluster.token_kubeconfig(
        client, stack.namespace, f"{ENVIRONMENT}-previewer", tmp_path / "previewer.json"
    )

    well = penstock("doctor", "--env", ENVIRONMENT, "--kubeconfig", str(submitter), kubeconfig=submitter)
    other = penstock("doctor", "--env", ENVIRONMENT, "--kubeconfig", str(previewer), kubeconfig=previewer)

    assert well.returncode == 0, well.stdout.decode()
    assert f"the document is that of namespace {stack.namespace}" in well.stdout.decode()
    assert "jobs.batch" in well.stdout.decode() or "requests.cpu 0/1" in well.stdout.decode()
    assert other.returncode == 69
    assert "this account may not create jobs" in other.stdout.decode()


def test_wrong_credentials_are_one_sentence(stack: Stack, submitter: Path) -> None:
    penstock("env", "pull", "--namespace", stack.namespace, kubeconfig=submitter)
    config = json.loads(submitter.read_text())
    config["users"][0]["user"]["token"] = "expired"  # noqa: S105 of nobody
    submitter.write_text(json.dumps(config))

    done = penstock("run", f"{FLOW}:main", "--env", ENVIRONMENT, kubeconfig=submitter)

    assert done.returncode == 69
    (said,) = [line for line in done.stderr.decode().splitlines() if "travel with the run" not in line]
    assert "does not accept your credentials" in said


def test_it_runs_from_a_pod_inside_the_cluster(stack: Stack, client: Client, local_result: Any) -> None:
    template = json.loads(stack.engine.do("stack", "output", "environment", "--json", "--stack", stack.name))
    spec = template["kubernetes_job"]["job"]["spec"]["template"]["spec"]
    container = {
        "name": "client",
        "image": "penstock.local/flights:test",
        "command": ["python3", "-c", INSIDE, stack.namespace],
        "securityContext": spec["containers"][0]["securityContext"],
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "client", "labels": {names.ENVIRONMENT: ENVIRONMENT}},
        "spec": {
            "serviceAccountName": f"{ENVIRONMENT}-submitter",
            "automountServiceAccountToken": True,
            "restartPolicy": "Never",
            "securityContext": spec["securityContext"],
            "containers": [container],
        },
    }
    pods = path("v1", "pods", namespace=stack.namespace)
    client.create(pods, pod)
    phase = ""
    with Watch(client, pods, field_selector="metadata.name=client") as watch:
        for event in watch:
            phase = event.object.get("status", {}).get("phase", "")
            if phase in {"Succeeded", "Failed"}:
                break
    log = client.raw("GET", path("v1", "pods", namespace=stack.namespace, name="client", sub="log")).decode()
    client.delete(f"{pods}/client")

    assert phase == "Succeeded", log
    assert json.loads(log.splitlines()[-1]) == local_result["result"]
