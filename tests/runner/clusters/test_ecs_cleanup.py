"""The container beside a run on ECS that removes what the run itself could not, when the flow's has ended."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from runner.aws.access import load
from runner.aws.client import Client
from runner.clusters import run_keys
from runner.clusters.own_task import VARIABLE
from runner.ecs.started import LEFT
from tests.testbed.aws.faults import Kind
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import DaskPlace, dask_place
from tests.testbed.waiting import wait_until

pytestmark = [pytest.mark.aws, pytest.mark.timeout(90), pytest.mark.long]
STAYS = ["sh", "-c", "trap 'exit 143' TERM; sleep 600 & wait"]


@dataclass(frozen=True, kw_only=True)
class RunTask:
    """A run's task whose flow stays until it is killed."""

    place: DaskPlace
    arn: str
    definition: str
    """Of tasks that stand for workers."""

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    def worker(self, started_by: str | None = None) -> str:
        """A task that the run has started; the result is its ARN."""
        return _run(self.place, self.definition, started_by or self.id)

    def secret(self) -> str:
        """The run's secret; the result is its name."""
        name = f"{self.place.section.secrets_prefix}{self.id}"
        client = Client(load(region=self.place.section.region), "secretsmanager")
        run_keys.store(client, name, "keys", {})
        client.close()
        return name

    def processes(self) -> dict[str, int]:
        """Process ids of its containers, when both are up."""
        return wait_until(lambda: found if len(found := self.place.aws.processes(self.id)) == 2 else None)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Have the flow end."""
        os.kill(self.processes()["flow"], number)

    def end(self) -> tuple[int, list[str]]:
        """Exit code of the container, and what it has printed, when the task has ended."""
        wait_until(lambda: self._task()["lastStatus"] == "STOPPED" or None, seconds=40)
        task = self._task()
        (code,) = (item["exitCode"] for item in task["containers"] if item["name"] == "cleanup")
        section, logs = self.place.section, self.place.aws.client("logs")
        stream = f"{section.log_stream_prefix}/cleanup/{self.id}"
        page = logs.get_log_events(logGroupName=section.log_group, logStreamName=stream, startFromHead=True)
        return int(code), [str(event["message"]) for event in page["events"]]

    def _task(self) -> dict[str, Any]:
        return next(task for task in self.place.tasks() if task["taskArn"] == self.arn)

    def wanted(self) -> dict[str, str]:
        """What each other task is to be."""
        return {task["taskArn"]: task["desiredStatus"] for task in self.place.workers()}


def _run(place: DaskPlace, definition: str, started_by: str) -> str:
    network = {"subnets": list(place.section.subnets), "securityGroups": list(place.section.security_groups)}
    (task,) = place.aws.client("ecs").run_task(
        cluster=place.section.cluster_arn,
        taskDefinition=definition,
        launchType="FARGATE",
        startedBy=started_by,
        networkConfiguration={"awsvpcConfiguration": network},
    )["tasks"]
    return str(task["taskArn"])


def started(place: DaskPlace, script: list[str] = STAYS) -> RunTask:
    definition = place.worker_definition(entryPoint=STAYS, stopTimeout=2)
    arn = _run(place, place.definition(entryPoint=script), "the-client")
    return RunTask(place=place, arn=arn, definition=definition)


@pytest.fixture
def place(aws: Aws) -> Iterator[DaskPlace]:
    with dask_place(aws, 2) as place:
        yield place


@pytest.fixture
def run(place: DaskPlace) -> RunTask:
    return started(place)


def said(arn: str) -> str:
    return f"penstock: {arn} was left by the run, and is stopped now."


def test_what_a_killed_run_has_left_is_removed_and_nothing_else(run: RunTask) -> None:
    left, other = {run.worker(), run.worker()}, run.worker("somebody-else")
    run.secret()
    run.kill()
    code, lines = run.end()

    assert (code, sorted(lines)) == (0, sorted(said(arn) for arn in left))
    assert run.wanted() == {**dict.fromkeys(left, "STOPPED"), other: "RUNNING"}
    assert {task["stoppedReason"] for task in run.place.workers() if task["taskArn"] in left} == {LEFT}
    assert run.place.secrets() == []


def test_the_container_waits_for_as_long_as_the_flow_runs(run: RunTask) -> None:
    arn, name = run.worker(), run.secret()
    pid = run.processes()["cleanup"]
    with pytest.raises(TimeoutError):
        wait_until(lambda: run.wanted()[arn] == "STOPPED" or not run.place.secrets() or None, seconds=4)

    os.kill(pid, 0)
    assert [secret["Name"] for secret in run.place.secrets()] == [name]
    run.kill()
    run.end()


def test_where_nothing_is_left_nothing_is_said(run: RunTask) -> None:
    run.kill(signal.SIGTERM)

    assert run.end() == (0, [])


def test_a_flow_that_ends_at_once_does_not_keep_its_task_up(place: DaskPlace) -> None:
    assert started(place, ["sh", "-c", "exit 0"]).end() == (0, [])


def test_a_worker_that_comes_a_moment_later_is_stopped_too(run: RunTask) -> None:
    first = run.worker()
    run.kill()
    wait_until(lambda: run.wanted()[first] == "STOPPED" or None)
    second = run.worker()
    code, lines = run.end()

    assert (code, lines) == (0, [said(first), said(second)])
    assert set(run.wanted().values()) == {"STOPPED"}


@pytest.mark.parametrize("kind", [Kind.THROTTLE, Kind.UNAVAILABLE, Kind.DROP])
def test_calls_that_fail_are_made_again(run: RunTask, kind: Kind) -> None:
    run.worker()
    run.secret()
    for action in ("ListTasks", "StopTask", "DeleteSecret"):
        run.place.aws.inject(kind, action=action, times=2)
    run.kill()
    code, _ = run.end()

    assert code == 0
    assert set(run.wanted().values()) == {"STOPPED"}
    assert run.place.secrets() == []


def deny(place: DaskPlace, action: str) -> None:
    """Take a right from the run's role, for as long as the place is there."""
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    role = place.ground.role("task").rpartition("/")[2]
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    place.aws.client("iam").put_role_policy(RoleName=role, PolicyName="deny", PolicyDocument=document)


