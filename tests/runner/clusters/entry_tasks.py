"""Tasks on the test AWS with the entry point of Dask's workers and schedulers, started as a run starts them."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runner import contract
from runner.aws.access import load
from runner.aws.client import Client
from runner.clusters import run_keys, tls
from runner.clusters.asked_api import address_of
from runner.clusters.entry import INPUT_VARIABLE
from runner.clusters.versions import own_versions
from runner.environment import Log
from runner.sections import SCHEDULER_TASK_CONTAINER, WORKER_TASK_CONTAINER
from tests.testbed.dask_on_ecs import DaskPlace
from tests.testbed.waiting import wait_until

SECONDS = 40.0


def told(place: DaskPlace, *, keys: str | None = None, **changes: Any) -> dict[str, Any]:
    """What the entry point is told.

    Args:
        place: where the task is.
        keys: name of the secret with the run's keys; null for none.
        changes: what is other.
    """
    return {
        "run_id": "the-run",
        "attempt": 1,
        "keys": keys,
        "region": place.section.region,
        "versions": own_versions(),
        "log": contract.encode(Log()),
        "memory_mib": 512,
        "port": 8786,
        "dashboard": False,
        "work_stealing": False,
        "numbered": False,
        **changes,
    }


def stored(place: DaskPlace) -> tuple[str, str]:
    """The name of a secret with new keys, and these."""
    name, keys = f"{place.section.secrets_prefix}{os.urandom(16).hex()}", tls.make()
    client = Client(load(region=place.section.region), "secretsmanager")
    run_keys.store(client, name, keys, {})
    client.close()
    return name, keys


@dataclass(frozen=True, kw_only=True)
class EntryTask:
    """A task that has been started."""

    place: DaskPlace
    arn: str
    container: str

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    def state(self) -> dict[str, Any]:
        """How ECS says that it stands."""
        ecs = self.place.aws.client("ecs")
        (task,) = ecs.describe_tasks(cluster=self.place.section.cluster_arn, tasks=[self.arn])["tasks"]
        return dict(task)

    def await_up(self) -> str:
        """Its address, as soon as it is up."""
        return address_of(wait_until(lambda: task if (task := self.state())["lastStatus"] == "RUNNING" else None))

    def await_end(self) -> tuple[int, list[str]]:
        """Its exit code, and what it has printed."""
        task = wait_until(lambda: task if (task := self.state())["lastStatus"] == "STOPPED" else None, seconds=SECONDS)
        return int(task["containers"][0]["exitCode"]), self.lines()

    def lines(self) -> list[str]:
        """What it has printed so far."""
        section, logs = self.place.section, self.place.aws.client("logs")
        stream = f"{section.log_stream_prefix}/{self.container}/{self.id}"
        page = logs.get_log_events(logGroupName=section.log_group, logStreamName=stream, startFromHead=True)
        return [str(event["message"]) for event in page["events"]]

    def stop(self) -> None:
        self.place.aws.client("ecs").stop_task(cluster=self.place.section.cluster_arn, task=self.arn)


def start(
    place: DaskPlace, command: Sequence[str], given: dict[str, Any] | None, *, scheduler: bool = False
) -> EntryTask:
    """Start one.

    Args:
        place: where.
        command: what it is to become.
        given: what it is told; null for nothing.
        scheduler: whether it is a scheduler's.
    """
    section = place.section
    definition = section.scheduler_task_definition_arn if scheduler else section.worker_task_definition_arn
    container = SCHEDULER_TASK_CONTAINER if scheduler else WORKER_TASK_CONTAINER
    variables = [] if given is None else [{"name": INPUT_VARIABLE, "value": json.dumps(given)}]
    override = {"name": container, "command": list(command), "environment": variables}
    network = {"subnets": list(section.subnets), "securityGroups": list(section.security_groups)}
    (task,) = place.aws.client("ecs").run_task(
        cluster=section.cluster_arn,
        taskDefinition=definition,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": network},
        overrides={"containerOverrides": [override]},
    )["tasks"]
    return EntryTask(place=place, arn=task["taskArn"], container=container)
