"""What a person is told when the cluster cannot be reached."""

import contextlib
import http.client
import socket
import ssl

import pytest

from runner.http import connection
from runner.http.errors import Unreachable
from runner.kubernetes.client import Client
from runner.kubernetes.config import Access
from runner.kubernetes.explain import unreachable

ACCESS = Access(server="https://one.example:6443", context="prod")
START = "The cluster of context prod (https://one.example:6443) cannot be reached: "
END = ". Check that it is up and your network leads there, or choose another with --context."


@pytest.mark.parametrize(
    ("error", "reason", "transient"),
    [
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "its name cannot be resolved (Name or service not known)",
            False,
        ),
        (socket.gaierror(socket.EAI_AGAIN, "Try again"), "its name cannot be resolved (Try again)", True),
        (OSError(101, "Network is unreachable"), "network is unreachable", True),
        (OSError(113, "No route to host"), "no route to host", True),
        (PermissionError(13, "Permission denied"), "permission denied", False),
        (http.client.RemoteDisconnected("x"), "the connection was closed in the middle", True),
        (ssl.SSLZeroReturnError("x"), "the connection was closed in the middle", True),
        (OSError("Tunnel connection failed: 403 No"), "the proxy does not lead there (403 No)", False),
    ],
)
def test_each_failure_has_its_sentence(error: Exception, reason: str, transient: bool) -> None:
    told = unreachable(error, ACCESS)

    assert isinstance(told, Unreachable)
    assert str(told) == f"{START}{reason}{END}"
    assert told.transient is transient
    assert str(unreachable(error, Access(server="https://10.0.0.1"))) == (
        f"The cluster of this pod (https://10.0.0.1) cannot be reached: {reason}. "
        "Check that network policies let this pod reach it."
    )


def test_a_port_without_a_server_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable, match=r"cannot be reached: nothing listens there \(connection refused\)\. Check"):
        Client(Access(server=f"http://127.0.0.1:{port}"), budget_seconds=0).get("/x")


def test_a_machine_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.2)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        # The kernel answers no more than these: a full queue is as silent as a machine that is off.
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        client = Client(Access(server=f"http://127.0.0.1:{listener.getsockname()[1]}"), budget_seconds=0)
        with pytest.raises(Unreachable, match="it does not answer"):
            client.get("/x")
