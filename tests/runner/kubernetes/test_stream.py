"""Answers without an end."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.kubernetes.client import Client
from runner.kubernetes.config import Access
from runner.kubernetes.errors import ConnectionLost, Forbidden
from runner.kubernetes.stream import lines
from tests.runner.kubernetes.api_server import ApiServer, Exchange
from tests.runner.kubernetes.certificates import Authority, server_context
from tests.runner.kubernetes.replies import client_of, fails, fine, in_turn


def test_chunks_come_as_soon_as_they_are_sent() -> None:
    seen = threading.Semaphore(0)

    def reply(exchange: Exchange) -> None:
        exchange.begin()
        for number in range(10):
            exchange.chunk(b"%d" % number)
            assert seen.acquire(timeout=5)
        exchange.end()

    with client_of(reply) as (client, server):
        chunks = []
        for chunk in client.stream("/x", follow=True):
            chunks.append(chunk)
            seen.release()

    assert chunks == [b"%d" % number for number in range(10)]
    assert server.requests[0].query == {"follow": "true"}


def test_a_stream_takes_no_connection_from_the_calls() -> None:
    def reply(exchange: Exchange) -> None:
        if exchange.asked.query:
            exchange.begin()
            exchange.chunk(b"x")
            exchange.gone()
        else:
            fine(exchange)

    with client_of(reply, connections=1) as (client, _), client.stream("/x", watch=True) as stream:
        assert next(stream) == b"x"
        assert client.get("/x") == {"fine": True}


def test_nothing_is_asked_before_the_first_chunk_is_wanted_and_the_error_comes_then() -> None:
    with client_of(fails(403, "Forbidden")) as (client, server):
        stream = client.stream("/x")
        assert server.requests == []
        with pytest.raises(Forbidden):
            next(stream)


def test_opening_is_tried_again_within_the_budget() -> None:
    def two(exchange: Exchange) -> None:
        exchange.begin()
        exchange.chunk(b"2")
        exchange.end()

    with client_of(in_turn(fails(503), Exchange.reset, two)) as (client, server):
        assert list(client.stream("/x")) == [b"2"]
    with client_of(fails(503), budget_seconds=0) as (client, server), pytest.raises(Exception, match="503"):
        next(client.stream("/x"))

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\n\r\nx",
        b"HTTP/1.0 200 OK\r\n\r\nx",
    ],
)
def test_an_answer_that_breaks_off_is_not_taken_for_whole(sent: bytes) -> None:
    def reply(exchange: Exchange) -> None:
        exchange.wfile.write(sent)
        exchange.cut()

    with client_of(reply) as (client, _):
        stream = client.stream("/x")
        assert next(stream) == b"x"
        with pytest.raises(ConnectionLost, match=r"broke off its answer: the connection was closed in the middle\."):
            next(stream)


@pytest.mark.parametrize("length", [0, 1, 5])
def test_an_answer_with_a_length_ends_there(length: int) -> None:
    def reply(exchange: Exchange) -> None:
        exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + b"x" * length)
        exchange.gone()

    with client_of(reply) as (client, _):
        assert b"".join(client.stream("/x")) == b"x" * length


def test_silence_beyond_what_is_allowed_is_an_end() -> None:
    def reply(exchange: Exchange) -> None:
        exchange.begin()
        exchange.chunk(b"x")
        exchange.gone()

    with client_of(reply) as (client, _):
        stream = client.stream("/x", read_seconds=0.1)
        assert next(stream) == b"x"
        with pytest.raises(ConnectionLost, match="does not answer"):
            next(stream)


def _silent_head(exchange: Exchange) -> None:
    exchange.server.reached.set()  # type: ignore[attr-defined]
    exchange.gone()


def _silent_body(exchange: Exchange) -> None:
    exchange.begin()
    _silent_head(exchange)


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("reply", [_silent_head, _silent_body])
def test_another_thread_can_close_it_at_any_time(
    reply: Callable[[Exchange], None], encrypted: bool, tmp_path: Path
) -> None:
    authority = Authority()
    tls = server_context(authority.server(), tmp_path) if encrypted else None
    with ApiServer(reply, tls=tls) as server:
        server.reached = threading.Event()  # type: ignore[attr-defined]
        with Client(Access(server=server.url, ca=authority.certificate)) as client:
            stream = client.stream("/x")
            seen: list[bytes] = []
            reader = threading.Thread(target=lambda: seen.extend(stream))
            reader.start()
            assert server.reached.wait(5)  # type: ignore[attr-defined]
            began = time.monotonic()
            stream.close()
            reader.join(5)

            assert not reader.is_alive()
            assert time.monotonic() - began < 1
            assert seen == []
            assert list(stream) == []
            stream.close()


def test_what_was_closed_before_it_began_asks_nothing() -> None:
    with client_of(fine) as (client, server):
        stream = client.stream("/x")
        stream.close()
        assert list(stream) == []

    assert server.requests == []


def test_closing_ends_the_tries_to_open() -> None:
    with client_of(fails(503, headers={"Retry-After": "4"})) as (client, server):
        stream = client.stream("/x")
        reader = threading.Thread(target=lambda: list(stream))
        reader.start()
        while not server.requests:
            time.sleep(0.002)  # another thread's start has no event here
        stream.close()
        reader.join(2)
        assert not reader.is_alive()


def test_closing_at_any_moment_leaves_nothing(tmp_path: Path) -> None:
    authority = Authority()

    def reply(exchange: Exchange) -> None:
        exchange.begin()
        while True:
            exchange.chunk(b"x" * 1000)

    before = set(threading.enumerate())
    with ApiServer(reply, tls=server_context(authority.server(), tmp_path)) as server:
        client = Client(Access(server=server.url, ca=authority.certificate))
        for number in range(200):
            stream = client.stream("/x")
            closer = threading.Timer(number / 20000, stream.close)
            closer.start()
            for chunk in stream:
                assert set(chunk) == {ord("x")}
            closer.join()
            assert stream._connection is None or stream._connection.sock is None
    assert set(threading.enumerate()) == before


def test_lines_are_whole_and_the_rest_comes_at_the_end() -> None:
    assert list(lines([b"a", b"b\nc", b"\n\n", b"d\r", b"e\n", b"f", b"g"])) == [
        b"ab\n",
        b"c\n",
        b"\n",
        b"d\re\n",
        b"fg",
    ]
    assert list(lines([b"a\n"])) == [b"a\n"]
    assert list(lines([])) == []


def test_a_long_line_costs_no_more_than_its_length() -> None:
    began = time.monotonic()
    found = list(lines([b"x" * 1000] * 64_000 + [b"\n"]))

    assert [len(line) for line in found] == [64_000_001]
    assert time.monotonic() - began < 5
