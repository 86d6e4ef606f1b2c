"""Documents and code that are objects in a bucket."""

import logging
import os
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from runner import inputs
from runner.aws.errors import AccessDenied
from runner.errors import UnavailableError
from runner.http.errors import Unreachable
from tests.runner.aws.services import sends
from tests.runner.kubernetes.api_server import ApiServer

REGION = "eu-west-1"
PLACE = f"s3:{REGION}:flows/"


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    """The address of an S3 that has one bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def role(monkeypatch: pytest.MonkeyPatch, storage: str) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", storage)


@pytest.fixture
def bucket() -> Iterator[None]:
    client = boto3.client("s3", region_name=REGION)
    client.create_bucket(Bucket="flows", CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_object(Bucket="flows", Key="inputs/0a", Body='{"name": "ü"}'.encode())
    client.put_object(Bucket="flows", Key="bundles/0a.zip", Body=b"PK\x03\x04")
    client.put_object(Bucket="flows", Key="täglich/a b:c", Body=bytes(range(256)))
    yield
    for item in client.list_objects_v2(Bucket="flows")["Contents"]:
        client.delete_object(Bucket="flows", Key=item["Key"])
    client.delete_bucket(Bucket="flows")
    client.close()


@pytest.mark.usefixtures("bucket")
def test_a_document_and_code_are_read_as_they_were_put() -> None:
    assert inputs.read(f"{PLACE}inputs/0a", "run request") == '{"name": "ü"}'.encode()
    assert inputs.archive(f"{PLACE}bundles/0a.zip") == b"PK\x03\x04"
    assert inputs.read(f"{PLACE}täglich/a b:c", "run request") == bytes(range(256))


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("take", [lambda place: inputs.read(place, "run request"), inputs.archive])
def test_an_object_that_is_gone_is_told_with_what_to_do(take: object) -> None:
    with pytest.raises(UnavailableError) as caught:
        take(f"{PLACE}inputs/0b")  # type: ignore[operator]

    assert str(caught.value) == (
        "The bucket flows has no inputs/0b, which this run needs. Start it again with `penstock run`, which sends it, "
        "and let the bucket keep objects for days."
    )


def test_a_bucket_that_is_gone_is_told_as_well() -> None:
    with pytest.raises(UnavailableError, match=r"^The bucket flows has no inputs/0a, which this run needs\."):
        inputs.read(f"{PLACE}inputs/0a", "run request")


def test_a_role_that_may_not_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with ApiServer(sends(403, b"<Error><Code>AccessDenied</Code></Error>", "application/xml")) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        with pytest.raises(AccessDenied, match=r"^AWS does not allow s3:GetObject \(AccessDenied\)"):
            inputs.read(f"{PLACE}inputs/0a", "run request")


def test_the_trouble_of_the_network_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("runner.http.retry.SHORTEST_SECONDS", 100.0)
    monkeypatch.setattr("runner.http.retry.LONGEST_SECONDS", 100.0)
    monkeypatch.setattr("random.uniform", lambda _, longest: longest)

    with pytest.raises(Unreachable, match=r"^AWS cannot be reached at 127\.0\.0\.1 \(Connection refused\)"):
        inputs.archive(f"{PLACE}bundles/0a.zip")
