"""Calls of the API: what is sent, and what failures become."""

import json

import pytest

from runner.http.errors import Unreachable
from runner.kubernetes.errors import ApiError, Conflict, Expired, Forbidden, Invalid, NotFound, Unauthorized
from tests.runner.kubernetes.api_server import Exchange
from tests.runner.kubernetes.replies import client_of, fails, fine


def test_what_is_asked_for_arrives_as_it_was_meant() -> None:
    with client_of(fine) as (client, server):
        client.get("/api/v1/pods", labelSelector="a=b,c in (d, e)", limit=5, watch=False, fieldSelector=None)
        client.create("/api/v1/pods", {"ü": 1})
        client.patch("/api/v1/pods/p", {"x": None})
        client.delete("/api/v1/pods/p", {"gracePeriodSeconds": 0}, dryRun="All")
        got, created, patched, deleted = server.requests

    assert (got.method, got.place) == ("GET", "/prefix/api/v1/pods")
    assert got.query == {"labelSelector": "a=b,c in (d, e)", "limit": "5", "watch": "false"}
    assert got.body == b""
    assert got.headers["Host"] == server.url.removeprefix("http://")
    assert got.headers["User-Agent"] == "penstock"
    assert "Authorization" not in got.headers
    assert (created.method, json.loads(created.body)) == ("POST", {"ü": 1})
    assert created.headers["Content-Type"] == "application/json"
    assert (patched.method, json.loads(patched.body)) == ("PATCH", {"x": None})
    assert patched.headers["Content-Type"] == "application/merge-patch+json"
    assert (deleted.method, json.loads(deleted.body)) == ("DELETE", {"gracePeriodSeconds": 0})
    assert deleted.query == {"dryRun": "All"}


def test_raw_bytes_come_as_they_are() -> None:
    def reply(exchange: Exchange) -> None:
        exchange.begin()
        exchange.chunk(b"\xff\r\n")
        exchange.chunk(b"\x00")
        exchange.end()

    with client_of(reply) as (client, _):
        assert client.raw("GET", "/x") == b"\xff\r\n\x00"


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (401, "Unauthorized", Unauthorized),
        (403, "Forbidden", Forbidden),
        (404, "NotFound", NotFound),
        (409, "AlreadyExists", Conflict),
        (409, "Conflict", Conflict),
        (410, "Expired", Expired),
        (410, "Gone", Expired),
        (422, "Invalid", Invalid),
        (400, "BadRequest", ApiError),
        (500, "", ApiError),
    ],
)
def test_a_failure_that_lasts_is_told_at_once(status: int, reason: str, kind: type[ApiError]) -> None:
    with (
        client_of(fails(status, reason, message="said\nso", details={"name": "x"})) as (client, server),
        pytest.raises(ApiError) as caught,
    ):
        client.create("/api/v1/things", {})

    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.reason, caught.value.message) == (status, reason, "said so")
    assert (caught.value.details, caught.value.path) == ({"name": "x"}, "/api/v1/things")
    assert caught.value.exit_code == 69
    assert len(server.requests) == 1
    assert str(caught.value).startswith(f"The cluster of context test ({server.url}/prefix) ")
    assert "said so" in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_page_of_a_proxy_is_told_in_its_words() -> None:
    def reply(exchange: Exchange) -> None:
        exchange.wfile.write(b"HTTP/1.0 403 Forbidden\r\nConnection: close\r\n\r\n<h1>Not today</h1>\n")
        exchange.cut()

    with client_of(reply) as (client, _), pytest.raises(Forbidden, match=r"<h1>Not today</h1>\. Ask who runs"):
        client.get("/x")


def test_an_answer_that_is_no_kubernetes_is_told() -> None:
    with (
        client_of(lambda exchange: exchange.json(200, ["a"])) as (client, _),
        pytest.raises(Unreachable, match="something else than JSON for /x") as caught,
    ):
        client.get("/x")

    assert not caught.value.transient
