"""Dask clusters of raw pods: a scheduler with its client in one, and workers as `dask worker` makes them."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from runner.clusters import tls
from runner.kubernetes.client import Client, path
from tests.bench.bed import FLOWS
from tests.bench.flows.dask_work import PORT
from tests.testbed import kubernetes_cluster
from tests.testbed.dask_on_kubernetes import IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

RESOURCES = {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}}
"""As the workers of `dask_environment` have them: they decide who gets the processors."""
LABEL = "penstock-bench"
SECRET = "bench-keys"  # noqa: S105 its name
KEYS = "/keys/tls.pem"
SECONDS = 60.0
CALLS = 9
"""As many workers as are started at a time, and one that watches."""


def ask(client: Client, namespace: str, pod: str, question: str) -> float:
    """What a pod that runs `dask_work` answers."""
    place = path("v1", "pods", namespace=namespace, name=f"{pod}:{PORT}", sub="proxy")
    return float(client.raw("GET", f"{place}/{question}"))


def gone_at(client: Client, namespace: str, selector: str, count: int) -> float:
    """Wait until so many pods are there, and until none is; the time then."""
    most = 0

    def gone(pods: list[dict[str, Any]]) -> bool:
        nonlocal most
        most = max(most, len(pods))
        return most >= count and not pods

    kubernetes_cluster.await_pods(client, namespace, gone, seconds=SECONDS, selector=selector)
    return time.time()


def make_keys(client: Client, namespace: str) -> None:
    """The Secret for clusters with TLS, with keys as runs have them."""
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "stringData": {"tls.pem": tls.make()}}
    client.create(path("v1", "secrets", namespace=namespace), body)


@dataclass(frozen=True, kw_only=True)
class RawCluster:
    """The cluster of one scheduler; there may be workers or none."""

    client: Client
    namespace: str
    name: str
    encrypted: bool
    address: str
    pool: ThreadPoolExecutor
    """For calls at once."""

    def ask(self, question: str) -> float:
        """What its scheduler's pod answers."""
        return ask(self.client, self.namespace, self.name, question)

    def start_workers(self, count: int, *options: str) -> float:
        """Ask for so many at once, and wait until they are connected; the seconds that it took.

        Args:
            count: how many.
            options: further ones of `dask worker`.
        """
        keys = ["--tls-ca-file", KEYS, "--tls-cert", KEYS, "--tls-key", KEYS] if self.encrypted else []
        command = ["dask", "worker", self.address, "--no-nanny", "--nthreads", "1", *keys, *options]
        pods = [
            _pod(f"{self.name}-{number}", f"{self.name}-worker", command, encrypted=self.encrypted)
            for number in range(count)
        ]
        began = time.time()
        for _ in self.pool.map(lambda pod: self.client.create(self._pods, pod), pods):
            pass
        return self.ask(f"connected/{count}") - began

    def stop_workers(self, count: int) -> float:
        """Delete them, and wait until none is listed; the seconds that it took."""
        selector = f"{LABEL}={self.name}-worker"
        gone = self.pool.submit(gone_at, self.client, self.namespace, selector, count)
        began = time.time()
        self.client.delete(self._pods, labelSelector=selector)
        seconds = gone.result() - began
        self.ask("connected/0")
        return seconds

    @property
    def _pods(self) -> str:
        return path("v1", "pods", namespace=self.namespace)


@contextlib.contextmanager
def raw_cluster(client: Client, namespace: str, name: str, *, encrypted: bool) -> Iterator[RawCluster]:
    """A scheduler that is up, in a pod of this name; the namespace's end is the pod's.

    Args:
        client: a client with full rights.
        namespace: where to have it.
        name: of the pod.
        encrypted: whether everybody has to have the keys of `make_keys`.
    """
    protocol = "tls" if encrypted else "tcp"
    words = ["python3", "-c", (FLOWS / "dask_work.py").read_text(), protocol, *([KEYS] if encrypted else [])]
    pod = _pod(name, name, words, encrypted=encrypted)
    client.create(path("v1", "pods", namespace=namespace), pod)
    kubernetes_cluster.await_pods(client, namespace, are_running, seconds=SECONDS, selector=f"{LABEL}={name}")
    host = client.get(path("v1", "pods", namespace=namespace, name=name))["status"]["podIP"]
    with ThreadPoolExecutor(CALLS) as pool:
        cluster = RawCluster(
            client=client,
            namespace=namespace,
            name=name,
            encrypted=encrypted,
            address=f"{protocol}://{host}:8786",
            pool=pool,
        )
        cluster.ask("connected/0")
        yield cluster


def are_running(pods: list[dict[str, Any]]) -> bool:
    """Whether there are pods and all of them have begun."""
    return bool(pods) and all(pod["status"].get("phase") == "Running" for pod in pods)


def _pod(name: str, label: str, command: list[str], *, encrypted: bool) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": "dask",
        "image": IMAGE,
        "command": command,
        "resources": RESOURCES,
        "env": [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
    }
    # The token of an account would be a volume, which takes 0.3 s to mount: a worker has no use for it.
    spec: dict[str, Any] = {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]}
    if encrypted:
        container["volumeMounts"] = [{"name": "keys", "mountPath": str(PurePosixPath(KEYS).parent)}]
        spec["volumes"] = [{"name": "keys", "secret": {"secretName": SECRET}}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {LABEL: label}}, "spec": spec}
