"""Tasks of workers on the test AWS, whose container runs a shell, and what is told of them."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from runner.aws.access import load
from runner.aws.client import Client
from runner.clusters.ended import Ended
from runner.clusters.worker_tasks import WorkerTasks
from tests.testbed.aws.permissions import Policy
from tests.testbed.dask_on_ecs import DaskPlace
from tests.testbed.waiting import wait_until

STAYS = "trap 'exit 143' TERM; sleep 600 & wait"
"""What a container runs that is up until it is asked to end."""
STARTED_BY = "0" * 32
SECONDS = 20.0
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class Ends:
    """The ends of workers that were told, which can be waited for."""

    def __init__(self) -> None:
        self.told: list[tuple[int, Ended]] = []
        self._changed = threading.Condition()

    def __call__(self, number: int, ended: Ended) -> None:
        with self._changed:
            self.told.append((number, ended))
            self._changed.notify_all()

    def wait_for(self, count: int) -> list[tuple[int, Ended]]:
        """The first ends, as soon as there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.told) >= count, SECONDS), self.told
            return self.told[:count]


@dataclass(frozen=True, kw_only=True)
class Started:
    """The tasks of a run's workers, in a place of their own."""

    place: DaskPlace
    tasks: WorkerTasks
    user: str
    """Whose calls are counted."""
    definition: str
    ends: Ends = field(default_factory=Ends)

    def parameters(self, script: str = STAYS, **changes: Any) -> dict[str, Any]:
        """Of RunTask, as a class of dask-cloudprovider has them."""
        section = self.place.section
        network = {
            "subnets": list(section.subnets),
            "securityGroups": list(section.security_groups),
            "assignPublicIp": "DISABLED",
        }
        return {
            "cluster": section.cluster_arn,
            "taskDefinition": self.definition,
            "overrides": {"containerOverrides": [{"name": "dask-worker", "command": [script]}]},
            "networkConfiguration": {"awsvpcConfiguration": network},
            "launchType": "FARGATE",
            "startedBy": STARTED_BY,
            "tags": [{"key": "penstock.dev/run-id", "value": "the-run"}],
            **changes,
        }

    def request(self, *numbers: int, script: str = STAYS) -> None:
        for number in numbers:
            self.tasks.request(number, self.parameters(script))

    def calls(self, action: str) -> int:
        """How often the keeper of the tasks has asked for something."""
        return sum(call["action"] == action and self.user in call["principal"] for call in self.place.aws.calls())

    def await_task(self, number: int) -> Mapping[str, Any]:
        """The task of a worker, when it is up."""
        task = self.tasks.await_up(number, SECONDS)
        assert task is not None, self.tasks.waiting()
        assert not isinstance(task, Ended), task
        return task

    def await_status(self, *statuses: str) -> list[dict[str, Any]]:
        """All tasks, when they stand like that, in any order."""

        def look() -> list[dict[str, Any]] | None:
            found = self.place.workers()
            return found if sorted(task["lastStatus"] for task in found) == sorted(statuses) else None

        return wait_until(look, seconds=SECONDS)


@contextmanager
def started(
    place: DaskPlace,
    monkeypatch: pytest.MonkeyPatch,
    *,
    policy: Policy = EVERYTHING,
    start_seconds: float | None = None,
    budget_seconds: float = 10.0,
    words: Callable[[str], str] = lambda _: "",
) -> Iterator[Started]:
    """Tasks that are closed on leaving; none of them is up then, and `on_end` is connected from the beginning."""
    user = f"keeper-{place.name}"
    with monkeypatch.context() as variables:
        for name, value in place.aws.user(user, policy).items():
            variables.setenv(name, value)
        client = Client(load(region=place.aws.region), "ecs", budget_seconds=budget_seconds)
        definition = place.worker_definition(entryPoint=["sh", "-c"], stopTimeout=2)
        tasks = WorkerTasks(client, place.section.cluster_arn, words=words, start_seconds=start_seconds)
        made = Started(place=place, tasks=tasks, user=user, definition=definition)
        tasks.on_end(made.ends)
        try:
            yield made
        finally:
            tasks.close()
            client.close()


def nothing_is_up(place: DaskPlace) -> None:
    """Every task has stopped, or is about to."""
    left = [task for task in place.workers() if task["desiredStatus"] != "STOPPED"]
    assert left == []
