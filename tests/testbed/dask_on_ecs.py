"""Environments with Dask workers as tasks of ECS, on the test AWS: with the roles and containers of the component."""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from components import dask_task_containers, dask_task_policies, ecs_policies, ecs_roles, iam
from components.aws_place import Names, secrets_prefix, with_workers
from runner.environment import Environment, Executor, ExecutorType, Timeouts
from runner.sections import (
    SCHEDULER_TASK_CONTAINER,
    WORKER_TASK_CONTAINER,
    DaskCloudProvider,
    Kind,
    LaunchType,
    Resources,
)
from tests.testbed.aws.handle import Aws
from tests.testbed.aws.permissions import Policy
from tests.testbed.ecs_environment import Place, section_on
from tests.testbed.ecs_ground import Ground, ground, names_on
from tests.testbed.waiting import wait_until

IMAGE = "penstock.local/runner-dask:test"
SIZE = Resources(cpu_millicores=250, memory_mib=1024)


@dataclass(frozen=True, kw_only=True)
class DaskPlace(Place):
    """An environment whose runs start workers."""

    names: Names

    @property
    def section(self) -> DaskCloudProvider:
        assert self.environment.dask_cloud_provider is not None
        return self.environment.dask_cloud_provider

    def definition(self, family: str = "", **flow: Any) -> str:
        """Register a task definition of runs; the result is its ARN.

        Args:
            family: its family.
            flow: what is other in the flow's container.
        """
        made = dask_task_containers.run(secrets_prefix=self.section.secrets_prefix, **_container(self))
        containers = [{**item, **(flow if item["name"] == "flow" else {})} for item in json.loads(made)]
        return self.register(family or self.name, containers, resources=self.environment.resources)

    def worker_definition(self, name: str = WORKER_TASK_CONTAINER, **container: Any) -> str:
        """Register a task definition of workers, or of a scheduler; the result is its ARN.

        Args:
            name: of its container.
            container: what is other in it.
        """
        family = self.names.scheduler_family if name == SCHEDULER_TASK_CONTAINER else self.names.worker_family
        made = json.loads(dask_task_containers.task_of(name, resources={}, **_container(self)))
        containers = [{**item, **container} for item in made]
        return self.register(str(family), containers, role="worker", resources=self.section.worker_resources)

    def workers(self) -> list[dict[str, Any]]:
        """The tasks of workers, and of a scheduler, that ECS knows, the first one first."""
        return [task for task in self.tasks() if not task["group"].endswith(f":{self.name}")]

    def secrets(self) -> list[dict[str, Any]]:
        """The secrets with keys of runs, those that are marked for deletion included."""
        return _secrets(self.aws, secrets_prefix(self.name))

    def submitter(self) -> list[Policy]:
        """What those who start runs may do."""
        more = dask_task_policies.submitter(self.names, tls=self.section.tls)
        return [json.loads(iam.policy([*ecs_policies.submitter(self.names), *more]))]


@contextlib.contextmanager
def dask_place(
    aws: Aws, workers: int | tuple[int, int] = 2, *, tls: bool = True, scheduler_task: bool = False, **changes: Any
) -> Iterator[DaskPlace]:
    """An environment whose runs start workers, gone on leaving, with whatever runs there.

    Args:
        aws: the test AWS.
        workers: how many there are, or the fewest and the most.
        tls: whether connections are encrypted.
        scheduler_task: whether the scheduler is in a task of its own.
        changes: other parts of the document, or of its section.
    """
    own = names_on(aws, "dask")
    worker_role = own.place.iam(f"role/{own.environment}-worker")
    names = with_workers(own, scheduler_task=scheduler_task, worker_task_role_arn=worker_role)
    allowed = {
        "task": [*ecs_roles.task(names), *dask_task_policies.run(names, tls=tls)],
        "worker": dask_task_policies.worker(names, tls=tls),
        "execution": ecs_roles.execution(names),
    }
    roles = {part: iam.policy(statements) if statements else None for part, statements in allowed.items()}
    with _no_secrets(aws, secrets_prefix(names.environment)), ground(aws, names, roles) as there:
        made = DaskPlace(ground=there, names=names, environment=_environment(there, names, workers, tls, changes))
        arns = {"worker_task_definition_arn": made.worker_definition()}
        if scheduler_task:
            arns["scheduler_task_definition_arn"] = made.worker_definition(SCHEDULER_TASK_CONTAINER)
        yield replace(made, environment=made.changed(task_definition_arn=made.definition(), **arns))


def await_nothing_left(place: DaskPlace, seconds: float) -> None:
    """Wait until no task of the cluster is up, and no secret of the environment is left.

    Raises:
        TimeoutError: something was left for that long.
    """
    until = time.monotonic() + seconds
    place.aws.await_stopped(place.section.cluster_arn, seconds=seconds)

    def left() -> list[str]:
        tasks = [
            f"{item['taskArn']}: {item['lastStatus']}" for item in place.tasks() if item["lastStatus"] != "STOPPED"
        ]
        return [*tasks, *(str(item["ARN"]) for item in place.secrets())]

    try:
        wait_until(lambda: True if not left() else None, seconds=until - time.monotonic())
    except TimeoutError:
        raise TimeoutError(f"There were still {left()} after {seconds:g} s") from None


def _environment(
    there: Ground, names: Names, workers: int | tuple[int, int], tls: bool, changes: Mapping[str, Any]
) -> Environment:
    """The document, whose task definitions are to be filled in."""
    fewest, most = workers if isinstance(workers, tuple) else (workers, workers)
    section: dict[str, Any] = {
        **section_on(there),
        "launch_type": LaunchType.FARGATE,
        "vpc_id": there.vpc,
        "worker_task_definition_arn": names.cluster_arn,
        "execution_role_arn": names.execution_role_arn,
        "worker_task_role_arn": names.worker_task_role_arn,
        "worker_resources": SIZE,
        "min_workers": fewest,
        "max_workers": most,
        "tls": tls,
        "secrets_prefix": secrets_prefix(names.environment) if tls else None,
    }
    parts: dict[str, Any] = {
        "kind": Kind.DASK_CLOUD_PROVIDER,
        "name": names.environment,
        "image": IMAGE,
        "resources": SIZE,
        "timeouts": Timeouts(queue_seconds=20, start_seconds=30, grace_seconds=5),
        "executor": Executor(type=ExecutorType.DASK, performance_report=False),
    }
    for name, value in changes.items():
        (section if name in DaskCloudProvider.__dataclass_fields__ else parts)[name] = value
    return Environment(**parts, dask_cloud_provider=DaskCloudProvider(**section))


def _container(place: DaskPlace) -> dict[str, Any]:
    """What the containers of runs and workers are made from."""
    environment = place.environment
    return {
        "log_group": place.section.log_group,
        "region": place.section.region,
        "image": environment.image,
        "env": environment.env,
        "timeouts": {"grace_seconds": environment.timeouts.grace_seconds},
    }


@contextlib.contextmanager
def _no_secrets(aws: Aws, prefix: str) -> Iterator[None]:
    """Have no secrets below a prefix on leaving."""
    try:
        yield
    finally:
        for secret in _secrets(aws, prefix):
            aws.client("secretsmanager").delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)


def _secrets(aws: Aws, prefix: str) -> list[dict[str, Any]]:
    pages = aws.client("secretsmanager").get_paginator("list_secrets")
    filters = [{"Key": "name", "Values": [prefix]}]
    return [
        secret for page in pages.paginate(Filters=filters, IncludePlannedDeletion=True) for secret in page["SecretList"]
    ]
