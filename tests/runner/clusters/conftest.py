from collections.abc import Iterator

import pytest

from runner.kubernetes.client import Client
from tests.testbed.dask_on_kubernetes import dask_namespace


@pytest.fixture
def namespace(client: Client) -> Iterator[str]:
    with dask_namespace(client) as name:
        yield name
