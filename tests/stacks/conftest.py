import os
import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from kubernetes import client, config

from tests.testbed.aws.fixtures import aws_server
from tests.testbed.pulumi_engine import Engine, penstock_at
from tests.testbed.pulumi_mocks import Deploy, mocked_pulumi

__all__ = ["aws_server"]

PROVIDER = "pulumi-resource-kubernetes"


@pytest.fixture
def deploy() -> Iterator[Deploy]:
    with mocked_pulumi() as deploy:
        yield deploy


@pytest.fixture(scope="session")
def kubeconfig() -> str:
    """Access to the cluster with all rights."""
    return os.environ["PENSTOCK_TEST_KUBECONFIG"]


@pytest.fixture(scope="session")
def kubernetes_engine(tmp_path_factory: pytest.TempPathFactory, kubeconfig: str) -> Engine:
    """Our project, for stacks on the cluster."""
    engine = penstock_at(tmp_path_factory.mktemp("engine"))
    if shutil.which(PROVIDER, path=engine.env["PATH"]) is None:
        pytest.skip(f"no provider: PATH has no `{PROVIDER}`; `make test-cluster` gets one")
    return replace(engine, env={**engine.env, "KUBECONFIG": kubeconfig})


@pytest.fixture(scope="session")
def api(kubeconfig: str) -> Iterator[client.ApiClient]:
    """The official client, with all rights."""
    with config.new_client_from_config(kubeconfig) as api:
        yield api
