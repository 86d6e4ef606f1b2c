"""The sentences about what AWS answers, and about why it does not."""

import errno
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.aws import answers
from runner.aws.access import Access, load
from runner.aws.client import Client
from runner.aws.credentials import LOG_IN as HOW_TO_LOG_IN
from runner.aws.credentials import Credentials
from runner.aws.errors import (
    AccessDenied,
    ApiError,
    BadCredentials,
    ConfigError,
    Conflict,
    NotFound,
    Refused,
    Throttled,
)
from runner.http.errors import Unreachable
from tests.runner.aws.services import REGION, client_of, refuses, sends
from tests.runner.kubernetes.api_server import ApiServer, Exchange
from tests.runner.kubernetes.certificates import Authority, server_context
from tests.runner.kubernetes.replies import fine

pytestmark = pytest.mark.usefixtures("keys")

LOG_IN = "Log in again (`aws sso login`, or new keys), or choose another profile with --profile."
NOT_ACCEPTED = "AWS does not accept the credentials for ecs:RunTask"
HAVE_IT = (
    "Have it allowed with the environment's submitter policy, an output of its stack, or choose another profile with "
    "--profile."
)
MEND = "Correct what it names, then try again."
LATER = "Try again later."


def xml(code: str, message: str) -> bytes:
    """A failure of S3."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>'
        "<RequestId>1</RequestId></Error>"
    ).encode()


@pytest.mark.parametrize(
    ("reply", "kind", "sentences"),
    [
        (
            refuses(400, "AccessDeniedException", "User: a is not authorized to perform: ecs:RunTask."),
            AccessDenied,
            f"AWS does not allow ecs:RunTask (User: a is not authorized to perform: ecs:RunTask). {HAVE_IT}",
        ),
        (
            refuses(400, "ExpiredTokenException", "The security token included in the request is expired"),
            BadCredentials,
            f"{NOT_ACCEPTED} (ExpiredTokenException: The security token included in the request is expired). {LOG_IN}",
        ),
        (
            refuses(403, "UnrecognizedClientException"),
            BadCredentials,
            f"{NOT_ACCEPTED} (UnrecognizedClientException: UnrecognizedClientException). {LOG_IN}",
        ),
        (
            refuses(400, "ClusterNotFoundException", "Cluster not\n  found."),
            NotFound,
            f"AWS refused ecs:RunTask in eu-west-1 (ClusterNotFoundException: Cluster not found). {MEND}",
        ),
        (
            refuses(400, "ConflictException", "token used"),
            Conflict,
            f"AWS refused ecs:RunTask in eu-west-1 (ConflictException: token used). {MEND}",
        ),
        (
            refuses(400, "InvalidParameterException", "x" * 600),
            Refused,
            f"AWS refused ecs:RunTask in eu-west-1 (InvalidParameterException: {'x' * 500}). {MEND}",
        ),
        (
            refuses(400, "ThrottlingException", "Rate exceeded"),
            Throttled,
            f"AWS refused ecs:RunTask in eu-west-1 (ThrottlingException: Rate exceeded). {LATER}",
        ),
        (
            refuses(500, "ServerException", "internal"),
            ApiError,
            f"AWS refused ecs:RunTask in eu-west-1 (ServerException: internal). {LATER}",
        ),
        (
            sends(502, b"<html><h1>Bad Gateway</h1></html>", "text/html"),
            ApiError,
            f"AWS refused ecs:RunTask in eu-west-1 (HTTP 502: HTTP 502). {LATER}",
        ),
        (
            sends(407, b"[]", "application/json"),
            Refused,
            f"AWS refused ecs:RunTask in eu-west-1 (HTTP 407: HTTP 407). {MEND}",
        ),
        (
            sends(301, xml("PermanentRedirect", "Use the endpoint &quot;b&quot;."), "application/xml"),
            Refused,
            f'AWS refused ecs:RunTask in eu-west-1 (PermanentRedirect: Use the endpoint "b"). {MEND}',
        ),
    ],
    ids=range(11),
)
def test_a_failure_is_told_in_two_sentences(
    reply: Callable[[Exchange], None], kind: type[ApiError], sentences: str
) -> None:
    with client_of(reply, budget_seconds=0.01) as (client, _), pytest.raises(ApiError) as caught:
        client.call("RunTask")

    assert type(caught.value) is kind
    assert str(caught.value) == sentences


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (403, xml("AccessDenied", "Access Denied"), AccessDenied, "AccessDenied"),
        (403, b"", AccessDenied, "AccessDenied"),
        (403, xml("SignatureDoesNotMatch", "It does not"), BadCredentials, "SignatureDoesNotMatch"),
        (400, xml("ExpiredToken", "The provided token has expired."), BadCredentials, "ExpiredToken"),
        (404, xml("NoSuchKey", "The specified key does not exist."), NotFound, "NoSuchKey"),
        (404, xml("NoSuchBucket", "no"), NotFound, "NoSuchBucket"),
        (404, b"", NotFound, "NotFound"),
        (412, b"", Conflict, "PreconditionFailed"),
        (503, xml("SlowDown", "Please reduce your request rate."), Throttled, "SlowDown"),
        (503, b"", Throttled, "SlowDown"),
    ],
)
def test_the_failures_of_s3_are_read_as_those_of_the_others(
    status: int, body: bytes, kind: type[ApiError], code: str
) -> None:
    access = Access(region=REGION, credentials=Credentials())

    error = answers.error_of(status, body, action="s3:GetObject", access=access)

    assert (type(error), error.status, error.code) == (kind, status, code)


@given(st.integers(300, 599), st.binary(max_size=60) | st.from_regex(rb"<Code>.{0,9}</Code>|\{\"__type\":.{0,9}\}"))
def test_whatever_is_answered_becomes_one_line(status: int, body: bytes) -> None:
    access = Access(region=REGION, credentials=Credentials())

    error = answers.error_of(status, body, action="ecs:RunTask", access=access)

    assert error.code
    assert len(str(error).splitlines()) == 1
    assert str(error).endswith(".")


@pytest.mark.parametrize("data", [b"<html>Please log in</html>", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_an_answer_that_is_not_awss_names_what_may_stand_between(data: bytes) -> None:
    with client_of(sends(200, data, "text/html")) as (client, server), pytest.raises(Unreachable) as caught:
        client.call("RunTask")

    assert str(caught.value) == (
        "127.0.0.1 answered something else than AWS' JSON to RunTask. Check AWS_ENDPOINT_URL and the proxy."
    )
    assert not caught.value.transient
    assert len(server.requests) == 1


def test_without_keys_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with client_of(fine) as (client, server), pytest.raises(ConfigError) as caught:
        client.call("RunTask")

    assert str(caught.value) == f"No AWS credentials were found. {HOW_TO_LOG_IN}"
    assert server.connections == 0


def _fails(budget_seconds: float = 5.0) -> Unreachable:
    client = Client(load(region=REGION), "ecs", budget_seconds=budget_seconds)
    with pytest.raises(Unreachable) as caught:
        client.call("RunTask")
    client.close()
    return caught.value


def test_a_server_that_refuses_connections_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with ApiServer(fine) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)

    error = _fails(0.05)

    assert str(error) == (
        "AWS cannot be reached at 127.0.0.1 (Connection refused). Check the network and the proxy (HTTPS_PROXY)."
    )
    assert error.transient


def test_a_connection_that_is_dropped_is_named() -> None:
    with client_of(Exchange.cut, budget_seconds=0.05) as (client, _), pytest.raises(Unreachable) as caught:
        client.call("RunTask")

    assert str(caught.value) == (
        "AWS cannot be reached at 127.0.0.1 (Remote end closed connection without response). "
        "Check the network and the proxy (HTTPS_PROXY)."
    )


@pytest.mark.parametrize("number", [socket.EAI_NONAME, socket.EAI_AGAIN])
def test_a_name_that_is_not_known_points_at_the_region(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    asked: list[str] = []

    def resolve(host: str, *_: object, **__: object) -> object:
        asked.append(host)
        raise socket.gaierror(number, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    error = _fails(0.05)

    assert str(error) == (
        "The name ecs.eu-west-1.amazonaws.com is not known (Name or service not known). "
        "Check the region, which is eu-west-1, and the network."
    )
    assert set(asked) == {"ecs.eu-west-1.amazonaws.com"}
    # Only a name server that is busy may know it later.
    assert error.transient == (number == socket.EAI_AGAIN) == (len(asked) > 1)


def test_other_troubles_of_the_network_keep_their_words() -> None:
    access = Access(region=REGION, credentials=Credentials())

    error = answers.unreachable(OSError(errno.ENETUNREACH, "Network is unreachable"), url="https://a", access=access)

    assert str(error).startswith("AWS cannot be reached at a (Network is unreachable). ")


def test_a_certificate_that_is_not_trusted_is_named_and_can_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: Callable[..., None]
) -> None:
    authority = Authority()
    bundle = tmp_path / "ca.pem"
    bundle.write_text(authority.certificate)
    with ApiServer(fine, tls=server_context(authority.server(), tmp_path)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        error = _fails()
        assert server.requests == []

        files(config=f"[default]\nca_bundle = {bundle}\n")
        client = Client(load(region=REGION), "ecs")
        assert client.call("RunTask") == {"fine": True}
        client.close()
        files()
        monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
        client = Client(load(region=REGION), "ecs")
        assert client.call("RunTask") == {"fine": True}
        client.close()

    assert str(error) == (
        "The certificate of 127.0.0.1 is not trusted (unable to get local issuer certificate). "
        "Name the authority's certificate with AWS_CA_BUNDLE."
    )
    assert not error.transient


@pytest.mark.parametrize(
    ("data", "said"), [(None, "No such file or directory"), (b"no", "no certificate or crl found")]
)
def test_authorities_that_cannot_be_read_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: bytes | None, said: str
) -> None:
    bundle = tmp_path / "ca.pem"
    if data is not None:
        bundle.write_bytes(data)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))

    with pytest.raises(ConfigError) as caught:
        Client(load(region=REGION), "ecs")

    assert str(caught.value).startswith(f"The authorities in {bundle} cannot be used (")
    assert said in str(caught.value)
    assert str(caught.value).endswith("). Correct AWS_CA_BUNDLE or the profile's ca_bundle.")
    assert "\n" not in str(caught.value)
