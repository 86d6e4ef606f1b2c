from collections.abc import Iterator

import pytest

from runner.kubernetes.client import Client
from tests.testbed import kubernetes_cluster
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_kubernetes import await_nothing_left, dask_namespace
from tests.testbed.ecs_environment import Place, place

GONE_SECONDS = 15


@pytest.fixture
def flows(aws: Aws) -> Iterator[Place]:
    """An environment on ECS."""
    with place(aws) as made:
        yield made


@pytest.fixture
def namespace(client: Client) -> Iterator[str]:
    with kubernetes_cluster.namespace(client) as name:
        yield name


@pytest.fixture
def namespace_with_workers(client: Client) -> Iterator[str]:
    with dask_namespace(client) as name:
        yield name
        # What follows a run's end, whatever that was.
        await_nothing_left(client, name, GONE_SECONDS)
