import json
from collections.abc import Iterator

import pytest

from runner.kubernetes.client import Client
from tests.testbed import dask_on_ecs, kubernetes_cluster
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import dask_place
from tests.testbed.dask_on_kubernetes import await_nothing_left, dask_namespace
from tests.testbed.ecs_environment import Place, place

GONE_SECONDS = 15


def may_keep_files(made: Place) -> None:
    """Give runs the rights to their bucket that they have by default."""
    bucket = f"arn:aws:s3:::{made.name}"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [f"{bucket}/bundles/*", f"{bucket}/inputs/*"]},
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{bucket}/artifacts/*"},
        ],
    }
    made.aws.client("iam").put_role_policy(
        RoleName=f"{made.name}-task", PolicyName="run", PolicyDocument=json.dumps(policy)
    )


@pytest.fixture
def flows(aws: Aws) -> Iterator[Place]:
    """An environment on ECS, whose runs may put files into its bucket."""
    with place(aws) as made:
        may_keep_files(made)
        yield made


@pytest.fixture
def flows_with_workers(aws: Aws) -> Iterator[Place]:
    """An environment on ECS in which each run opens a cluster of one Dask worker."""
    with dask_place(aws, 1) as made:
        yield made
        # What follows a run's end, whatever that was.
        dask_on_ecs.await_nothing_left(made, GONE_SECONDS)


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
