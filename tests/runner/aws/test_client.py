"""The client and one service: what is sent, what is tried again, and over which connections."""

import calendar
import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from runner.aws.errors import ApiError, BadCredentials, Refused, Throttled
from runner.http import retry
from runner.http.errors import Unreachable
from tests.runner.aws.conftest import KEYS
from tests.runner.aws.services import REGION, client_of, refuses, sends
from tests.runner.kubernetes.api_server import Exchange
from tests.runner.kubernetes.replies import fine, in_turn

pytestmark = pytest.mark.usefixtures("keys")

Reply = Callable[[Exchange], None]


def signed_as(exchange: Exchange) -> str:
    """The access key that a request was signed with."""
    return str(exchange.asked.headers["Authorization"]).partition("Credential=")[2].partition("/")[0]


def test_an_operation_is_a_post_of_its_parameters_without_those_that_are_null() -> None:
    with client_of(fine, service="logs") as (client, server):
        assert client.call("GetLogEvents", logGroupName="ü", limit=5, nextToken=None) == {"fine": True}

    (asked,) = server.requests
    assert (asked.method, asked.place, asked.query) == ("POST", "/", {})
    assert json.loads(asked.body) == {"logGroupName": "ü", "limit": 5}
    assert asked.headers["X-Amz-Target"] == "Logs_20140328.GetLogEvents"
    assert asked.headers.get_all("Content-Type") == ["application/x-amz-json-1.1"]
    assert asked.headers.get_all("Host") == [server.url.removeprefix("http://")]


@pytest.mark.parametrize("service", ["ecs", "logs", "ssm"])
def test_what_arrives_is_signed_as_botocore_signs_it(service: str) -> None:
    """The service has no more than what has arrived to compute the signature from."""
    with client_of(fine, service=service) as (client, server):
        client.call("Something", name="a b")

    (asked,) = server.requests
    said = str(asked.headers["Authorization"])
    names = said.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest("POST", f"{server.url}/", data=asked.body)
    for name in names:
        (value,) = asked.headers.get_all(name) or [""]
        request.headers[name] = value
    request.context["timestamp"] = asked.headers["X-Amz-Date"]
    signer = SigV4Auth(Credentials(*KEYS.values()), service, REGION)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    assert {"host", "content-type", "x-amz-date", "x-amz-target"} == set(names)
    assert said.endswith(f"Signature={signer.signature(text, request)}")


@pytest.mark.parametrize(
    "trouble",
    [
        refuses(500, "ServerException", "internal"),
        refuses(503, "ServiceUnavailable"),
        refuses(400, "ThrottlingException", "Rate exceeded"),
        refuses(400, "RequestLimitExceeded"),
        sends(502, b"<html>Bad Gateway</html>", "text/html"),
        sends(429, b"", "text/plain"),
        Exchange.cut,
        Exchange.reset,
    ],
    ids=["500", "503", "throttled", "limit", "gateway", "429", "cut", "reset"],
)
def test_what_passes_by_itself_is_asked_again(trouble: Reply) -> None:
    with client_of(in_turn(trouble, trouble, trouble, fine)) as (client, server):
        assert client.call("RunTask", clientToken="one") == {"fine": True}

    assert len(server.requests) == 4
    assert len({asked.body for asked in server.requests}) == 1


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (refuses(500, "ServerException", "internal"), ApiError),
        (refuses(400, "ThrottlingException", "Rate exceeded"), Throttled),
        (Exchange.cut, Unreachable),
    ],
    ids=["500", "throttled", "cut"],
)
def test_it_is_asked_no_longer_than_the_budget_with_longer_and_longer_pauses(
    monkeypatch: pytest.MonkeyPatch, trouble: Reply, error: type[Exception]
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(random, "uniform", lambda _, longest: longest)
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(retry, "SHORTEST_SECONDS", 0.1)
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0 + sum(pauses))

    with client_of(trouble, service="ssm", budget_seconds=10) as (client, server), pytest.raises(error):
        client.call("GetParameter")

    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
    assert len(server.requests) == len(pauses) + 1


@pytest.mark.parametrize(
    "answer",
    [refuses(400, "ClientException", "no"), refuses(400, "InvalidParameterException"), refuses(404, "NotFound")],
)
def test_what_does_not_pass_is_asked_once(answer: Reply) -> None:
    with client_of(answer) as (client, server), pytest.raises(ApiError):
        client.call("RunTask")

    assert len(server.requests) == 1


def test_a_server_that_is_silent_costs_no_more_than_the_budget_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    with client_of(Exchange.gone, budget_seconds=1) as (client, _):
        began = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            client.call("RunTask")

    assert 1 <= time.monotonic() - began < 4
    assert "(no answer in time)" in str(caught.value)


def test_a_connection_is_kept_for_the_next_call_and_shared_by_threads() -> None:
    with client_of(fine) as (client, server):
        for _ in range(5):
            client.call("RunTask")
        assert server.connections == 1
        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(lambda _: client.call("RunTask"), range(10))) == [{"fine": True}] * 10

    assert server.connections <= 8


def test_a_connection_that_was_closed_while_idle_is_opened_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("it waited"))
    with client_of(fine) as (client, server):
        client.call("RunTask")
        server.hang_up()
        client.call("RunTask")
        assert (len(server.requests), server.connections) == (2, 2)


