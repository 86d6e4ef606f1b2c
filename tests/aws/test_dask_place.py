"""The environments with Dask workers that tests use: what they are made of, and that nothing stays of them."""

import json

import pytest

from runner.sections import DaskCloudProvider
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import DaskPlace, await_nothing_left, dask_place
from tests.testbed.ecs_ground import assets

pytestmark = [pytest.mark.aws, pytest.mark.long]


def containers(aws: Aws, definition: str) -> dict[str, dict[str, object]]:
    answer = aws.client("ecs").describe_task_definition(taskDefinition=definition)
    return {item["name"]: item for item in answer["taskDefinition"]["containerDefinitions"]}


def secrets_below(aws: Aws, section: DaskCloudProvider) -> list[str]:
    filters = [{"Key": "name", "Values": [section.secrets_prefix]}]
    found = aws.client("secretsmanager").list_secrets(Filters=filters, IncludePlannedDeletion=True)["SecretList"]
    return [item["Name"] for item in found]


def leave_something(made: DaskPlace) -> None:
    """A worker that is up and a secret."""
    made.aws.client("secretsmanager").create_secret(Name=f"{made.section.secrets_prefix}left", SecretString="x")
    made.aws.client("ecs").run_task(
        cluster=made.section.cluster_arn,
        taskDefinition=made.worker_definition(entryPoint=["sleep"], command=["60"]),
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [made.subnet], "securityGroups": [made.group]}},
    )


def test_nothing_stays_of_a_place(aws: Aws) -> None:
    before = assets(aws)
    with dask_place(aws, scheduler_task=True) as made:
        during = assets(aws)
        leave_something(made)

        assert (len(made.workers()), len(made.secrets())) == (1, 1)
        with pytest.raises(TimeoutError, match=f"task/{made.name}/.*secret:penstock/{made.name}/left-"):
            await_nothing_left(made, 0.1)

    assert assets(aws) == before
    assert secrets_below(aws, made.section) == []
    assert {what: len(during[what]) - len(before[what]) for what in during} == {
        "clusters": 1,
        "task definitions": 3,
        "roles": 3,
        "policies": 0,
        "groups": 0,
        "security groups": 2,
        "log groups": 1,
        "buckets": 1,
    }


def test_nothing_stays_of_a_place_where_a_test_fails(aws: Aws) -> None:
    before = assets(aws)

    def fail() -> None:
        with dask_place(aws) as made:
            leave_something(made)
            sections.append(made.section)
            raise ZeroDivisionError

    sections: list[DaskCloudProvider] = []
    with pytest.raises(ZeroDivisionError):
        fail()

    assert assets(aws) == before
    assert secrets_below(aws, sections[0]) == []


def test_containers_are_those_of_the_component(aws: Aws) -> None:
    with dask_place(aws, scheduler_task=True, env={"A": "b"}) as made:
        run, worker = (
            containers(aws, arn) for arn in (made.section.task_definition_arn, made.section.worker_task_definition_arn)
        )
        scheduler = containers(aws, str(made.section.scheduler_task_definition_arn))

        assert [sorted(each) for each in (run, worker, scheduler)] == [
            ["cleanup", "flow"],
            ["dask-worker"],
            ["dask-scheduler"],
        ]
        assert run["flow"]["entryPoint"] == ["python3", "-P", "-m", "runner"]
        assert run["cleanup"]["entryPoint"] == ["python3", "-P", "-m", "runner.clusters.ecs_cleanup"]
        assert run["cleanup"]["environment"] == [{"name": "PENSTOCK_SECRETS_PREFIX", "value": f"penstock/{made.name}/"}]
        for container in (worker["dask-worker"], scheduler["dask-scheduler"]):
            assert container["entryPoint"] == ["python3", "-P", "-m", "runner.clusters.entry"]
            assert container["environment"] == [{"name": "A", "value": "b"}]


def test_without_encryption_nobody_may_touch_a_secret(aws: Aws) -> None:
    with dask_place(aws, (0, 3), tls=False, fargate_spot=True, worker_threads=2) as made:
        iam = aws.client("iam")
        policy = iam.get_role_policy(RoleName=f"{made.name}-task", PolicyName="run")["PolicyDocument"]

        assert "secretsmanager" not in json.dumps([policy, made.submitter()])
        assert iam.list_role_policies(RoleName=f"{made.name}-worker")["PolicyNames"] == []
        assert (made.section.min_workers, made.section.max_workers, made.section.worker_threads) == (0, 3, 2)
        assert made.section.fargate_spot
        await_nothing_left(made, 1)
