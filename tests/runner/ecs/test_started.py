"""The tasks that a run's own task has started, on the test AWS: found by it, and stopped."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from runner.aws.access import load
from runner.aws.client import Client
from runner.aws.errors import AccessDenied
from runner.ecs.started import LEFT, started, stop_started
from tests.testbed.aws.faults import Kind
from tests.testbed.aws.handle import Aws
from tests.testbed.ecs_environment import Place, place

pytestmark = [pytest.mark.aws, pytest.mark.timeout(90)]
OWN, OTHER = "1" * 32, "2" * 32


@pytest.fixture
def flows(aws: Aws) -> Iterator[Place]:
    with place(aws) as made:
        yield made


@pytest.fixture
def ecs(flows: Place) -> Iterator[Client]:
    client = Client(load(region=flows.aws.region), "ecs", budget_seconds=10)
    yield client
    client.close()


def start(flows: Place, started_by: str, count: int) -> set[str]:
    """Tasks that somebody has started, which stay; the result is their ARNs."""
    definition = flows.definition(entryPoint=["sh", "-c", "trap 'exit 143' TERM; sleep 600 & wait"], stopTimeout=2)
    network = {"subnets": list(flows.section.subnets), "securityGroups": list(flows.section.security_groups)}
    answers = [
        flows.aws.client("ecs").run_task(
            cluster=flows.section.cluster_arn,
            taskDefinition=definition,
            launchType="FARGATE",
            startedBy=started_by,
            count=min(10, count - first),
            networkConfiguration={"awsvpcConfiguration": network},
        )
        for first in range(0, count, 10)
    ]
    return {task["taskArn"] for answer in answers for task in answer["tasks"]}


def wanted(flows: Place) -> dict[str, Any]:
    """What each task is to be."""
    return {task["taskArn"]: task["desiredStatus"] for task in flows.tasks()}


def test_tasks_are_found_by_who_has_started_them(flows: Place, ecs: Client) -> None:
    own, other = start(flows, OWN, 3), start(flows, OTHER, 2)
    cluster = flows.section.cluster_arn

    assert set(started(ecs, cluster, OWN)) == own
    assert set(started(ecs, cluster, OTHER)) == other
    assert list(started(ecs, cluster, "3" * 32)) == []
    assert list(started(ecs, cluster, OWN, status="STOPPED")) == []


def test_only_ones_own_are_stopped_and_those_are_listed(flows: Place, ecs: Client) -> None:
    own, other = start(flows, OWN, 3), start(flows, OTHER, 2)
    cluster = flows.section.cluster_arn

    assert set(stop_started(ecs, cluster, OWN)) == own
    assert wanted(flows) == {**dict.fromkeys(own, "STOPPED"), **dict.fromkeys(other, "RUNNING")}
    assert {task["stoppedReason"] for task in flows.tasks() if task["taskArn"] in own} == {LEFT}
    assert set(started(ecs, cluster, OWN, status="STOPPED")) == own
    assert stop_started(ecs, cluster, OWN) == []


def test_more_than_a_page_is_found(flows: Place, ecs: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    own = start(flows, OWN, 12)
    call = ecs.call
    # Pages of five stand for those of a hundred.
    monkeypatch.setattr(ecs, "call", lambda operation, **body: call(operation, maxResults=5, **body))

    assert set(started(ecs, flows.section.cluster_arn, OWN)) == own


@pytest.mark.parametrize("kind", [Kind.THROTTLE, Kind.UNAVAILABLE, Kind.DROP])
def test_calls_that_fail_are_made_again(flows: Place, ecs: Client, kind: Kind) -> None:
    own = start(flows, OWN, 2)
    for action in ("ListTasks", "StopTask"):
        flows.aws.inject(kind, action=action, times=2)

    assert set(stop_started(ecs, flows.section.cluster_arn, OWN)) == own
    assert set(wanted(flows).values()) == {"STOPPED"}


def test_tasks_that_are_gone_meanwhile_are_as_good_as_stopped(
    flows: Place, ecs: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = start(flows, OWN, 1)
    call = ecs.call
    gone = f"{flows.section.cluster_arn.replace(':cluster/', ':task/')}/{'f' * 32}"

    def with_one_more(operation: str, **body: Any) -> Any:
        answer = call(operation, **body)
        return {"taskArns": [gone, *answer["taskArns"]]} if operation == "ListTasks" else answer

    monkeypatch.setattr(ecs, "call", with_one_more)

    assert set(stop_started(ecs, flows.section.cluster_arn, OWN)) == {gone, *own}
    assert set(wanted(flows).values()) == {"STOPPED"}


@pytest.mark.parametrize("action", ["ListTasks", "StopTask"])
def test_a_right_that_is_missing_is_named(flows: Place, monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    start(flows, OWN, 1)
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": f"ecs:{action}", "Resource": "*"},
    ]
    name = f"some-{os.urandom(4).hex()}"
    for variable, value in flows.aws.user(name, {"Version": "2012-10-17", "Statement": statements}).items():
        monkeypatch.setenv(variable, value)
    client = Client(load(region=flows.aws.region), "ecs", budget_seconds=5)

    with pytest.raises(AccessDenied, match=f"AWS does not allow ecs:{action} "):
        stop_started(client, flows.section.cluster_arn, OWN)

    client.close()
    assert set(wanted(flows).values()) == {"RUNNING"}
