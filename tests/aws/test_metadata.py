"""What a process asks ECS' agent about its container and its task."""

import json
from typing import Any

import pytest

from tests.aws.conftest import Bed
from tests.testbed.waiting import wait_until

pytestmark = pytest.mark.aws

ASKS = """
import json, os, time, urllib.request
place = os.environ["ECS_CONTAINER_METADATA_URI_V4"]
print(json.dumps([json.load(urllib.request.urlopen(place + path)) for path in ("", "/task")]))
time.sleep(60)
"""
WAITS = "import time; time.sleep(60)"


def asked(bed: Bed) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A task, and what a container of it was told about itself and the task."""
    definition = bed.register(bed.container(WAITS), bed.container(ASKS, name="cleanup", essential=False))
    (started,) = bed.ask(definition)["tasks"]
    (line,) = wait_until(lambda: bed.lines(started["taskArn"], "cleanup") or None)
    own, task = json.loads(line)
    return started["taskArn"], own, task


def test_a_container_is_told_what_it_is_and_where(bed: Bed) -> None:
    arn, own, _ = asked(bed)

    known = {item["name"]: item for item in bed.task(arn)["containers"]}["cleanup"]
    assert (own["Name"], own["DockerId"], own["ContainerARN"]) == ("cleanup", known["runtimeId"], known["containerArn"])
    assert (own["Image"], own["Type"], own["DesiredStatus"]) == ("penstock.local/runner:test", "NORMAL", "RUNNING")
    assert own["Labels"]["com.amazonaws.ecs.task-arn"] == arn
    assert own["Labels"]["com.amazonaws.ecs.cluster"] == bed.cluster
    assert own["LogOptions"] == {
        "awslogs-group": bed.log_group,
        "awslogs-region": bed.aws.region,
        "awslogs-stream": f"bed/cleanup/{arn.rpartition('/')[2]}",
    }
    (network,) = own["Networks"]
    assert (network["NetworkMode"], network["IPv4SubnetCIDRBlock"]) == ("awsvpc", "127.60.1.0/24")
    assert network["SubnetGatewayIpv4Address"] == "127.60.1.1/24"


def test_a_task_is_told_with_all_its_containers(bed: Bed) -> None:
    arn, own, task = asked(bed)

    details = {item["name"]: item["value"] for item in bed.task(arn)["attachments"][0]["details"]}
    assert (task["TaskARN"], task["Cluster"], task["Family"], task["Revision"]) == (arn, bed.cluster, bed.name, "1")
    assert (task["LaunchType"], task["Limits"]) == ("FARGATE", {"CPU": 0.25, "Memory": 512})
    assert task["AvailabilityZone"].startswith(bed.aws.region)
    assert [item["Name"] for item in task["Containers"]] == ["flow", "cleanup"]
    assert [item["Networks"][0]["IPv4Addresses"] for item in task["Containers"]] == [
        [details["privateIPv4Address"]]
    ] * 2
    assert own["Networks"] == task["Containers"][1]["Networks"]
    assert task["PullStartedAt"] <= task["PullStoppedAt"]
