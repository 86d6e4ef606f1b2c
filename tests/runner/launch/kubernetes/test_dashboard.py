"""The port of this machine that leads to a run's dashboard: from when, to which pod, and what is said of it."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runner.kubernetes.client import Client
from runner.launch.kubernetes.dashboard import Dashboard
from runner.sections import DASHBOARD_PORT
from tests.runner.kubernetes.api_server import ApiServer, Exchange
from tests.runner.kubernetes.pod_port import BEGINNING, close, data, error, head, says
from tests.runner.kubernetes.replies import client_of, fails


def _pod(name: str, **state: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"containerStatuses": [{"name": "flow", "state": state}]}}


def _names_its_pod(exchange: Exchange) -> None:
    exchange.wfile.write(head(exchange) + BEGINNING + data(exchange.asked.place.split("/")[-2].encode()) + close())
    exchange.gone()


@pytest.fixture
def reply() -> Callable[[Exchange], None]:
    return _names_its_pod


@pytest.fixture
def cluster(reply: Callable[[Exchange], None]) -> Iterator[tuple[Client, ApiServer]]:
    with client_of(reply) as found:
        yield found


def _port(notices: list[str]) -> int:
    where = notices[0].removeprefix("Dask's dashboard is at http://127.0.0.1:")
    assert where.endswith("/status while this follows the run.")
    return int(where.partition("/")[0])


def _ask(port: int) -> bytes | None:
    """What a connection gets; null where it is reset."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as local:
            return b"".join(iter(lambda: local.recv(4096), b""))
    except ConnectionResetError:
        return None


def test_it_leads_to_the_pod_that_is_up_now(cluster: tuple[Client, ApiServer]) -> None:
    notices: list[str] = []
    with Dashboard(cluster[0], "flows", notices.append, wanted=True) as dashboard:
        dashboard.see(_pod("first"))
        dashboard.see(_pod("first", waiting={"reason": "ContainerCreating"}))
        assert notices == []
        dashboard.see(_pod("first", running={}))
        port = _port(notices)
        assert _ask(port) == b"first"
        dashboard.see(_pod("first", terminated={"exitCode": 1}))
        assert _ask(port) == b""
        dashboard.see(_pod("second", running={}))
        assert _ask(port) == b"second"
    assert len(notices) == 1
    with pytest.raises(ConnectionRefusedError):
        _ask(port)


def test_a_taken_port_is_replaced_by_a_free_one(cluster: tuple[Client, ApiServer]) -> None:
    notices: list[str] = []
    try:
        taken = socket.create_server(("127.0.0.1", DASHBOARD_PORT))
    except OSError:  # somebody else's, who uses it all the same
        taken = socket.socket()
    with taken, Dashboard(cluster[0], "flows", notices.append, wanted=True) as dashboard:
        dashboard.see(_pod("first", running={}))
        assert _port(notices) != DASHBOARD_PORT
        assert _ask(_port(notices)) == b"first"


def test_nothing_is_opened_for_who_does_not_want_it(cluster: tuple[Client, ApiServer]) -> None:
    notices: list[str] = []
    with Dashboard(cluster[0], "flows", notices.append, wanted=False) as dashboard:
        dashboard.see(_pod("first", running={}))

    assert notices == []


REASONS: list[tuple[Callable[[Exchange], None], list[str]]] = [
    (
        says(BEGINNING, error("connection refused"), close()),
        ["Dask's dashboard does not answer: the flow's cluster is not up now. Reload the page when it is."],
    ),
    (
        fails(403, "Forbidden", message='cannot create resource "pods/portforward"'),
        ["rights to get and create pods/portforward there."],
    ),
    (fails(404, "NotFound"), []),
    (says(BEGINNING, close(1011)), []),
]


@pytest.mark.parametrize(("reply", "said"), REASONS)
def test_why_it_does_not_come_is_said_once(cluster: tuple[Client, ApiServer], said: list[str]) -> None:
    notices: list[str] = []
    with Dashboard(cluster[0], "flows", notices.append, wanted=True) as dashboard:
        dashboard.see(_pod("first", running={}))
        assert [_ask(_port(notices)) for _ in range(3)] == [None] * 3

    assert len(notices) == 1 + len(said)
    for sentence in said:
        assert notices[1].endswith(sentence)
