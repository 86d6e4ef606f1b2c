from collections.abc import Iterator

import pytest

from runner.kubernetes.client import Client
from tests.testbed import kubernetes_cluster


@pytest.fixture(scope="session")
def _namespaces_are_gone() -> Iterator[None]:
    yield
    with kubernetes_cluster.cluster_client() as client:
        kubernetes_cluster.await_no_namespaces(client)


@pytest.fixture
def client(_namespaces_are_gone: None) -> Iterator[Client]:
    with kubernetes_cluster.cluster_client() as client:
        yield client
