from collections.abc import Iterator

import pytest

from tests.testbed.aws.fixtures import aws_server
from tests.testbed.aws.handle import Aws
from tests.testbed.pulumi_aws import Attached, Direct, attached_provider, directly

__all__ = ["aws_server"]


@pytest.fixture(scope="session")
def provider(aws_server: Aws) -> Iterator[Attached]:
    with attached_provider(aws_server) as provider:
        yield provider


@pytest.fixture
def direct(provider: Attached) -> Iterator[Direct]:
    """The provider, called as the engine calls it."""
    with directly(provider) as direct:
        yield direct
