"""Objects of a bucket: where they are, and that they come back as they were."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from runner.aws import client as module
from runner.aws.access import load
from runner.aws.bucket import Bucket
from runner.aws.client import Answer
from runner.aws.errors import NotFound
from runner.http.connection import Request
from tests.runner.aws.conftest import KEYS
from tests.runner.aws.services import REGION, sends
from tests.runner.kubernetes.api_server import ApiServer, Asked, Exchange
from tests.runner.kubernetes.replies import in_turn

pytestmark = pytest.mark.usefixtures("keys")

KEY_NAMES = ["inputs/0a", "a b+c", "täglich/ü 🏔.zip", "100%/a%20b", "a//b/./c", "q?x=1&y#z", "(a)*'!~,;:@$=["]


def stores(exchange: Exchange) -> None:
    """Keep what is put, give it back, and sign nothing off that is not signed."""
    objects: dict[str, bytes] = exchange.server.__dict__.setdefault("objects", {})
    place = exchange.asked.place
    if exchange.command == "PUT":
        objects[place] = exchange.asked.body
    if place in objects:
        sends(200, objects[place], "application/octet-stream")(exchange)
    else:
        sends(404, b"<Error><Code>NoSuchKey</Code><Message>no</Message></Error>", "application/xml")(exchange)


@contextmanager
def bucket_of(reply: Any, name: str = "flows") -> Iterator[tuple[Bucket, ApiServer]]:
    with ApiServer(reply) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        bucket = Bucket(load(region=REGION), name, budget_seconds=2)
        try:
            yield bucket, server
        finally:
            bucket.close()


def signature(server: ApiServer, asked: Asked) -> str:
    """What botocore would sign it with, from what has arrived."""
    names = str(asked.headers["Authorization"]).partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest(asked.method, f"{server.url}{asked.place}", data=asked.body)
    for name in names:
        request.headers[name] = asked.headers[name]
    request.context["timestamp"] = asked.headers["X-Amz-Date"]
    signer = S3SigV4Auth(Credentials(*KEYS.values()), "s3", REGION)
    return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))


@pytest.mark.parametrize("key", KEY_NAMES)
def test_an_object_is_got_as_it_was_put_whatever_its_key(key: str) -> None:
    data = bytes(range(256)) * 100
    with bucket_of(stores) as (bucket, server):
        bucket.put(key, data)
        assert bucket.get(key) == data
        bucket.put(key, b"")
        assert bucket.get(key) == b""

    for asked in server.requests:
        assert unquote(asked.place) == f"/flows/{key}"
        assert asked.place.isascii()
        assert str(asked.headers["Authorization"]).endswith(f"Signature={signature(server, asked)}")
    assert [asked.method for asked in server.requests] == ["PUT", "GET"] * 2
    assert len(server.requests[0].headers.get_all("Content-Type") or ()) == 1


def test_an_object_that_is_not_there_is_not_found_at_once() -> None:
    with bucket_of(stores) as (bucket, server), pytest.raises(NotFound) as caught:
        bucket.get("inputs/0a")

    assert str(caught.value) == (
        "AWS refused s3:GetObject in eu-west-1 (NoSuchKey: no). Correct what it names, then try again."
    )
    assert len(server.requests) == 1


def test_a_bucket_that_is_asked_too_much_is_asked_again() -> None:
    slow = sends(503, b"<Error><Code>SlowDown</Code><Message>wait</Message></Error>", "application/xml")
    with bucket_of(in_turn(slow, Exchange.cut, stores)) as (bucket, server):
        bucket.put("bundles/a.zip", b"PK")

    assert [asked.body for asked in server.requests] == [b"PK"] * 3


@pytest.mark.parametrize(
    ("region", "name", "host", "target"),
    [
        ("eu-west-1", "flows", "flows.s3.eu-west-1.amazonaws.com", "/a%20b"),
        ("cn-north-1", "flows", "flows.s3.cn-north-1.amazonaws.com.cn", "/a%20b"),
        # The certificate is for one label before the service's name.
        ("eu-west-1", "data.flows", "s3.eu-west-1.amazonaws.com", "/data.flows/a%20b"),
    ],
)
def test_a_bucket_has_a_host_of_its_own_but_where_its_name_has_dots(
    monkeypatch: pytest.MonkeyPatch, region: str, name: str, host: str, target: str
) -> None:
    """What would be sent to AWS, which is not there to be asked."""
    sent: list[tuple[str, Request]] = []

    def exchanged(client: module.Client, request: Request, _: float) -> Answer:
        sent.append((client._connection(None).host, request))
        return Answer(status=200, headers={}, body=b"data")

    monkeypatch.setattr(module.Client, "_exchanged", exchanged)

    assert Bucket(load(region=region), name).get("a b") == b"data"

    ((to, request),) = sent
    assert (to, request.headers["host"], request.target) == (host, host, target)
