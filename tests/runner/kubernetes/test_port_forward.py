"""A port of this machine that leads into a pod: which one, how many connections at a time, and its end."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runner.kubernetes import port_forward, tunnel
from runner.kubernetes.client import Client
from runner.kubernetes.config import Access
from runner.kubernetes.port_forward import PortForward
from tests.runner.kubernetes.api_server import ApiServer, Exchange
from tests.runner.kubernetes.certificates import Authority, server_context
from tests.runner.kubernetes.forwarding import connect, exchanged, forward_to_the_pod, read_all
from tests.runner.kubernetes.pod_port import (
    BEGINNING,
    NAMED,
    PING,
    PORT,
    close,
    data,
    echoes,
    frames,
    head,
    says,
    server_frame,
)
from tests.runner.kubernetes.replies import client_of, fails


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_little_is_kept_for_a_reader_that_does_not_read() -> None:
    sent = 0
    block = data(b"x" * 32_000)

    def reply(exchange: Exchange) -> None:
        nonlocal sent
        exchange.wfile.write(head(exchange) + BEGINNING)
        with contextlib.suppress(OSError):
            while True:
                exchange.wfile.write(block)
                sent += 1

    with client_of(reply) as (client, _), forward_to_the_pod(client) as (forward, _), connect(forward):
        before = -1
        while sent != before or not sent:
            before = sent
            time.sleep(0.3)  # that nothing moves has no event
        (carried,) = forward._tunnels.values()
        # One more read is taken while there is room, and completes a frame that was begun before it.
        assert len(carried._local.unsent) <= tunnel.ROOM + tunnel.CHUNK + len(block)
        began = time.monotonic()
    assert time.monotonic() - began < 2


def test_little_is_kept_for_a_pod_that_does_not_read() -> None:
    go = threading.Event()

    def reply(exchange: Exchange) -> None:
        exchange.wfile.write(head(exchange) + BEGINNING + server_frame(PING, b"x" * 100) * 20_000)
        go.wait(20)
        for _ in frames(exchange):
            pass

    with client_of(reply) as (client, _), forward_to_the_pod(client) as (forward, _), connect(forward) as local:
        local.settimeout(1)
        block = b"x" * 100_000_000
        with pytest.raises(TimeoutError):
            local.sendall(block)
        (carried,) = forward._tunnels.values()
        assert len(carried._remote.unsent) <= tunnel.ROOM + 2 * tunnel.CHUNK
        go.set()


def test_each_connection_goes_to_the_pod_that_is_meant_then() -> None:
    pod: list[str | None] = ["first"]

    def reply(exchange: Exchange) -> None:
        exchange.wfile.write(head(exchange) + BEGINNING + data(exchange.asked.place.split("/")[-2].encode()) + close())
        exchange.gone()

    with (
        client_of(reply) as (client, server),
        PortForward(client, "flows", lambda: pod[0], PORT) as forward,
    ):
        for name in ("first", "second"):
            pod[0] = name
            with connect(forward) as local:
                assert read_all(local) == name.encode()
        pod[0] = None
        with connect(forward) as local:
            assert read_all(local) == b""
    assert len(server.requests) == 2


def test_a_port_that_is_taken_is_replaced_by_a_free_one() -> None:
    with client_of(echoes) as (client, _), socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = taken.getsockname()[1]
        with PortForward(client, "flows", lambda: None, PORT, preferred=wanted) as other:
            assert other.local_port != wanted
        taken.close()
        with PortForward(client, "flows", lambda: None, PORT, preferred=wanted) as forward:
            assert forward.local_port == wanted
        with pytest.raises(ConnectionRefusedError):
            connect(forward)


def test_too_many_connections_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_forward, "MOST_CONNECTIONS", 2)
    with client_of(echoes) as (client, _), forward_to_the_pod(client) as (forward, _), contextlib.ExitStack() as stack:
        for _ in range(2):
            local = stack.enter_context(connect(forward))
            local.sendall(b"x")
            assert local.recv(1) == b"x"
        with connect(forward) as third:
            assert third.recv(1) == b""


def _holds_its_answer(exchange: Exchange) -> None:
    exchange.gone()


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("reply", [_holds_its_answer, says(BEGINNING), fails(503, headers={"Retry-After": "4"})])
def test_closing_ends_what_is_under_way(reply: Callable[[Exchange], None], encrypted: bool, tmp_path: Path) -> None:
    authority = Authority()
    tls = server_context(authority.server(), tmp_path) if encrypted else None
    with (
        ApiServer(reply, tls=tls) as server,
        Client(Access(server=server.url, ca=authority.certificate)) as client,
        forward_to_the_pod(client) as (forward, failures),
        connect(forward) as local,
    ):
        while not server.requests:
            time.sleep(0.002)  # another thread's start has no event here
        began = time.monotonic()
        forward.close()
        assert time.monotonic() - began < 1
        assert not forward._tunnels
        with contextlib.suppress(ConnectionResetError):
            assert local.recv(1) == b""
    assert failures == []


def test_closing_at_any_moment_leaves_nothing(tmp_path: Path) -> None:
    authority = Authority()

    def reply(exchange: Exchange) -> None:
        exchange.wfile.write(head(exchange) + BEGINNING)
        while True:
            exchange.wfile.write(data(b"x" * 1000))

    with ApiServer(reply, tls=server_context(authority.server(), tmp_path)) as server:
        client = Client(Access(server=server.url, ca=authority.certificate))
        for number in range(100):
            with forward_to_the_pod(client) as (forward, failures), connect(forward) as local:
                closer = threading.Timer(number / 5000, forward.close)
                closer.start()
                with contextlib.suppress(ConnectionError):
                    assert set(read_all(local)) <= {ord("x")}
                closer.join()
                assert not forward._tunnels
            assert failures == []


def test_many_connections_at_a_time() -> None:
    with (
        client_of(echoes) as (client, server),
        forward_to_the_pod(client) as (forward, failures),
        ThreadPoolExecutor(40) as pool,
    ):

        def ask(number: int) -> bool:
            sent = str(number).encode() * 1000
            with connect(forward) as local:
                return exchanged(local, sent) == sent

        assert all(pool.map(ask, range(80)))

    assert failures == []
    assert len(server.requests) == 80
    assert NAMED == b"\x53\x22"
