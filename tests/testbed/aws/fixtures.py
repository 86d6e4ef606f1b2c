"""What tests on the test AWS share: one server for the whole session, without faults at the beginning of each test."""

import os
from collections.abc import Iterator

import pytest

from tests.testbed.aws import real
from tests.testbed.aws.handle import Aws, started


@pytest.fixture(scope="session")
def aws_server() -> Iterator[Aws]:
    """The test AWS; AWS itself if that is asked for, see `real`."""
    asked = real.chosen(os.environ)
    if asked is not None:
        yield asked
        return
    with started() as aws:
        yield aws


@pytest.fixture
def aws(aws_server: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """The test AWS, and this process' environment set to it."""
    for name, value in aws_server.env.items():
        monkeypatch.setenv(name, value)
    if not isinstance(aws_server, real.RealAws):
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
            monkeypatch.delenv(name, raising=False)
    yield aws_server
    aws_server.clear()
