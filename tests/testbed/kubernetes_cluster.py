"""Namespaces of a real cluster, environments in them, and runs of the flows in `flows/`."""

import base64
import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from components.job_template import job_template
from runner.environment import Environment, Timeouts
from runner.kubernetes.client import Client, path
from runner.kubernetes.config import load
from runner.kubernetes.watch import Watch
from runner.launch.kubernetes.launcher import KubernetesLauncher
from runner.launch.pack import pack
from runner.request import RunRequest, WorkerCount
from runner.sections import Kind, KubernetesJob, Resources
from tests.testbed.followed_run import Run
from tests.testbed.runner_process import FLOWS
from tools import cluster as test_cluster

IMAGE = "penstock.local/runner:test"
KUBECONFIG = "PENSTOCK_TEST_KUBECONFIG"
GONE_SECONDS = 60
PREFIX = "test-"


def cluster_client(**options: Any) -> Client:
    """A client with full rights."""
    return Client(load(kubeconfig=os.environ[KUBECONFIG]), **options)


def the_node() -> test_cluster.Cluster:
    """The cluster's only machine, for those who make it fail."""
    return test_cluster.current()


@contextlib.contextmanager
def namespace(client: Client, *, level: str = "restricted") -> Iterator[str]:
    """A namespace with a service account for runs; the cluster begins to remove it on leaving."""
    name = f"{PREFIX}{os.urandom(4).hex()}"
    labels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn")}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    client.create(path("v1", "namespaces"), body)
    try:
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "jobs-runner"}}
        client.create(path("v1", "serviceaccounts", namespace=name), account)
        yield name
    finally:
        client.delete(path("v1", "namespaces", name=name))


def await_no_namespaces(client: Client) -> None:
    """Wait until every namespace that a test has made is gone."""
    for item in client.get(path("v1", "namespaces"))["items"]:
        name = item["metadata"]["name"]
        if name.startswith(PREFIX):
            await_gone(client, path("v1", "namespaces"), name)


def await_gone(client: Client, collection: str, name: str, seconds: float = GONE_SECONDS) -> None:
    """Wait until an object is gone."""
    watch = Watch(client, collection, field_selector=f"metadata.name={name}")
    timer = threading.Timer(seconds, watch.close)
    timer.start()
    there = False
    try:
        for event in watch:
            there = event.type in {"ADDED", "MODIFIED"} or (there and event.type == "LISTED")
            if not there:
                return
    finally:
        timer.cancel()
        watch.close()
    raise TimeoutError(f"{collection}/{name} was not gone within {seconds} s")


def environment(namespace: str, *, job: Mapping[str, Any] | None = None, **changes: Any) -> Environment:
    """An environment in a namespace, with the very Job that the component makes."""
    spec = job_template("jobs", namespace, service_account="jobs-runner", **(job or {}))
    parts: dict[str, Any] = {
        "kind": Kind.KUBERNETES_JOB,
        "name": "jobs",
        "image": IMAGE,
        "resources": Resources(cpu_millicores=50, memory_mib=128),
        "timeouts": Timeouts(start_seconds=60, grace_seconds=5),
        "kubernetes_job": KubernetesJob(namespace=namespace, job=spec),
    }
    return Environment(**{**parts, **changes})


def submit(
    client: Client,
    target: Environment,
    function: str,
    *,
    folder: Path = FLOWS,
    file: str = "behaviours.py",
    count: WorkerCount | None = None,
    **parameters: Any,
) -> Run:
    """Start a flow of a file, whose code travels with the run: all files of the folder."""
    launcher = KubernetesLauncher(target, client)
    flow = f"{file}:{function}"
    packed = pack(folder, flow=flow)
    asked = RunRequest(
        run_id=f"{function.replace('_', '-')[:20]}-{os.urandom(3).hex()}",
        accepted_at=time.time(),
        flow=flow,
        parameters=parameters,
        bundle=packed.bundle,
        workers=count,
    )
    launcher.submit(target, asked, bundle=packed.data)
    return Run(launcher, asked.run_id)


def jobs(client: Client, namespace: str) -> list[dict[str, Any]]:
    """The Jobs of a namespace."""
    found: list[dict[str, Any]] = client.get(path("batch/v1", "jobs", namespace=namespace))["items"]
    return found


def pods(client: Client, namespace: str) -> list[dict[str, Any]]:
    """The pods of a namespace."""
    found: list[dict[str, Any]] = client.get(path("v1", "pods", namespace=namespace))["items"]
    return found


def token_kubeconfig(client: Client, namespace: str, account: str, file: Path) -> Path:
    """Write a kubeconfig with which one is a service account."""
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = client.create(path("v1", "serviceaccounts", namespace=namespace, name=account, sub="token"), request)
    ca = base64.b64encode((client.access.ca or "").encode()).decode()
    cluster = {"server": client.access.server, "certificate-authority-data": ca}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": answer["status"]["token"]}}],
        "contexts": [{"name": account, "context": {"cluster": "c", "user": "u", "namespace": namespace}}],
        "current-context": account,
    }
    file.write_text(json.dumps(config))
    return file


def await_pods(
    client: Client,
    namespace: str,
    satisfied: Callable[[list[dict[str, Any]]], bool],
    *,
    seconds: float,
    selector: str | None = None,
) -> None:
    """Wait until what there is of pods is as wanted."""
    watch = Watch(client, path("v1", "pods", namespace=namespace), label_selector=selector)
    timer = threading.Timer(seconds, watch.close)
    timer.start()
    found: dict[str, dict[str, Any]] = {}
    listed = False
    try:
        for event in watch:
            listed = listed or event.type == "LISTED"
            if event.type == "DELETED":
                found.pop(event.object["metadata"]["uid"], None)
            elif event.type != "LISTED":
                found[event.object["metadata"]["uid"]] = event.object
            if listed and satisfied(list(found.values())):
                return
    finally:
        timer.cancel()
        watch.close()
    names = {pod["metadata"]["name"]: pod["status"].get("phase") for pod in found.values()}
    raise TimeoutError(f"After {seconds} s there were {names}")
