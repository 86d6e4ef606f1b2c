"""An environment on ECS whose runs have workers, with tasks that stand for these."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest

from runner.environment import Environment, Executor, ExecutorType, Retention
from runner.labels import ATTEMPT, ENVIRONMENT, RUN_ID
from runner.launch.ecs.launcher import EcsLauncher
from runner.sections import DaskCloudProvider, FargateTask, Kind, Resources
from tests.testbed.ecs_environment import IMAGE, Place
from tests.testbed.followed_run import Run
from tests.testbed.waiting import wait_until


@dataclass(frozen=True, kw_only=True)
class WithWorkers:
    """The place, and its environment of kind dask-cloud-provider."""

    place: Place
    environment: Environment

    @property
    def section(self) -> DaskCloudProvider:
        assert self.environment.dask_cloud_provider is not None
        return self.environment.dask_cloud_provider

    @property
    def prefix(self) -> str:
        """What the names of its secrets begin with."""
        assert self.section.secrets_prefix is not None
        return self.section.secrets_prefix

    def launcher(self, environment: Environment | None = None) -> EcsLauncher:
        """A launcher with clients of its own."""
        return self.place.launcher(environment or self.environment)

    def start(self, function: str, *, environment: Environment | None = None, **parameters: Any) -> Run:
        """Submit a flow of `behaviours.py`, which opens no cluster of its own."""
        target = environment or self.environment
        asked, data = self.place.asked(function, **parameters)
        launcher = self.launcher(target)
        launcher.submit(target, replace(asked, executor=Executor()), bundle=data)
        return Run(launcher, "the-run")

    def started(self, **parameters: Any) -> tuple[Run, str]:
        """A run that is followed and goes on, and the id of its task."""
        run = self.start("wait_until", **parameters)
        run.start_following()
        run.await_output(b"up")
        return run, self.tasks("the-run")[-1]["taskArn"].rpartition("/")[2]

    def without_retention(self) -> Environment:
        """The environment, which keeps no records of runs that have ended."""
        return replace(self.environment, retention=Retention(succeeded_seconds=0, failed_seconds=0))

    def worker(self, owner: str, script: str = "sleep 60", *, attempt: int = 1, environment: str | None = None) -> str:
        """Start a task as runs start workers; the result is its id."""
        tags = {RUN_ID: "the-run", ATTEMPT: str(attempt), ENVIRONMENT: environment or self.place.name}
        told = {"RUN_ID": "the-run", "ATTEMPT": str(attempt), "ENVIRONMENT": environment or self.place.name}
        variables = [{"name": f"PENSTOCK_{name}", "value": value} for name, value in told.items()]
        network = {"subnets": list(self.section.subnets), "securityGroups": list(self.section.security_groups)}
        answer = self.place.aws.client("ecs").run_task(
            cluster=self.section.cluster_arn,
            taskDefinition=self.section.worker_task_definition_arn,
            launchType="FARGATE",
            startedBy=owner,
            networkConfiguration={"awsvpcConfiguration": network},
            overrides={"containerOverrides": [{"name": "dask-worker", "command": [script], "environment": variables}]},
            tags=[{"key": key, "value": value} for key, value in tags.items()],
        )
        return str(answer["tasks"][0]["taskArn"].rpartition("/")[2])

    def tasks(self, started_by: str) -> list[dict[str, Any]]:
        """The tasks that ECS knows of what has started them, the first one first."""
        return [task for task in self.place.tasks() if task["startedBy"] == started_by]

    def attempt(self, number: int) -> dict[str, Any]:
        """The task of an attempt, as soon as there is one."""
        return wait_until(lambda: dict(enumerate(self.tasks("the-run"), 1)).get(number))

    def await_stopped(self, started_by: str) -> None:
        """Wait until all tasks that this has started have stopped."""
        stopped = {"STOPPED"}
        wait_until(lambda: {task["lastStatus"] for task in self.tasks(started_by)} == stopped or None)

    def states(self) -> dict[str, str]:
        """How all tasks are to be, by id."""
        return {task["taskArn"].rpartition("/")[2]: task["desiredStatus"] for task in self.place.tasks()}

    def secret(self, name: str, **tags: str) -> str:
        """Make a secret, tagged with the environment if not said otherwise; the result is its name."""
        given = {RUN_ID: "the-run", ATTEMPT: "1", ENVIRONMENT: self.place.name, **tags}
        self.place.aws.client("secretsmanager").create_secret(
            Name=name, SecretString="{}", Tags=[{"Key": key, "Value": value} for key, value in given.items()]
        )
        return name

    def secrets(self) -> list[str]:
        """Names of those that there are under `penstock/`, and this place's."""
        found = self.place.aws.client("secretsmanager").list_secrets()["SecretList"]
        return sorted(item["Name"] for item in found if self.place.name in item["Name"])


@pytest.fixture
def workers(flows: Place) -> Iterator[WithWorkers]:
    """A place whose runs have workers; no secret of it stays."""
    worker = flows.definition(
        f"{flows.name}-worker", name="dask-worker", image=IMAGE, entryPoint=["sh", "-c"], stopTimeout=2
    )
    given = {item.name: getattr(flows.section, item.name) for item in fields(FargateTask)}
    section = DaskCloudProvider(
        **given,
        vpc_id="vpc-1",
        worker_task_definition_arn=worker,
        execution_role_arn=flows.ground.role("execution"),
        worker_task_role_arn=flows.ground.role("task"),
        worker_resources=Resources(cpu_millicores=250, memory_mib=512),
        min_workers=2,
        max_workers=2,
        secrets_prefix=f"penstock/{flows.name}/",
    )
    environment = replace(
        flows.environment,
        kind=Kind.DASK_CLOUD_PROVIDER,
        executor=Executor(type=ExecutorType.DASK),
        fargate_task=None,
        dask_cloud_provider=section,
    )
    made = WithWorkers(place=flows, environment=environment)
    yield made
    client = flows.aws.client("secretsmanager")
    for name in made.secrets():
        client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
