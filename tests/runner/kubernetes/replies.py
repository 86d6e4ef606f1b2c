"""Clients of a server that gives scripted replies."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from runner.kubernetes.client import CONNECTIONS, Client
from runner.kubernetes.config import Access
from tests.runner.kubernetes.api_server import ApiServer, Exchange


@contextmanager
def client_of(
    reply: Callable[[Exchange], None], *, budget_seconds: float = 5, connections: int = CONNECTIONS
) -> Iterator[tuple[Client, ApiServer]]:
    with ApiServer(reply) as server:
        access = Access(server=f"{server.url}/prefix", context="test")
        with Client(access, budget_seconds=budget_seconds, connections=connections) as client:
            yield client, server


def in_turn(*replies: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
    """One reply for each request, the last one for all that follow."""
    left = list(replies)

    def reply(exchange: Exchange) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(exchange)

    return reply


def fine(exchange: Exchange) -> None:
    exchange.json(200, {"fine": True})


def fails(status: int, reason: str = "", **more: Any) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.fail(status, reason, **more)
