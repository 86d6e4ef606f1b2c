"""Connections to a pod through a port of this machine, as a test makes them."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

from runner.errors import PenstockError
from runner.kubernetes.client import Client
from runner.kubernetes.port_forward import PortForward
from tests.runner.kubernetes.api_server import Exchange
from tests.runner.kubernetes.pod_port import PORT
from tests.runner.kubernetes.replies import client_of


@contextlib.contextmanager
def forward_to_the_pod(client: Client) -> Iterator[tuple[PortForward, list[PenstockError]]]:
    failures: list[PenstockError] = []
    with PortForward(client, "flows", lambda: "the-pod", PORT, failed=failures.append) as forward:
        yield forward, failures


def connect(forward: PortForward) -> socket.socket:
    return socket.create_connection(("127.0.0.1", forward.local_port), timeout=10)


def read_all(local: socket.socket) -> bytes:
    return b"".join(iter(lambda: local.recv(65536), b""))


def exchanged(local: socket.socket, sent: bytes) -> bytes:
    """What comes back of what is sent, which is as long."""
    writer = threading.Thread(target=local.sendall, args=(sent,))
    writer.start()
    got = bytearray()
    while len(got) < len(sent):
        got += local.recv(65536)
    writer.join()
    return bytes(got)


def ended(reply: Callable[[Exchange], None], *, budget_seconds: float = 5) -> tuple[bytes | None, list[PenstockError]]:
    """What one connection gets, to its end; null where that is a reset."""
    with (
        client_of(reply, budget_seconds=budget_seconds) as (client, _),
        forward_to_the_pod(client) as (forward, failures),
    ):
        try:
            # The reset may come before the connection is made.
            with connect(forward) as local:
                got: bytes | None = read_all(local)
        except ConnectionResetError:
            got = None
        while forward._tunnels:
            time.sleep(0.002)  # a thread's end has no event here
    return got, failures
