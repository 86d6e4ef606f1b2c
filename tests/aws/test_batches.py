"""Several tasks of one RunTask: each has an address and a fault of its own, and some may start while others do not."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.conftest import Bed, bed_on
from tests.testbed.aws.faults import Kind

pytestmark = pytest.mark.aws

SLEEPS = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); print('up'); time.sleep(60)"


@pytest.fixture
def definition(bed: Bed) -> str:
    return bed.register(bed.container(SLEEPS))


def address(task: dict[str, Any]) -> str:
    (attachment,) = task["attachments"]
    details = {item["name"]: item["value"] for item in attachment["details"]}
    assert (attachment["type"], attachment["status"]) == ("ElasticNetworkInterface", "ATTACHED")
    assert details["networkInterfaceId"].startswith("eni-")
    return str(details["privateIPv4Address"])


def test_a_call_starts_up_to_ten(bed: Bed, definition: str) -> None:
    answer = bed.ask(definition, count=10)

    assert len({task["taskArn"] for task in answer["tasks"]}) == 10
    assert answer["failures"] == []
    with pytest.raises(ClientError, match="between 1 and 10") as caught:
        bed.ask(definition, count=11)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
    assert len(bed.ecs.list_tasks(cluster=bed.cluster)["taskArns"]) == 10


def test_all_tasks_have_addresses_of_their_own_those_of_another_network_too(bed: Bed, definition: str) -> None:
    with bed_on(bed.aws) as other:
        second = other.register(other.container(SLEEPS))
        tasks = [*bed.ask(definition, count=4)["tasks"], *other.ask(second, count=4)["tasks"]]

        found = [address(task) for task in tasks]

    assert len(set(found)) == 8
    assert {each.rpartition(".")[0] for each in found} == {"127.60.1"}


LISTENS = """
import json, os, socket, urllib.request
told = json.load(urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"]))
(host,) = told["Networks"][0]["IPv4Addresses"]
listening = socket.create_server((host, 8788))
print("listens", flush=True)
listening.accept()
"""


def test_each_task_can_listen_on_the_same_port_of_its_own_address(bed: Bed) -> None:
    tasks = bed.ask(bed.register(bed.container(LISTENS)), count=2)["tasks"]

    for task in tasks:
        bed.until_line(task["taskArn"], "listens")
    for task in tasks:
        bed.stop([task["taskArn"]])


def test_some_of_a_batch_start_where_there_is_no_room_for_all(bed: Bed, definition: str) -> None:
    bed.aws.inject(Kind.CAPACITY, family=bed.name, times=2)

    first = bed.ask(definition, count=5, clientToken="a")
    again = bed.ask(definition, count=5, clientToken="a")
    later = bed.ask(definition, count=2)

    assert (len(first["tasks"]), len(first["failures"])) == (3, 2)
    assert {item["reason"].partition(".")[0] for item in first["failures"]} == {"Capacity is unavailable at this time"}
    assert [task["taskArn"] for task in again["tasks"]] == [task["taskArn"] for task in first["tasks"]]
    assert (len(later["tasks"]), later["failures"]) == (2, [])


def test_no_room_for_a_whole_batch_starts_nothing(bed: Bed, definition: str) -> None:
    bed.aws.inject(Kind.RESOURCE, family=bed.name, times=3)

    answer = bed.ask(definition, count=3)

    assert (answer["tasks"], len(answer["failures"])) == ([], 3)


def test_the_limit_of_processors_refuses_a_batch_as_one(bed: Bed, definition: str) -> None:
    bed.aws.inject(Kind.QUOTA, family=bed.name)

    with pytest.raises(ClientError, match="limit on the number of vCPUs"):
        bed.ask(definition, count=3)
    assert len(bed.ask(definition, count=3)["tasks"]) == 3


def test_a_fault_hits_one_task_of_a_batch(bed: Bed, definition: str) -> None:
    bed.aws.inject(Kind.PULL_MISSING, family=bed.name, container="flow")
    bed.aws.inject(Kind.FAILS_TO_START, family=bed.name)

    arns = [task["taskArn"] for task in bed.ask(definition, count=3)["tasks"]]

    assert bed.until(arns[0])["stoppedReason"].startswith("CannotPullContainerError: ")
    assert bed.until(arns[1])["stoppedReason"].startswith("Timeout waiting for network interface")
    assert bed.until(arns[2], "RUNNING")["lastStatus"] == "RUNNING"


@pytest.mark.parametrize(
    ("kind", "code"),
    [(Kind.OOM, "EssentialContainerExited"), (Kind.SPOT, "SpotInterruption"), (Kind.HOST, "TerminationNotice")],
)
def test_a_task_that_is_up_is_hit_when_a_test_says_so(bed: Bed, definition: str, kind: Kind, code: str) -> None:
    hit, other = (task["taskArn"] for task in bed.ask(definition, count=2)["tasks"])
    for arn in (hit, other):
        bed.until_line(arn, "up")

    bed.aws.hit(kind, hit.rpartition("/")[2])

    task = bed.until(hit)
    assert task["stopCode"] == code
    assert task["containers"][0].get("exitCode") == {Kind.OOM: 137, Kind.SPOT: 0, Kind.HOST: None}[kind]
    assert bed.task(other)["lastStatus"] == "RUNNING"
