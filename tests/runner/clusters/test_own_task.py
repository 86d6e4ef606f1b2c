"""What a task of ECS says of itself to the processes in it, and what is told when it does not."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from runner.clusters import own_task as module
from runner.clusters.own_task import VARIABLE, OwnTask, has_ended, own_task
from runner.errors import UnavailableError

ARN = "arn:aws:ecs:eu-west-1:123456789012:task/flows/0123456789abcdef0123456789abcdef"
SAID: dict[str, Any] = {
    "Cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/flows",
    "TaskARN": ARN,
    "Containers": [
        {"Name": "flow", "KnownStatus": "STOPPED", "Networks": [{"IPv4Addresses": ["10.0.0.7"]}]},
        {"Name": "cleanup", "KnownStatus": "RUNNING", "Networks": [{"IPv4Addresses": ["10.0.0.7"]}]},
    ],
}


@contextmanager
def agent(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], bytes]) -> Iterator[list[str]]:
    """ECS' agent; what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = answer()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{server.server_port}/v4/the-container")
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_task_knows_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with agent(monkeypatch, lambda: json.dumps(SAID).encode()) as asked:
        found = own_task()

    assert found == OwnTask(arn=ARN, cluster=SAID["Cluster"], address="10.0.0.7")
    assert found.id == "0123456789abcdef0123456789abcdef"
    assert asked == ["/v4/the-container/task"]


@pytest.mark.parametrize(("container", "ended"), [("flow", True), ("cleanup", False), ("other", False)])
def test_a_task_knows_which_containers_have_ended(monkeypatch: pytest.MonkeyPatch, container: str, ended: bool) -> None:
    with agent(monkeypatch, lambda: json.dumps(SAID).encode()):
        assert has_ended(container) is ended


@pytest.mark.parametrize("ask", [own_task, lambda: has_ended("flow")], ids=["own_task", "has_ended"])
def test_a_process_in_no_task_is_told_so(monkeypatch: pytest.MonkeyPatch, ask: Callable[[], object]) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    with pytest.raises(UnavailableError) as error:
        ask()

    assert str(error.value) == (
        "The variable ECS_CONTAINER_METADATA_URI_V4 is not set, which ECS sets in every task. "
        "Start runs with `penstock run`, in an environment that `pulumi up` has provisioned."
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"no JSON", "JSONDecodeError: "),
        (b"[]", "TypeError: "),
        (b"null", "TypeError: "),
        (b"{}", "KeyError: 'Containers'"),
        (json.dumps({**SAID, "Containers": []}).encode(), "IndexError: "),
        (json.dumps({**SAID, "Containers": [{"Networks": [{}]}]}).encode(), "KeyError: 'IPv4Addresses'"),
    ],
)
def test_an_agent_that_says_something_else_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, body: bytes, words: str
) -> None:
    with agent(monkeypatch, lambda: body):
        with pytest.raises(UnavailableError) as error:
            own_task()
        ended = has_ended("flow")

    assert str(error.value).startswith(f"ECS' agent does not say which task this is ({words}")
    assert str(error.value).endswith("). Start the run again.")
    assert ended is False


def test_an_agent_that_does_not_answer_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    held = threading.Event()
    monkeypatch.setattr(module, "SECONDS", 0.2)

    def never() -> bytes:
        held.wait(20)
        return b""

    with agent(monkeypatch, never):
        with pytest.raises(UnavailableError, match=r"does not say which task this is \(TimeoutError: timed out\)"):
            own_task()
        held.set()


def test_no_agent_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:1/v4/x")

    with pytest.raises(UnavailableError, match="ConnectionRefusedError"):
        own_task()
