"""The door as the node has it: a process of its own that gets a listening socket as its stdin."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

from tools.cluster.components import DOOR

Serve = Callable[[socket.socket], None]


@contextlib.contextmanager
def _door(port: int) -> Iterator[tuple[str, int]]:
    """Yields the address of a door to a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "-I", str(DOOR), "127.0.0.1", str(port)]
        with subprocess.Popen(command, stdin=listening.fileno(), stderr=subprocess.PIPE) as child:
            try:
                yield listening.getsockname()
            finally:
                child.kill()
                assert child.stderr
                assert child.stderr.read() == b""


@contextlib.contextmanager
def _server(serve: Serve, connections: int = 1) -> Iterator[int]:
    """Serves connections one after the other; yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def work() -> None:
            for _ in range(connections):
                connection, _ = listening.accept()
                with connection:
                    serve(connection)

        thread = threading.Thread(target=work)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(10)
        assert not thread.is_alive()


def _all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def _echo(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)


def test_bytes_go_both_ways_unchanged() -> None:
    sent = bytes(range(256)) * 40_000
    with _server(_echo) as port, _door(port) as door, socket.create_connection(door) as client:
        received: list[bytes] = []
        reader = threading.Thread(target=lambda: received.append(_all(client)))
        reader.start()
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        reader.join(20)
    assert received == [sent]


def test_one_direction_ends_without_the_other() -> None:
    def answer_after_the_end(connection: socket.socket) -> None:
        connection.sendall(b"read: " + _all(connection))

    with _server(answer_after_the_end) as port, _door(port) as door, socket.create_connection(door) as client:
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        assert _all(client) == b"read: question"


def test_a_client_hears_the_end_of_a_server_that_speaks_first_and_leaves() -> None:
    with (
        _server(lambda connection: connection.sendall(b"bye")) as port,
        _door(port) as door,
        socket.create_connection(door) as client,
    ):
        assert _all(client) == b"bye"


def test_a_client_of_a_server_that_is_not_there_is_turned_away_and_the_door_stays() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with _door(port) as door:
        for _ in range(2):
            with socket.create_connection(door) as client:
                assert client.recv(1) == b""


def test_a_thousand_connections_are_open_at_once() -> None:
    count = 1000
    with (
        socket.create_server(("127.0.0.1", 0), backlog=count) as listening,
        _door(listening.getsockname()[1]) as door,
        contextlib.ExitStack() as stack,
    ):
        clients = [stack.enter_context(socket.create_connection(door)) for _ in range(count)]
        for number, client in enumerate(clients):
            client.sendall(number.to_bytes(4, "big"))
        for _ in range(count):
            connection, _ = listening.accept()
            stack.enter_context(connection)
            connection.sendall(connection.recv(4, socket.MSG_WAITALL))
        assert [int.from_bytes(client.recv(4, socket.MSG_WAITALL), "big") for client in clients] == list(range(count))
