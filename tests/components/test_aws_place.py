from typing import Any

import pytest

from components.aws_place import LONGEST_BUCKET, LONGEST_POLICY, LONGEST_ROLE, names, secrets_prefix, with_workers
from runner.errors import ContractError
from tests.components.ecs import PLACE, named

LONG = "a-name-of-sixty-three-characters-as-long-as-a-label-ever-can-be"


def test_everything_is_called_after_the_environment() -> None:
    own = named("flights")

    assert own.family == "penstock-flights"
    assert own.log_group == "/penstock/flights"
    assert own.bucket == "penstock-flights-123456789012-eu-west-1"
    assert own.cluster == "penstock-flights"
    assert own.parameter == "/penstock/flights/environment"
    assert own.role("task") == "penstock-flights-eu-west-1-task"
    assert own.policy("submitter") == "penstock-flights-eu-west-1-submitter"


def test_arns_follow_from_names() -> None:
    own = named("flights")

    assert own.cluster_arn == "arn:aws:ecs:eu-west-1:123456789012:cluster/penstock-flights"
    assert own.tasks_arn == "arn:aws:ecs:eu-west-1:123456789012:task/penstock-flights/*"
    assert own.revisions_arn == "arn:aws:ecs:eu-west-1:123456789012:task-definition/penstock-flights:*"
    assert own.log_group_arn == "arn:aws:logs:eu-west-1:123456789012:log-group:/penstock/flights:*"
    assert own.streams_arn == "arn:aws:logs:eu-west-1:123456789012:log-group:/penstock/flights:log-stream:run/*"
    assert own.parameter_arn == "arn:aws:ssm:eu-west-1:123456789012:parameter/penstock/flights/environment"
    assert own.task_role_arn == "arn:aws:iam::123456789012:role/penstock-flights-eu-west-1-task"
    assert own.execution_role_arn == "arn:aws:iam::123456789012:role/penstock-flights-eu-west-1-execution"
    assert own.place.bucket(own.bucket, "x") == f"arn:aws:s3:::{own.bucket}/x"


def test_other_partitions_have_arns_of_their_own() -> None:
    own = names("flights", place={"partition": "aws-cn", "region": "cn-north-1", "account": "123456789012"})

    assert own.cluster_arn.startswith("arn:aws-cn:ecs:cn-north-1:")
    assert own.task_role_arn.startswith("arn:aws-cn:iam::")
    assert own.place.bucket("b") == "arn:aws-cn:s3:::b"


def test_names_that_are_given_are_taken() -> None:
    cluster = "arn:aws:ecs:eu-west-1:123456789012:cluster/shared"
    own = named(
        family="f",
        log_group_name="/l",
        bucket_name="b",
        cluster_arn=cluster,
        task_role_arn="arn:aws:iam::123456789012:role/t",
        execution_role_arn="arn:aws:iam::123456789012:role/e",
    )

    assert (own.family, own.log_group, own.bucket, own.cluster, own.cluster_arn) == ("f", "/l", "b", "shared", cluster)
    assert (own.task_role_arn[-2:], own.execution_role_arn[-2:]) == ("/t", "/e")
    assert own.tasks_arn == "arn:aws:ecs:eu-west-1:123456789012:task/shared/*"


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "ap-southeast-1"])
def test_no_name_is_longer_than_aws_takes_and_none_is_lost(region: str) -> None:
    place: Any = {**PLACE, "region": region}
    own, other = names(LONG, place=place), names(LONG[:-1] + "x", place=place)

    assert len(LONG) == 63
    for part in ("task", "execution", "submitter", "previewer"):
        assert len(own.role(part)) <= LONGEST_ROLE
        assert len(own.policy(part)) <= LONGEST_POLICY
        assert own.role(part) != other.role(part)
    assert len(own.bucket) <= LONGEST_BUCKET
    assert own.bucket != other.bucket
    assert own.bucket.endswith(f"-123456789012-{region}")


@pytest.mark.parametrize(
    "arn",
    [
        "shared",
        "arn:aws:ecs:eu-west-2:123456789012:cluster/shared",
        "arn:aws:ecs:eu-west-1:210987654321:cluster/shared",
    ],
)
def test_a_cluster_of_elsewhere_is_refused(arn: str) -> None:
    with pytest.raises(ContractError, match="a cluster of this account and region, arn:aws:ecs:eu-west-1:1234"):
        named(cluster_arn=arn)


def test_workers_are_called_after_the_environment_too() -> None:
    own = with_workers(named("flights"), scheduler_task=True)

    assert (own.worker_family, own.scheduler_family) == ("penstock-flights-worker", "penstock-flights-scheduler")
    assert own.worker_task_role_arn == "arn:aws:iam::123456789012:role/penstock-flights-eu-west-1-worker"
    assert own.worker_revisions_arns == tuple(
        f"arn:aws:ecs:eu-west-1:123456789012:task-definition/penstock-flights-{part}:*"
        for part in ("worker", "scheduler")
    )
    assert own.worker_streams_arns == tuple(
        f"arn:aws:logs:eu-west-1:123456789012:log-group:/penstock/flights:log-stream:run/dask-{part}/*"
        for part in ("worker", "scheduler")
    )
    assert own.secrets_arn == "arn:aws:secretsmanager:eu-west-1:123456789012:secret:penstock/flights/*"
    assert secrets_prefix("flights") == "penstock/flights/"


def test_without_workers_there_is_nothing_of_them() -> None:
    own = named("flights")

    assert (own.worker_family, own.worker_task_role_arn) == (None, None)
    assert (own.worker_revisions_arns, own.worker_streams_arns) == ((), ())
    assert with_workers(own, scheduler_task=False).scheduler_family is None


def test_what_is_given_of_workers_is_taken() -> None:
    own = with_workers(named("flights", family="f"), scheduler_task=False, worker_task_role_arn="arn:of:mine")

    assert (own.worker_family, own.worker_task_role_arn) == ("f-worker", "arn:of:mine")
