"""One connection to a port of a pod, with every peer that can be on the way there."""

import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.errors import PenstockError
from runner.http.errors import Unreachable
from runner.kubernetes import tunnel
from runner.kubernetes.client import Client
from runner.kubernetes.config import Access
from runner.kubernetes.credentials import Identity
from runner.kubernetes.errors import ApiError, ConnectionLost, Forbidden, NotFound, NotListening, Unauthorized
from tests.runner.kubernetes.api_server import ApiServer, Exchange
from tests.runner.kubernetes.certificates import Authority, server_context
from tests.runner.kubernetes.forwarding import connect, ended, exchanged, forward_to_the_pod, read_all
from tests.runner.kubernetes.pod_port import (
    BEGINNING,
    BINARY,
    CLOSE,
    PING,
    PONG,
    PORT,
    TEXT,
    Frame,
    close,
    data,
    echoes,
    error,
    frames,
    head,
    says,
    server_frame,
)
from tests.runner.kubernetes.replies import client_of, fails, in_turn


def test_bytes_go_both_ways_as_they_are() -> None:
    sent = os.urandom(3_000_000)
    with (
        client_of(echoes) as (client, server),
        forward_to_the_pod(client) as (forward, failures),
        connect(forward) as local,
    ):
        got = exchanged(local, sent)

    assert got == sent
    assert failures == []
    asked = server.requests[0]
    assert (asked.method, asked.place) == ("GET", "/prefix/api/v1/namespaces/flows/pods/the-pod/portforward")
    assert asked.query == {"ports": str(PORT)}
    assert asked.headers["Sec-WebSocket-Protocol"] == "v4.channel.k8s.io"


def test_bytes_go_both_ways_under_tls(tmp_path: Path) -> None:
    authority, sent = Authority(), os.urandom(1_000_000)
    with (
        ApiServer(echoes, tls=server_context(authority.server(), tmp_path)) as server,
        Client(Access(server=server.url, ca=authority.certificate)) as client,
        forward_to_the_pod(client) as (forward, failures),
        connect(forward) as local,
    ):
        got = exchanged(local, sent)

    assert got == sent
    assert failures == []


def test_what_comes_together_with_the_head_is_not_lost() -> None:
    assert ended(says(BEGINNING, data(b"at once"), close())) == (b"at once", [])


def test_parts_of_messages_and_pings_between_them() -> None:
    seen: list[Frame] = []

    def reply(exchange: Exchange) -> None:
        parts = [server_frame(BINARY, b"\0one ", final=False), server_frame(PING, b"?"), server_frame(0, b"two")]
        exchange.wfile.write(head(exchange) + BEGINNING + b"".join(parts) + server_frame(PONG, b"unasked"))
        for frame in frames(exchange):
            seen.append(frame)
            if frame.opcode == PONG:
                exchange.wfile.write(data(b" three") + close())

    assert ended(reply) == (b"one two three", [])
    assert seen == [Frame(PONG, b"?"), Frame(CLOSE, b"\x03\xe8")]


CLOSES_WITH: list[tuple[bytes, int, str]] = [
    (b"\x82\x81\0\0\0\0x", 1002, "it sent what is no frame of a server"),
    (server_frame(TEXT, b"\0x"), 1002, "it sent text"),
    (server_frame(BINARY, b""), 1002, "it sent a message for no channel"),
    (server_frame(BINARY, b"\2x"), 1002, "it sent a message for no channel"),
    (b"\x82\x7f" + b"\x7f" * 8, 1009, "it sent a message that is too large"),
]


@pytest.mark.parametrize(("sent", "code", "what"), CLOSES_WITH)
def test_who_does_not_keep_to_the_protocol_is_left(sent: bytes, code: int, what: str) -> None:
    seen: list[Frame] = []

    def reply(exchange: Exchange) -> None:
        exchange.wfile.write(head(exchange) + BEGINNING + data(b"part") + sent)
        seen.extend(frames(exchange))

    got, (failure,) = ended(reply)

    assert isinstance(failure, ConnectionLost)
    assert str(failure).startswith("The cluster of context test (")
    assert f"broke off the connection to port 8787 of pod the-pod: {what}. Connect again." in str(failure)
    assert seen == [Frame(CLOSE, code.to_bytes(2, "big"))]
    assert got is None or got == b"part"


def test_another_port_than_was_asked_for_is_refused() -> None:
    _, (failure,) = ended(says(data((80).to_bytes(2, "little"))))

    assert "it named another port" in str(failure)


@pytest.mark.parametrize("cut", [Exchange.cut, Exchange.reset])
@pytest.mark.parametrize("sent", [b"", BEGINNING, BEGINNING[:3], BEGINNING + data(b"x" * 1000)[:500]])
def test_an_end_that_nobody_meant_is_a_reset(sent: bytes, cut: Callable[[Exchange], None]) -> None:
    def reply(exchange: Exchange) -> None:
        exchange.wfile.write(head(exchange) + sent)
        cut(exchange)

    got, failures = ended(reply, budget_seconds=0)

    assert got is None
    assert [type(failure) for failure in failures] in ([ConnectionLost], [Unreachable])


def test_a_close_that_says_that_something_went_wrong_is_a_reset() -> None:
    got, (failure,) = ended(says(BEGINNING, close(1011)))

    assert got is None
    assert "it closed with 1011" in str(failure)


def test_a_close_without_a_reason_is_an_end() -> None:
    assert ended(says(BEGINNING, data(b"all"), server_frame(CLOSE, b""))) == (b"all", [])


