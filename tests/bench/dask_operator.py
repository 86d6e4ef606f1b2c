"""The operator of dask-kubernetes as a process beside the cluster, and a Dask cluster that it makes.

What it brings is gone on leaving: its kinds of resources are the whole cluster's.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

import yaml

from runner.kubernetes.client import Client, path
from runner.kubernetes.errors import NotFound
from tests.bench.kubernetes_section import moment
from tests.bench.processes import Command, MeasurementError, clean_variables, started
from tests.bench.raw_dask import RESOURCES, SECONDS
from tests.testbed import kubernetes_cluster
from tests.testbed.dask_on_kubernetes import IMAGE
from tools.setup import EXTRA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "bench"
FOLDER = EXTRA["dask-kubernetes"].folder
GROUP = "kubernetes.dask.org/v1"
PODS = "dask.org/cluster-name"
SCHEDULER = "dask.org/component=scheduler"
STARTED = b"Initial authentication has finished."
"""In its log: what it does next is to watch, and for all kinds at once."""
LOOK_SECONDS = 0.2
REGISTERED = "Register worker"
"""In the scheduler's log for every worker that is connected."""


def is_installed() -> bool:
    """Whether its environment has been made."""
    return (FOLDER / "bin" / "kopf").exists()


@contextlib.contextmanager
def operating(client: Client, namespace: str, log: Path) -> Iterator[None]:
    """The operator, at work in one namespace.

    Args:
        client: a client with full rights.
        namespace: in which it looks for resources.
        log: a file for what it prints.
    """
    # Those of its own Helm chart; the package has no others that are whole.
    (folder,) = FOLDER.glob("lib/*/site-packages/dask_kubernetes/operator/deployment/helm/*/crds")
    kinds = path("apiextensions.k8s.io/v1", "customresourcedefinitions")
    bodies = [yaml.safe_load(file.read_text()) for file in sorted(folder.glob("*.yaml"))]
    with contextlib.ExitStack() as stack:
        for body in bodies:
            client.create(kinds, body)
            stack.callback(kubernetes_cluster.await_gone, client, kinds, body["metadata"]["name"])
            stack.callback(client.delete, f"{kinds}/{body['metadata']['name']}")
        stack.callback(_release, client, namespace)
        _await_served(client, namespace)
        words = ("-m", "kopf", "run", "-m", "dask_kubernetes.operator.controller", "--standalone", "-n", namespace)
        variables = {
            **clean_variables(os.environ),
            "KUBECONFIG": os.environ[kubernetes_cluster.KUBECONFIG],
            "NO_PROXY": "*",
        }
        command = Command(words=(str(FOLDER / "bin" / "python"), *words), folder=log.parent, variables=variables)
        stack.enter_context(started(command, merge_stderr=True, log=log))
        until = time.monotonic() + SECONDS
        while STARTED not in log.read_bytes():
            if time.monotonic() > until:
                raise MeasurementError(f"dask-kubernetes' operator did not start:\n{log.read_text()[-2000:]}")
            time.sleep(LOOK_SECONDS)
        yield


def _await_served(client: Client, namespace: str) -> None:
    """Wait until the API has its kinds: the operator would look again in a while only."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(NotFound):
            for kind in ("daskclusters", "daskworkergroups", "daskautoscalers", "daskjobs"):
                client.get(path(GROUP, kind, namespace=namespace))
            return
        time.sleep(LOOK_SECONDS)


def _release(client: Client, namespace: str) -> None:
    """Take away what holds the operator's resources back when it is not there any more."""
    clusters = path(GROUP, "daskclusters", namespace=namespace)
    for item in client.get(clusters)["items"]:
        client.patch(f"{clusters}/{item['metadata']['name']}", {"metadata": {"finalizers": None}})


def seconds_to_workers(client: Client, namespace: str, address: str, count: int) -> float:
    """Make a Dask cluster until its workers are connected, and remove it; the seconds until they were.

    Args:
        client: a client with full rights.
        namespace: where the operator works.
        address: of the scheduler's Service.
        count: how many workers.
    """
    clusters = path(GROUP, "daskclusters", namespace=namespace)
    began = time.time()
    client.create(clusters, dask_cluster(namespace, address, count))
    connected = _connected_at(client, namespace, count)
    client.delete(f"{clusters}/{NAME}")
    kubernetes_cluster.await_gone(client, clusters, NAME)
    kubernetes_cluster.await_pods(client, namespace, lambda pods: not pods, seconds=SECONDS, selector=PODS)
    return connected - began


def _connected_at(client: Client, namespace: str, count: int) -> float:
    until = time.monotonic() + SECONDS
    pods = path("v1", "pods", namespace=namespace)
    while time.monotonic() < until:
        for pod in client.get(pods, labelSelector=SCHEDULER)["items"]:
            if pod["status"].get("phase") == "Running":
                log = client.raw("GET", f"{pods}/{pod['metadata']['name']}/log", timestamps=True).decode()
                stamps = [line.split(" ", 1)[0] for line in log.splitlines() if REGISTERED in line]
                if len(stamps) >= count:
                    return moment(stamps[count - 1])
        # Often enough to see the end, seldom enough to leave the processors to the workers: the log has the time.
        time.sleep(LOOK_SECONDS)
    raise MeasurementError(f"Of {count} workers of dask-kubernetes not all were connected within {SECONDS:g} s.")


def dask_cluster(namespace: str, address: str, count: int) -> dict[str, Any]:
    """The resource: what `KubeCluster` makes, with workers that start one process rather than two.

    Args:
        namespace: where it is.
        address: of the scheduler's Service; the test cluster has no DNS.
        count: how many workers.
    """
    ports = [
        {"name": name, "containerPort": port, "protocol": "TCP"}
        for name, port in (("tcp-comm", 8786), ("http-dashboard", 8787))
    ]
    scheduler = {
        "name": "scheduler",
        "image": IMAGE,
        "command": ["dask", "scheduler", "--host", "0.0.0.0"],  # noqa: S104 as it does
        "ports": ports,
        "readinessProbe": {
            "httpGet": {"port": "http-dashboard", "path": "/health"},
            "periodSeconds": 1,
            "timeoutSeconds": 300,
        },
    }
    service = {
        "type": "ClusterIP",
        "clusterIP": address,
        "selector": {"dask.org/cluster-name": NAME, "dask.org/component": "scheduler"},
        "ports": [
            {"name": port["name"], "protocol": "TCP", "port": port["containerPort"], "targetPort": port["name"]}
            for port in ports
        ],
    }
    worker = {
        "name": "worker",
        "image": IMAGE,
        "command": ["dask", "worker", "--no-nanny", "--nthreads", "1", "--name", "$(DASK_WORKER_NAME)"],
        "resources": RESOURCES,
    }
    # Workers that lose their scheduler while they are closing stay until they are killed.
    quick = {"terminationGracePeriodSeconds": 2}
    host = {"ip": address, "hostnames": [f"{NAME}-scheduler.{namespace}.svc.cluster.local"]}
    return {
        "apiVersion": GROUP,
        "kind": "DaskCluster",
        "metadata": {"name": NAME},
        "spec": {
            "scheduler": {"spec": {**quick, "containers": [scheduler]}, "service": service},
            "worker": {"replicas": count, "spec": {**quick, "hostAliases": [host], "containers": [worker]}},
        },
    }
