"""Tokens that change while the client lives."""

# ruff: noqa: S106 no secret here opens anything
from pathlib import Path

import pytest

from runner.kubernetes import credentials
from runner.kubernetes.client import Client
from runner.kubernetes.config import Access
from runner.kubernetes.credentials import Fixed, Identity, TokenFile
from runner.kubernetes.errors import ConfigError, Unauthorized
from tests.runner.kubernetes.api_server import ApiServer, Exchange
from tests.runner.kubernetes.replies import fails, fine


def _tokens(server: ApiServer) -> list[str | None]:
    return [asked.headers["Authorization"] for asked in server.requests]


def test_a_token_is_shown() -> None:
    fixed = Fixed(Identity(token="secret"))
    with ApiServer(fine) as server, Client(Access(server=server.url, credentials=fixed)) as client:
        client.get("/x")
        list(client.stream("/x"))

    assert _tokens(server) == ["Bearer secret", "Bearer secret"]


def test_a_token_file_is_read_again_when_it_is_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text("one\n")
    with ApiServer(fine) as server, Client(Access(server=server.url, credentials=TokenFile(file))) as client:
        client.get("/x")
        file.write_text("two\n")
        client.get("/x")
        monkeypatch.setattr(credentials, "TOKEN_FILE_SECONDS", 0)
        client.get("/x")
        file.unlink()
        client.get("/x")

    assert _tokens(server) == ["Bearer one", "Bearer one", "Bearer two", "Bearer two"]


def test_a_token_that_is_refused_is_looked_up_once(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")

    def reply(exchange: Exchange) -> None:
        file.write_text("new")
        (fine if exchange.headers["Authorization"] == "Bearer new" else fails(401, "Unauthorized"))(exchange)

    with ApiServer(reply) as server, Client(Access(server=server.url, credentials=TokenFile(file))) as client:
        assert client.create("/x", {}) == {"fine": True}
        assert _tokens(server) == ["Bearer old", "Bearer new"]
    with ApiServer(fails(401, "Unauthorized")) as server:
        with Client(Access(server=server.url, credentials=TokenFile(file))) as client, pytest.raises(Unauthorized):
            client.get("/x")
        assert _tokens(server) == ["Bearer new"]


def test_what_is_fixed_and_refused_is_told() -> None:
    with ApiServer(fails(401, "Unauthorized", message="Unauthorized")) as server:
        access = Access(server=server.url, context="test", credentials=Fixed(Identity(token="secret")))
        with Client(access) as client, pytest.raises(Unauthorized) as caught:
            client.get("/x")
        with Client(Access(server=server.url)) as client, pytest.raises(Unauthorized) as in_pod:
            client.get("/x")

    assert str(caught.value) == (
        f"The cluster of context test ({server.url}) does not accept your credentials (Unauthorized). "
        "Log in again, or choose another with --context."
    )
    assert str(in_pod.value).endswith("(Unauthorized). Check the service account of this pod.")


def test_a_token_file_that_was_never_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"The token file .*/token cannot be read \(.*\)\. Log in again"):
        TokenFile(tmp_path / "token").current()
