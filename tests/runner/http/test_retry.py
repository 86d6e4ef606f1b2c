"""What is tried again, for how long, and what is not."""

import json
import time
from collections.abc import Callable

import pytest

from runner.http import retry
from runner.http.errors import Unreachable
from runner.kubernetes.errors import ApiError, Conflict
from tests.runner.kubernetes.api_server import Exchange
from tests.runner.kubernetes.replies import client_of, fails, fine, in_turn


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (429, ""),
        (502, ""),
        (503, ""),
        (504, "Timeout"),
        (500, "InternalError"),
        (500, "ServerTimeout"),
        (500, "Timeout"),
    ],
)
def test_what_can_pass_is_tried_again(status: int, reason: str) -> None:
    with client_of(in_turn(fails(status, reason), fails(status, reason), fine)) as (client, server):
        assert client.create("/x", {}) == {"fine": True}

    assert len(server.requests) == 3
    assert server.connections == 1


@pytest.mark.parametrize(
    "fault",
    [
        lambda exchange: exchange.cut(),
        lambda exchange: exchange.reset(),
        lambda exchange: (exchange.wfile.write(b"HTTP/1.1 404 No"), exchange.cut()),
        lambda exchange: (exchange.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Ty"), exchange.cut()),
        lambda exchange: (exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"), exchange.cut()),
        lambda exchange: (
            exchange.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}"),
            exchange.cut(),
        ),
        lambda exchange: (exchange.wfile.write(b"garbage\r\n\r\n"), exchange.cut()),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_that_breaks_off_is_asked_for_again(fault: Callable[[Exchange], None], method: str) -> None:
    with client_of(in_turn(fault, fault, fine)) as (client, server):
        assert json.loads(client.raw(method, "/x")) == {"fine": True}

    assert len(server.requests) == 3


def test_a_create_that_was_done_without_an_answer_ends_in_a_conflict() -> None:
    with (
        client_of(in_turn(Exchange.cut, fails(409, "AlreadyExists"))) as (client, _),
        pytest.raises(Conflict) as caught,
    ):
        client.create("/x", {})

    assert caught.value.reason == "AlreadyExists"


def test_the_server_is_left_alone_for_as_long_as_it_wants() -> None:
    with client_of(in_turn(fails(429, headers={"Retry-After": "1"}), fine)) as (client, _):
        began = time.monotonic()
        client.get("/x")

    assert 1 <= time.monotonic() - began < 2


def test_a_wait_beyond_the_budget_is_not_begun() -> None:
    with client_of(fails(503, headers={"Retry-After": "60"})) as (client, server):
        began = time.monotonic()
        with pytest.raises(ApiError) as caught:
            client.get("/x")

    assert caught.value.retry_after == 60
    assert time.monotonic() - began < 1
    assert len(server.requests) == 1


def test_trying_again_ends_with_the_budget_and_the_last_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "LONGEST_SECONDS", 0.05)
    with client_of(fails(503, message="overloaded"), budget_seconds=0.5) as (client, server):
        began = time.monotonic()
        with pytest.raises(ApiError, match=r"answered 503 for /x: overloaded\. Try again later\."):
            client.get("/x")

    assert 0.3 < time.monotonic() - began < 2
    assert len(server.requests) > 5


def test_a_server_that_says_nothing_is_given_up_after_the_budget() -> None:
    with client_of(Exchange.gone, budget_seconds=1) as (client, _):
        began = time.monotonic()
        with pytest.raises(Unreachable, match="does not answer"):
            client.get("/x")

    assert 1 <= time.monotonic() - began < 3


def test_pauses_grow_with_full_jitter_up_to_their_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "SHORTEST_SECONDS", 0.1)
    rounds = [[backoff.next() for _ in range(2000)] for backoff in [retry.Backoff() for _ in range(50)]]

    for number in range(8):
        longest = min(5.0, 0.1 * 2**number)
        column = [pauses[number] for pauses in rounds]
        assert longest / 2 < max(column) <= longest
        assert min(column) < longest / 2
    assert max(max(pauses) for pauses in rounds) <= 5
