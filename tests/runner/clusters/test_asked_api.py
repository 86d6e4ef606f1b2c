"""What classes of dask-cloudprovider have in place of AWS: orders that are carried out, and nothing else."""

import asyncio
import gc
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import pytest
from dask_cloudprovider.aws import FargateCluster, ecs

from runner.clusters.asked_api import AskedApi, SchedulerUnavailableError, address_of
from runner.clusters.ecs_cluster import Plan, mended
from runner.clusters.ended import End, Ended
from runner.clusters.provider import keywords
from runner.clusters.worker_tasks import SCHEDULER, WorkerTasks
from runner.errors import UnavailableError
from runner.outcome import Failure, FailureClass
from runner.trouble import Trouble
from tests.runner.clusters.started_tasks import STARTED_BY, STAYS, Started, started
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import DaskPlace, dask_place
from tests.testbed.waiting import wait_until

COMMAND = ["dask-worker", "tls://10.0.0.4:8786", "--name", "3", "--nthreads", "1"]
DETAILS = [{"name": "subnetId", "value": "s"}, {"name": "privateIPv4Address", "value": "10.0.0.9"}]
UP = {"attachments": [{"details": DETAILS}]}
FULL = Trouble(
    failure=Failure(
        failure_class=FailureClass.QUOTA, message="No room for it.", next_step="Wait.", evidence="RESOURCE"
    ),
    fatal=False,
)
GONE = Ended(end=End.LOST, failure_class=FailureClass.CRASH, why="ended with exit code 3 (odd)", last_words="bye")
IMAGE = Ended(
    end=End.LOST, failure_class=FailureClass.IMAGE, why="could not be started", evidence="not found", next_step="Fix."
)


class Tasks:
    """Takes what is ordered."""

    def __init__(self, scheduler: Mapping[str, Any] | Ended | None = None, trouble: Trouble | None = None) -> None:
        self.asked: dict[int, dict[str, Any]] = {}
        self.removed: list[int] = []
        self.seconds: float | None = None
        self._scheduler, self._trouble = scheduler, trouble

    def request(self, number: int, parameters: Mapping[str, Any]) -> None:
        self.asked[number] = dict(parameters)

    def remove(self, number: int) -> None:
        self.removed.append(number)

    def await_up(self, number: int, seconds: float | None) -> Mapping[str, Any] | Ended | None:
        assert number == SCHEDULER
        self.seconds = seconds
        return self._scheduler

    def waiting(self) -> Trouble | None:
        return self._trouble


def api(tasks: Tasks, *, numbered: bool = True) -> AskedApi:
    return AskedApi(cast("WorkerTasks", tasks), started_by=STARTED_BY, numbered=numbered, start_seconds=60)


def order(asked: AskedApi, name: str = "dask-worker", command: list[str] = COMMAND) -> dict[str, Any]:
    overrides = {"containerOverrides": [{"name": name, "command": command, "environment": []}]}
    answer = asyncio.run(asked.run_task(cluster="c", taskDefinition="d", overrides=overrides, count=1))
    (task,) = answer["tasks"]
    return dict(task)


@pytest.mark.parametrize("numbered", [True, False])
def test_a_worker_is_ordered_and_is_up_as_far_as_the_class_needs_to_know(numbered: bool) -> None:
    tasks = Tasks()
    asked = api(tasks, numbered=numbered)
    task = order(asked)

    command = [*COMMAND[:2], *COMMAND[4:]] if numbered else COMMAND
    override = {"name": "dask-worker", "command": command, "environment": []}
    assert tasks.asked == {
        3: {
            "cluster": "c",
            "taskDefinition": "d",
            "overrides": {"containerOverrides": [override]},
            "count": 1,
            "startedBy": STARTED_BY,
            "propagateTags": "TASK_DEFINITION",
        }
    }
    assert task["lastStatus"] == "RUNNING"
    assert asyncio.run(asked.describe_tasks(cluster="c", tasks=[task["taskArn"]])) == {"tasks": [task]}
    asyncio.run(asked.stop_task(cluster="c", task=task["taskArn"]))
    (stopped,) = asyncio.run(asked.describe_tasks(tasks=[task["taskArn"]]))["tasks"]
    assert (stopped["lastStatus"], tasks.removed) == ("STOPPED", [3])


def test_a_scheduler_is_waited_for_and_has_the_address_of_its_task() -> None:
    tasks = Tasks(UP)
    asked = api(tasks)
    task = order(asked, "dask-scheduler", ["dask-scheduler", "--port", "8786"])
    (detail,) = task["attachments"][0]["details"]
    found = asyncio.run(asked.describe_network_interfaces(NetworkInterfaceIds=[detail["value"]]))

    assert found["NetworkInterfaces"][0]["PrivateIpAddresses"] == [{"PrivateIpAddress": "10.0.0.9"}]
    assert (list(tasks.asked), tasks.seconds, asked.failure) == ([SCHEDULER], 60, None)


