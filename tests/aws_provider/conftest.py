from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from tests.testbed.pulumi_aws import Attached, Direct, attached_provider, directly


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """AWS' API in this process."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture(scope="session")
def provider(endpoint: str) -> Iterator[Attached]:
    with attached_provider(endpoint) as provider:
        yield provider


@pytest.fixture
def direct(provider: Attached) -> Iterator[Direct]:
    """The provider, called as the engine calls it."""
    with directly(provider) as direct:
        yield direct