@pytest.mark.parametrize("action", ["ecs:ListTasks", "ecs:StopTask"])
def test_the_secret_is_deleted_where_tasks_may_not_be_stopped(run: RunTask, action: str) -> None:
    deny(run.place, action)
    run.worker()
    run.secret()
    run.kill()
    code, (line,) = run.end()

    assert code == 69
    assert line.startswith(f"penstock: AWS does not allow {action} (User: ")
    assert set(run.wanted().values()) == {"RUNNING"}
    assert run.place.secrets() == []


def test_tasks_are_stopped_where_the_secret_may_not_be_deleted(run: RunTask) -> None:
    deny(run.place, "secretsmanager:DeleteSecret")
    arn, name = run.worker(), run.secret()
    run.kill()
    code, lines = run.end()

    assert (code, lines[0]) == (69, said(arn))
    assert lines[1].startswith("penstock: AWS does not allow secretsmanager:DeleteSecret (User: ")
    assert run.wanted() == {arn: "STOPPED"}
    assert [secret["Name"] for secret in run.place.secrets()] == [name]


def test_without_tls_no_secret_is_asked_for(aws: Aws) -> None:
    with dask_place(aws, 2, tls=False) as place:
        run = started(place)
        arn = run.worker()
        aws.calls(clear=True)
        run.kill()

        assert run.end() == (0, [said(arn)])
        mine = {call["action"] for call in aws.calls() if f"{place.name}-task" in call["principal"]}
        assert mine == {"ListTasks", "StopTask"}


@pytest.mark.parametrize("asked", [True, False])
def test_outside_of_a_task_it_is_one_sentence(asked: bool) -> None:
    variables: dict[str, Any] = {key: value for key, value in os.environ.items() if key != VARIABLE}
    command = [sys.executable, "-P", "-m", "runner.clusters.ecs_cleanup"]
    # A signal that comes before the process is ready for it waits: it begins with our mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        process = subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    if asked:
        process.terminate()
    _, words = process.communicate(timeout=20)

    assert process.returncode == 69
    assert words.startswith(f"penstock: The variable {VARIABLE} is not set, which ECS sets in every task. ")
    assert len(words.splitlines()) == 1