def test_a_connection_that_is_closed_just_when_it_is_used_is_opened_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("it waited"))
    with client_of(in_turn(fine, Exchange.cut, fine)) as (client, server):
        client.call("RunTask")
        client.call("RunTask")

    assert (len(server.requests), server.connections) == (3, 2)


def test_an_answer_that_is_cut_in_its_middle_is_asked_for_again() -> None:
    def half(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Content-Length", "100")
        exchange.end_headers()
        exchange.wfile.write(b'{"fi')
        exchange.cut()

    with client_of(in_turn(half, fine)) as (client, _):
        assert client.call("DescribeTasks") == {"fine": True}


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"])
def test_keys_that_are_refused_are_read_again_once_from_changed_files(
    monkeypatch: pytest.MonkeyPatch, files: Callable[..., None], code: str
) -> None:
    for name in KEYS:
        monkeypatch.delenv(name)
    line = "[default]\naws_access_key_id = {}\naws_secret_access_key = s\n"
    files(credentials=line.format("AKIDOLD"))
    used: list[str] = []

    def reply(exchange: Exchange) -> None:
        used.append(signed_as(exchange))
        (fine if used[-1] == "AKIDNEW" else refuses(400, code, "The security token is expired"))(exchange)

    with client_of(reply) as (client, _):
        with pytest.raises(BadCredentials):
            client.call("RunTask")
        assert used == ["AKIDOLD"]
        files(credentials=line.format("AKIDNEW"))
        assert client.call("RunTask") == {"fine": True}
        files(credentials=line.format("AKIDLATER"))
        assert client.call("RunTask") == {"fine": True}

    assert used == ["AKIDOLD", "AKIDOLD", "AKIDNEW", "AKIDNEW"]


def test_keys_that_are_refused_after_a_renewal_too_are_given_up(
    monkeypatch: pytest.MonkeyPatch, files: Callable[..., None]
) -> None:
    for name in KEYS:
        monkeypatch.delenv(name)
    used: list[str] = []

    def reply(exchange: Exchange) -> None:
        used.append(signed_as(exchange))
        write(len(used))
        refuses(403, "ExpiredToken")(exchange)

    def write(number: int) -> None:
        files(credentials=f"[default]\naws_access_key_id = AKID{number}\naws_secret_access_key = s\n")

    write(0)
    with client_of(reply) as (client, _), pytest.raises(BadCredentials):
        client.call("RunTask")

    assert used == ["AKID0", "AKID1"]


SKEWED = [
    ("InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier than 20260102T000000Z"),
    ("InvalidSignatureException", "Signature not yet current: 20260102T000000Z is still later than 20260101T000000Z"),
    ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
]


@pytest.mark.parametrize(("code", "message"), SKEWED)
@pytest.mark.parametrize("ahead", [-86_400.0, 7200.0])
def test_a_clock_that_is_wrong_is_set_by_awss_own_once_and_for_all(code: str, message: str, ahead: float) -> None:
    dates: list[float] = []

    def reply(exchange: Exchange) -> None:
        theirs = time.time() + ahead
        sent = time.strptime(str(exchange.asked.headers["X-Amz-Date"]), "%Y%m%dT%H%M%SZ")
        dates.append(_seconds(sent) - theirs)
        (fine if abs(dates[-1]) < 300 else _skewed(code, message, theirs))(exchange)

    with client_of(reply) as (client, _):
        assert client.call("RunTask") == {"fine": True}
        assert client.call("RunTask") == {"fine": True}

    assert len(dates) == 3
    assert dates[0] == pytest.approx(-ahead, abs=30)
    assert dates[1:] == pytest.approx([0, 0], abs=30)


def _skewed(code: str, message: str, theirs: float) -> Reply:
    def reply(exchange: Exchange) -> None:
        body = json.dumps({"__type": code, "message": message}).encode()
        exchange.send_response_only(403)
        exchange.send_header("Date", formatdate(theirs, usegmt=True))
        exchange.send_header("Content-Length", str(len(body)))
        exchange.end_headers()
        exchange.wfile.write(body)

    return reply


def _seconds(moment: time.struct_time) -> float:
    return calendar.timegm(moment)


def test_a_clock_that_cannot_be_set_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    code, message = SKEWED[0]

    def reply(exchange: Exchange) -> None:
        _skewed(code, message, time.time())(exchange)

    with client_of(reply) as (client, server), pytest.raises(BadCredentials) as caught:
        client.call("RunTask")

    assert str(caught.value) == (
        f"AWS does not take the time of this machine ({message}). Set its clock, for instance with NTP."
    )
    assert len(server.requests) == 2


def test_a_refusal_keeps_awss_code_and_words() -> None:
    with client_of(refuses(400, "ClientException", "no such thing")) as (client, _), pytest.raises(Refused) as caught:
        client.call("RunTask")

    assert (caught.value.status, caught.value.code, caught.value.message) == (400, "ClientException", "no such thing")


def test_a_client_that_is_closed_has_no_connection_left() -> None:
    ended = threading.Event()

    def reply(exchange: Exchange) -> None:
        fine(exchange)
        exchange.gone()
        ended.set()

    with client_of(reply) as (client, _):
        client.call("RunTask")
        assert not ended.is_set()
        client.close()
        assert ended.wait(5)