@pytest.mark.parametrize(
    ("found", "trouble", "failure_class", "evidence", "message"),
    [
        (None, None, "never-started", None, "has not started within 60 s. Give it more with timeouts.start_seconds"),
        (None, FULL, "quota", "RESOURCE", "could not be started: No room for it. Wait."),
        (GONE, None, "crash", "bye", "ended with exit code 3 (odd). See what it printed in the environment's log"),
        (IMAGE, None, "image", "not found", "could not be started. Fix."),
    ],
)
def test_why_a_scheduler_does_not_come_up(
    found: Ended | None, trouble: Trouble | None, failure_class: str, evidence: str | None, message: str
) -> None:
    asked = api(Tasks(found, trouble))

    assert order(asked, "dask-scheduler", ["dask-scheduler"])["lastStatus"] == "STOPPED"
    assert isinstance(asked.failure, SchedulerUnavailableError)
    assert (asked.failure.failure_class, asked.failure.evidence) == (failure_class, evidence)
    assert str(asked.failure).startswith(f"The task of the run's scheduler {message}")


def test_a_task_without_an_address_has_none() -> None:
    assert address_of({}) == ""
    assert address_of(UP) == "10.0.0.9"


@pytest.mark.parametrize("name", ["create_cluster", "describe_vpcs", "register_task_definition", "get_paginator"])
def test_whatever_else_is_asked_of_aws_is_a_sentence(name: str) -> None:
    with pytest.raises(
        UnavailableError, match=f"provider_class asks AWS for {name}, and a run creates and looks up not"
    ):
        getattr(api(Tasks()), name)


class OwnWorker(ecs.Worker):  # type: ignore[misc]
    """A worker with a command of its user's own."""

    def __init__(self, scheduler: str, **options: Any) -> None:
        super().__init__(scheduler, **options)
        self._overrides["command"] = ["mine", self.scheduler, "--name", str(self.name)]


class OwnCluster(FargateCluster):  # type: ignore[misc]
    """Starts such workers."""

    def new_worker_spec(self) -> Any:
        self.new_spec["cls"] = OwnWorker
        return super().new_worker_spec()


class Curious(FargateCluster):  # type: ignore[misc]
    """Looks something up."""

    async def _start(self) -> None:
        async with self._client("ec2") as ec2:
            await ec2.describe_vpcs()


@pytest.fixture
def workers(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    with dask_place(aws, 2, tls=False) as place, started(place, monkeypatch) as workers:
        yield workers


@contextmanager
def opened(workers: Started, provider: type, *, numbered: bool = True) -> Iterator[Any]:
    """A cluster of a class, whose workers never connect: their containers run a shell."""
    place: DaskPlace = workers.place
    definition = place.worker_definition(entryPoint=["sh", "-c", STAYS], stopTimeout=2)
    environment = place.changed(worker_task_definition_arn=definition)
    assert environment.dask_cloud_provider is not None
    plan = Plan(
        tasks=workers.tasks,
        api=AskedApi(workers.tasks, started_by=STARTED_BY, numbered=numbered, start_seconds=30),
        tags={"penstock.dev/run-id": "the-run"},
        own_scheduler={"host": "127.0.0.1", "port": 0, "dashboard_address": "127.0.0.1:0"},
        cluster_name=place.name,
    )
    given = keywords(environment, environment.dask_cloud_provider, workers=2)
    place.aws.calls(clear=True)
    cluster = mended(provider)(plan=plan, minimum=2, maximum=2, environment={"TOLD": "it"}, **given)
    try:
        yield cluster
    finally:
        cluster.close()
        forget_connections()


def forget_connections() -> None:
    """Collect what distributed leaves to Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def commands(workers: Started) -> list[list[str]]:
    found = wait_until(lambda: tasks if len(tasks := workers.place.workers()) == 2 else None)
    return sorted(task["overrides"]["containerOverrides"][0]["command"] for task in found)


@pytest.mark.long
@pytest.mark.aws
@pytest.mark.dask
@pytest.mark.parametrize("numbered", [True, False])
def test_fargatecluster_asks_for_nothing_but_its_workers(workers: Started, numbered: bool) -> None:
    with opened(workers, FargateCluster, numbered=numbered) as cluster:
        calls = wait_until(lambda: all(workers.tasks.await_up(number, 20) for number in (0, 1)) or None)
        actions = [call["action"] for call in workers.place.aws.calls()]
        found = commands(workers)
        scheduler, tasks = cluster.scheduler_address, workers.place.workers()
    assert calls
    assert (actions.count("RunTask"), set(actions)) == (1 if numbered else 2, {"RunTask", "DescribeTasks"})
    rest = ["--nthreads", "1", "--memory-limit", "1GB", "--death-timeout", "60"]
    names: list[list[str]] = [[], []] if numbered else [["--name", "0"], ["--name", "1"]]
    assert found == [["dask-worker", scheduler, *name, *rest] for name in names]
    for task in tasks:
        assert task["tags"] == [{"key": "penstock.dev/run-id", "value": "the-run"}]
        assert task["overrides"]["containerOverrides"][0]["environment"] == [{"name": "TOLD", "value": "it"}]
        assert (task["startedBy"], task["launchType"]) == (STARTED_BY, "FARGATE")
    workers.await_status("STOPPED", "STOPPED")


@pytest.mark.aws
@pytest.mark.dask
def test_a_class_of_the_users_says_what_a_worker_runs(workers: Started) -> None:
    with opened(workers, OwnCluster) as cluster:
        assert commands(workers) == [["mine", cluster.scheduler_address]] * 2


@pytest.mark.aws
@pytest.mark.dask
def test_a_class_that_looks_something_up_is_told(workers: Started) -> None:
    with pytest.raises(UnavailableError, match="provider_class asks AWS for describe_vpcs"), opened(workers, Curious):
        pass
    forget_connections()

    assert workers.place.aws.calls() == []
