"""How calls share connections."""

import signal
import socket
import threading
import time

import pytest

from runner.http import connection
from runner.http.errors import Unreachable
from runner.kubernetes.errors import NotFound
from tests.runner.kubernetes.api_server import Exchange
from tests.runner.kubernetes.replies import client_of, fails, fine, in_turn

THREADS = 200


def test_one_connection_serves_all_calls_of_a_thread() -> None:
    with client_of(fine) as (client, server):
        for _ in range(50):
            client.get("/x")
        client.create("/x", {})

    assert server.connections == 1
    assert len(server.requests) == 51


def test_connections_that_the_server_has_closed_meanwhile_are_replaced_unseen() -> None:
    with client_of(fine, budget_seconds=0) as (client, server):
        client.get("/x")
        server.hang_up()
        client.create("/x", {})
        assert server.connections == 2
        client.get("/x")
        server.hang_up()
        client.get("/x")

    assert server.connections == 3
    assert len(server.requests) == 4


def test_a_connection_that_is_closed_under_the_request_is_replaced_when_it_may_be_repeated() -> None:
    with client_of(in_turn(fine, Exchange.cut, fine), budget_seconds=0) as (client, server):
        client.get("/x")
        assert client.get("/x") == {"fine": True}
        assert server.connections == 2
    with client_of(in_turn(fine, Exchange.cut, fine), budget_seconds=0) as (client, server):
        client.get("/x")
        with pytest.raises(Unreachable, match="closed in the middle"):
            client.create("/x", {})
        assert server.connections == 1


def test_a_server_that_closes_after_each_answer_is_asked_anew() -> None:
    with client_of(lambda exchange: exchange.json(200, {}, Connection="close")) as (client, server):
        for _ in range(3):
            client.get("/x")

    assert server.connections == 3


def test_connections_say_at_once_what_they_have_and_notice_a_peer_that_is_gone() -> None:
    with client_of(fine) as (client, _):
        client.get("/x")
        found = client._pool._take(None)
        assert found is not None
        tcp = {
            name: found.sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name, _ in connection.KEEPALIVE
        }
        assert tcp == {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
        assert found.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert found.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        found.close()


def test_two_hundred_threads_share_few_connections_and_each_gets_its_own_answer() -> None:
    calls = 5
    with client_of(lambda exchange: exchange.json(200, {"place": exchange.asked.place})) as (client, server):
        barrier = threading.Barrier(THREADS)
        wrong: list[object] = []

        def call(number: int) -> None:
            barrier.wait()
            for turn in range(calls):
                answer = client.get(f"/{number}/{turn}")
                if answer != {"place": f"/prefix/{number}/{turn}"}:
                    wrong.append(answer)

        threads = [threading.Thread(target=call, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert wrong == []
    assert len(server.requests) == THREADS * calls
    assert server.connections <= 32


def test_who_waits_longest_is_next() -> None:
    go, order = threading.Event(), []

    def reply(exchange: Exchange) -> None:
        if exchange.asked.place == "/prefix/first":
            go.wait(10)
        order.append(exchange.asked.place)
        fine(exchange)

    with client_of(reply, connections=1) as (client, server):
        threads = [threading.Thread(target=client.get, args=("/first",))]
        threads[0].start()
        while not server.requests:
            time.sleep(0.002)  # another thread's start has no event here
        for number in range(20):
            thread = threading.Thread(target=client.get, args=(f"/{number}",))
            threads.append(thread)
            thread.start()
            while len(client._pool._turns._waiting) < number + 1:
                time.sleep(0.002)
        go.set()
        for thread in threads:
            thread.join()

    assert order == ["/prefix/first", *(f"/prefix/{number}" for number in range(20))]


def test_who_is_interrupted_in_the_queue_leaves_no_gap_in_it() -> None:
    go = threading.Event()

    class InterruptionError(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise InterruptionError

    def reply(exchange: Exchange) -> None:
        go.wait(10)
        fine(exchange)

    with client_of(reply, connections=1) as (client, _):
        turns, main = client._pool._turns, threading.main_thread().ident
        first = threading.Thread(target=client.get, args=("/x",))
        first.start()
        while turns._free:
            time.sleep(0.002)  # another thread's start has no event here

        def wake() -> None:
            while not turns._waiting:
                time.sleep(0.002)
            signal.pthread_kill(main or 0, signal.SIGUSR1)

        before = signal.signal(signal.SIGUSR1, interrupt)
        waker = threading.Thread(target=wake)
        waker.start()
        try:
            with pytest.raises(InterruptionError):
                client.get("/x")
        finally:
            waker.join()
            signal.signal(signal.SIGUSR1, before)
        assert not turns._waiting
        go.set()
        first.join()
        assert client.get("/x") == {"fine": True}
        assert turns._free == 1  # type: ignore[comparison-overlap]


def test_a_call_that_fails_gives_its_place_to_the_next() -> None:
    with client_of(fails(404, "NotFound"), connections=1) as (client, _):
        for _ in range(3):
            with pytest.raises(NotFound):
                client.get("/x")
