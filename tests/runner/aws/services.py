"""AWS on this machine, as a server that answers as a test says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from runner.aws.access import load
from runner.aws.client import Client
from tests.runner.kubernetes.api_server import ApiServer, Exchange

REGION = "eu-west-1"


@contextmanager
def client_of(
    reply: Callable[[Exchange], None], *, service: str = "ecs", budget_seconds: float = 5.0
) -> Iterator[tuple[Client, ApiServer]]:
    """A client of a service that answers so, under AWS_ENDPOINT_URL; every request is signed with what there is."""
    with ApiServer(reply) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        client = Client(load(region=REGION), service, budget_seconds=budget_seconds)
        try:
            yield client, server
        finally:
            client.close()


def refuses(status: int, code: str, message: str = "", **headers: str) -> Callable[[Exchange], None]:
    """A failure in the form of the services that speak JSON."""
    body = {"__type": f"com.amazonaws.ecs#{code}", "message": message}
    return lambda exchange: exchange.json(status, body, **headers)


def sends(status: int, data: bytes, kind: str) -> Callable[[Exchange], None]:
    """An answer of any other form."""

    def reply(exchange: Exchange) -> None:
        exchange.send_response(status)
        exchange.send_header("Content-Type", kind)
        exchange.send_header("Content-Length", str(len(data)))
        exchange.end_headers()
        exchange.wfile.write(data)

    return reply