def test_nobody_listens() -> None:
    got, (failure,) = ended(says(BEGINNING, error("dial tcp 127.0.0.1:8787:\nconnection refused"), close()))

    assert got is None
    assert isinstance(failure, NotListening)
    assert str(failure) == (
        "The pod the-pod takes no connection at port 8787 (dial tcp 127.0.0.1:8787: connection refused). "
        "Try again when something listens there."
    )


def test_an_endless_error_is_not_kept() -> None:
    _, (failure,) = ended(says(BEGINNING, *[error("no " * 10_000)] * 20, close()))

    assert len(str(failure)) < 1200


def test_an_error_behind_data_is_a_reset() -> None:
    _, (failure,) = ended(says(BEGINNING, data(b"part"), error("broken pipe"), close()))

    assert isinstance(failure, ConnectionLost)
    assert "it said broken pipe" in str(failure)


REFUSALS: list[tuple[Callable[[Exchange], None], type[PenstockError], str]] = [
    (fails(404, "NotFound", message='pods "the-pod" not found'), NotFound, 'pods "the-pod" not found'),
    (fails(401, "Unauthorized"), Unauthorized, "does not accept your credentials"),
    (fails(400, "BadRequest", message="pod the-pod does not have a host assigned"), ApiError, "a host assigned"),
    (
        fails(403, "Forbidden", message='User "u" cannot get resource "pods/portforward".'),
        Forbidden,
        'pods (User "u" cannot get resource "pods/portforward"). Ask who runs the cluster for the rights to get and',
    ),
    (
        lambda exchange: exchange.json(200, {}),
        Unreachable,
        "it answered 200 where a WebSocket for v4.channel.k8s.io was asked for. Check that no proxy in between keeps",
    ),
    (lambda exchange: _answers(exchange, accept="x"), Unreachable, "it answered 101 where"),
    (lambda exchange: _answers(exchange, protocol=None), Unreachable, "it answered 101 where"),
    (lambda exchange: _answers(exchange, protocol="channel.k8s.io"), Unreachable, "it answered 101 where"),
]


def _answers(exchange: Exchange, accept: str | None = None, protocol: str | None = "v4.channel.k8s.io") -> None:
    exchange.wfile.write(head(exchange, accept=accept, protocol=protocol) + BEGINNING)
    exchange.gone()


@pytest.mark.parametrize(("reply", "kind", "sentence"), REFUSALS)
def test_what_cannot_be_opened_is_said_and_reset(
    reply: Callable[[Exchange], None], kind: type[PenstockError], sentence: str
) -> None:
    got, (failure,) = ended(reply)

    assert got is None
    assert isinstance(failure, kind)
    assert sentence in str(failure)


def test_opening_is_tried_again_and_a_new_token_is_got() -> None:
    class Renewed:
        def __init__(self) -> None:
            self.tokens = ["old", "new"]

        def current(self) -> Identity:
            return Identity(token=self.tokens[0])

        def renew(self, refused: Identity) -> bool:
            return refused.token == self.tokens.pop(0)

    pod = says(BEGINNING, data(b"here"), close())
    with ApiServer(in_turn(fails(503), Exchange.reset, fails(401, "Unauthorized"), pod)) as server:
        access = Access(server=server.url, credentials=Renewed())
        with Client(access) as client, forward_to_the_pod(client) as (forward, failures), connect(forward) as local:
            assert read_all(local) == b"here"

    assert failures == []
    tokens = [asked.headers["Authorization"] for asked in server.requests]
    assert tokens == ["Bearer old", "Bearer old", "Bearer old", "Bearer new"]


def test_the_pod_may_answer_after_the_end_of_what_it_was_asked() -> None:
    def reply(exchange: Exchange) -> None:
        exchange.wfile.write(head(exchange) + BEGINNING)
        next(frames(exchange))
        for number in range(10):
            time.sleep(0.05)  # a pod that takes its time, and less than the limit
            exchange.wfile.write(data(b"%d" % number))
        exchange.wfile.write(close())
        exchange.gone()

    with client_of(reply) as (client, _), forward_to_the_pod(client) as (forward, failures), connect(forward) as local:
        local.sendall(b"question")
        local.shutdown(socket.SHUT_WR)
        assert read_all(local) == b"0123456789"
    assert failures == []


def test_a_silent_pod_is_left_when_nothing_more_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel, "HALF_CLOSED_SECONDS", 0.1)
    seen: list[Frame] = []

    def reply(exchange: Exchange) -> None:
        exchange.wfile.write(head(exchange) + BEGINNING)
        seen.extend(frames(exchange))

    with client_of(reply) as (client, _), forward_to_the_pod(client) as (forward, failures), connect(forward) as local:
        local.sendall(b"question")
        local.shutdown(socket.SHUT_WR)
        assert read_all(local) == b""

    assert failures == []
    assert seen == [Frame(BINARY, b"\0question"), Frame(CLOSE, b"\x03\xe8")]


def test_a_client_that_vanishes_is_an_end_for_the_pod() -> None:
    ended = threading.Event()

    def reply(exchange: Exchange) -> None:
        exchange.wfile.write(head(exchange) + BEGINNING + data(b"hello"))
        assert [frame.opcode for frame in frames(exchange)] == [CLOSE]
        ended.set()

    with client_of(reply) as (client, _), forward_to_the_pod(client) as (forward, failures):
        with connect(forward) as local:
            assert local.recv(5) == b"hello"
            local.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert ended.wait(5)
    assert failures == []
