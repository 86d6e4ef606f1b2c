"""The keys of a container's role, from the platform's agent beside it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.aws import credentials as module
from runner.aws.credentials import EARLY_SECONDS, LOG_IN, Credentials
from runner.aws.errors import ConfigError
from tests.runner.aws.services import sends
from tests.runner.kubernetes.api_server import ApiServer, Exchange
from tests.runner.kubernetes.replies import in_turn

URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 the variable of one


def role(number: int = 1, *, ends_in: float = 6 * 3600.0) -> dict[str, str]:
    """What ECS' agent answers."""
    return {
        "RoleArn": "arn:aws:iam::123456789012:role/runner",
        "AccessKeyId": f"ASIAROLE{number}",
        "SecretAccessKey": "secret",
        "Token": "token",
        "Expiration": datetime.fromtimestamp(int(time.time() + ends_in), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def gives(number: int = 1, *, ends_in: float = 6 * 3600.0) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.json(200, role(number, ends_in=ends_in))


@contextmanager
def agent(reply: Callable[[Exchange], None]) -> Iterator[ApiServer]:
    """The agent, which the variables name."""
    with ApiServer(reply) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv(URI, f"{server.url}/role?a=b")
        yield server


def test_keys_come_from_the_address_that_the_variable_says() -> None:
    with agent(gives()) as server:
        keys = Credentials().current()

    assert (keys.access_key, keys.secret_key, keys.token) == ("ASIAROLE1", "secret", "token")
    assert keys.expires_at == pytest.approx(time.time() + 6 * 3600, abs=30)
    (asked,) = server.requests
    assert (asked.method, asked.place, asked.query) == ("GET", "/role", {"a": "b"})
    assert asked.headers["Authorization"] is None


def test_a_task_asks_the_address_that_all_tasks_have(monkeypatch: pytest.MonkeyPatch) -> None:
    with ApiServer(gives()) as server:
        monkeypatch.setattr(module, "CONTAINER_HOST", f"127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/0b3f")
        monkeypatch.setenv(URI, "http://127.0.0.1:1/not-asked")

        assert Credentials().current().access_key == "ASIAROLE1"

    assert server.requests[0].place == "/v2/credentials/0b3f"


def test_the_token_is_shown_and_that_of_a_file_is_read_each_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    with agent(gives(ends_in=EARLY_SECONDS - 1)) as server:
        monkeypatch.setenv(TOKEN, "of-the-variable")
        Credentials().current()
        monkeypatch.setenv(f"{TOKEN}_FILE", str(file))
        credentials = Credentials()
        for text in ("of-the-file\n", "of-the-file-later\n"):
            file.write_text(text)
            credentials.current()

    shown = [asked.headers["Authorization"] for asked in server.requests]
    assert shown == ["of-the-variable", "of-the-file", "of-the-file-later"]


def test_keys_are_asked_for_once_and_again_before_they_end() -> None:
    with agent(in_turn(gives(1), gives(2, ends_in=EARLY_SECONDS - 1), gives(3))) as server:
        credentials, soon = Credentials(), Credentials()

        assert [credentials.current().access_key for _ in range(3)] == ["ASIAROLE1"] * 3
        assert [soon.current().access_key for _ in range(3)] == ["ASIAROLE2", "ASIAROLE3", "ASIAROLE3"]

    assert len(server.requests) == 3


def test_an_agent_that_is_busy_for_a_moment_is_asked_again() -> None:
    busy = sends(429, b"slow down", "text/plain")
    with agent(in_turn(busy, lambda exchange: exchange.cut(), sends(503, b"", "text/plain"), gives())) as server:
        assert Credentials().current().access_key == "ASIAROLE1"

    assert len(server.requests) == 4


def test_a_role_that_is_none_is_told_in_one_sentence_at_once() -> None:
    with agent(sends(404, b"no", "text/plain")) as server, pytest.raises(ConfigError) as caught:
        Credentials().current()

    assert str(caught.value) == f"The role of this container has no credentials (HTTP 404). {LOG_IN}"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<html>", "Expecting value: line 1 column 1 (char 0)"),
        (b"{}", "KeyError"),
        (b"[]", "TypeError"),
        (b'{"AccessKeyId": "A", "SecretAccessKey": "s", "Expiration": "soon"}', "Invalid isoformat string: 'soon'"),
        (b'{"AccessKeyId": "A", "SecretAccessKey": "s", "Expiration": 5}', "TypeError"),
    ],
)
def test_an_answer_that_is_no_keys_is_told_in_one_sentence(data: bytes, said: str) -> None:
    with agent(sends(200, data, "application/json")), pytest.raises(ConfigError) as caught:
        Credentials().current()

    assert str(caught.value) == f"The credentials of this container cannot be read from 127.0.0.1 ({said}). {LOG_IN}"


def test_an_agent_that_is_not_there_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONTAINER_SECONDS", 0.2)
    with ApiServer(gives()) as server:
        port = server.server_address[1]
    monkeypatch.setenv(URI, f"http://127.0.0.1:{port}/role")

    with pytest.raises(ConfigError) as caught:
        Credentials().current()

    assert str(caught.value).startswith("The credentials of this container cannot be read from 127.0.0.1 (")
    assert "Connection refused" in str(caught.value)


def test_a_token_file_that_is_missing_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "CONTAINER_SECONDS", 0.2)
    monkeypatch.setenv(f"{TOKEN}_FILE", str(tmp_path / "token"))

    with agent(gives()) as server, pytest.raises(ConfigError, match="No such file or directory"):
        Credentials().current()

    assert server.requests == []


@pytest.mark.parametrize("host", ["192.0.2.1", "example.com", "169.254.169.254"])
def test_a_token_is_sent_to_no_host_but_the_containers_own(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv(URI, f"http://{host}/role")
    monkeypatch.setenv(TOKEN, "hush")

    with pytest.raises(ConfigError) as caught:
        Credentials().current()

    assert str(caught.value) == (
        f"The credentials of this container are at {host}, expected an address of the container's."
    )
