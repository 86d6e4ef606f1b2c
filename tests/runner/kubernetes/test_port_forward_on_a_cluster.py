"""Connections to a port of a real pod, through the real API server, kubelet and container runtime."""

import contextlib
import hashlib
import os
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runner.errors import PenstockError
from runner.kubernetes.client import Client, path
from runner.kubernetes.config import load
from runner.kubernetes.errors import ConnectionLost, Forbidden, NotFound, NotListening
from runner.kubernetes.port_forward import PortForward
from runner.kubernetes.watch import Watch
from tests.testbed import kubernetes_cluster

pytestmark = pytest.mark.cluster
PORT, CLOSED_PORT = 8000, 8001
SIZE = 5_000_000
SERVER = f"""
import hashlib, http.server

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(self.path.encode() if self.path != "/large" else (b"0123456789" * {SIZE // 10}))

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.answer(hashlib.sha256(self.rfile.read(length)).hexdigest().encode())

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("127.0.0.1", {PORT}), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with kubernetes_cluster.cluster_client(budget_seconds=10) as client:
        yield client


@pytest.fixture(scope="module")
def namespace(client: Client) -> Iterator[str]:
    with kubernetes_cluster.namespace(client) as name:
        yield name
    kubernetes_cluster.await_no_namespaces(client)


def _start(client: Client, namespace: str, name: str) -> str:
    """A pod whose server listens on its loopback address only."""
    container = {
        "name": "server",
        "image": kubernetes_cluster.IMAGE,
        "command": ["python3", "-c", SERVER],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "readinessProbe": {
            "exec": {"command": ["python3", "-c", f"import socket; socket.create_connection(('127.0.0.1', {PORT}))"]},
            "periodSeconds": 1,
        },
    }
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"containers": [container], "securityContext": security, "terminationGracePeriodSeconds": 0}
    pods = path("v1", "pods", namespace=namespace)
    client.create(pods, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
    with Watch(client, pods, field_selector=f"metadata.name={name}") as watch:
        for event in watch:
            conditions = event.object.get("status", {}).get("conditions", [])
            if any(item["type"] == "Ready" and item["status"] == "True" for item in conditions):
                return name
    raise AssertionError("the watch ended")


@pytest.fixture(scope="module")
def pod(client: Client, namespace: str) -> str:
    return _start(client, namespace, "server")


@contextlib.contextmanager
def _forward(
    client: Client, namespace: str, pod: str | None, port: int = PORT
) -> Iterator[tuple[PortForward, list[PenstockError]]]:
    failures: list[PenstockError] = []
    before = set(threading.enumerate())
    with PortForward(client, namespace, lambda: pod, port, failed=failures.append) as forward:
        yield forward, failures
    assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", forward.local_port))


def _get(forward: PortForward, place: str, data: bytes | None = None) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{forward.local_port}{place}", data, timeout=60) as answer:
        body: bytes = answer.read()
        return body


def test_megabytes_come_through_as_they_are_both_ways(client: Client, namespace: str, pod: str) -> None:
    data = os.urandom(SIZE)
    with _forward(client, namespace, pod) as (forward, failures):
        assert _get(forward, "/large") == b"0123456789" * (SIZE // 10)
        assert _get(forward, "/", data) == hashlib.sha256(data).hexdigest().encode()

    assert failures == []


def test_twenty_connections_at_a_time(client: Client, namespace: str, pod: str) -> None:
    with _forward(client, namespace, pod) as (forward, failures), ThreadPoolExecutor(20) as pool:
        barrier = threading.Barrier(20)

        def ask(number: int) -> list[bytes]:
            barrier.wait()
            return [_get(forward, f"/{number}/{turn}") for turn in range(3)]

        answers = list(pool.map(ask, range(20)))

    assert answers == [[f"/{number}/{turn}".encode() for turn in range(3)] for number in range(20)]
    assert failures == []


def test_one_connection_serves_many_requests_and_idles_between_them(client: Client, namespace: str, pod: str) -> None:
    import http.client

    with _forward(client, namespace, pod) as (forward, failures):
        connection = http.client.HTTPConnection("127.0.0.1", forward.local_port)
        for turn in range(30):
            connection.request("GET", f"/{turn}")
            assert connection.getresponse().read() == f"/{turn}".encode()
            time.sleep(0.1 if turn % 10 else 0)
        connection.close()

    assert failures == []


def test_an_answer_comes_after_what_was_asked_has_ended(client: Client, namespace: str, pod: str) -> None:
    with (
        _forward(client, namespace, pod) as (forward, _),
        socket.create_connection(("127.0.0.1", forward.local_port), timeout=30) as local,
    ):
        local.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        local.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: local.recv(65536), b""))

    assert answer.endswith(b"\r\n\r\n" + b"0123456789" * (SIZE // 10))


def test_a_port_where_nobody_listens(client: Client, namespace: str, pod: str) -> None:
    with _forward(client, namespace, pod, CLOSED_PORT) as (forward, failures), pytest.raises(ConnectionResetError):
        _get(forward, "/")

    (failure,) = failures
    assert isinstance(failure, NotListening)
    assert str(failure).startswith("The pod server takes no connection at port 8001 (")
    assert "connection refused" in str(failure)


def test_a_pod_that_is_deleted_in_the_middle(client: Client, namespace: str) -> None:
    name = _start(client, namespace, "short-lived")
    with _forward(client, namespace, name) as (forward, failures):
        with socket.create_connection(("127.0.0.1", forward.local_port), timeout=60) as local:
            local.sendall(b"GET /here HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while b"/here" not in answer:
                answer += local.recv(65536)
            client.delete(path("v1", "pods", namespace=namespace, name=name))
            with contextlib.suppress(ConnectionResetError):
                assert local.recv(1) == b""
        kubernetes_cluster.await_gone(client, path("v1", "pods", namespace=namespace), name)
        with pytest.raises((ConnectionError, OSError)):
            _get(forward, "/again")

    assert all(isinstance(failure, ConnectionLost | NotFound) for failure in failures), failures
    assert isinstance(failures[-1], NotFound)


def test_who_may_not_is_told_which_right_is_missing(client: Client, namespace: str, pod: str, tmp_path: Path) -> None:
    file = kubernetes_cluster.token_kubeconfig(client, namespace, "jobs-runner", tmp_path / "kubeconfig")
    with (
        Client(load(kubeconfig=str(file))) as nobody,
        _forward(nobody, namespace, pod) as (forward, failures),
        pytest.raises(ConnectionResetError),
    ):
        _get(forward, "/")

    (failure,) = failures
    assert isinstance(failure, Forbidden)
    assert "does not let you reach the ports of pods" in str(failure)
    assert "Ask who runs the cluster for the rights to get and create pods/portforward there." in str(failure)


def test_closing_ends_what_is_under_way(client: Client, namespace: str, pod: str) -> None:
    with _forward(client, namespace, pod) as (forward, failures):
        local = socket.create_connection(("127.0.0.1", forward.local_port), timeout=10)
        local.sendall(b"GET /here HTTP/1.1\r\nHost: x\r\n\r\n")
        assert local.recv(1) == b"H"
        began = time.monotonic()
    assert time.monotonic() - began < 1
    with local, contextlib.suppress(ConnectionResetError):
        while local.recv(65536):
            pass
    assert failures == []
