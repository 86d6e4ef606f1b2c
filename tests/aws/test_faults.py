"""Each fault, as ECS and the other services word it, where and as often as it is asked for."""

import re
import time
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.aws.conftest import Bed
from tests.testbed.aws.faults import Kind

pytestmark = pytest.mark.aws

SLEEPS = "import time; time.sleep(60)"


def impatient(bed: Bed, service: str = "ecs") -> Any:
    """A client that asks once."""
    env = bed.aws.env
    return boto3.client(
        service,
        endpoint_url=bed.aws.endpoint,
        region_name=bed.aws.region,
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.PULL_MISSING, "CannotPullContainerError: .*penstock.local/runner:test: not found"),
        (Kind.PULL_DENIED, "CannotPullContainerError: .*403 Forbidden"),
        (Kind.PULL_BUSY, "CannotPullContainerError: .*429 Too Many Requests.*toomanyrequests"),
        (Kind.PULL_TIMEOUT, "CannotPullContainerError: .*i/o timeout"),
        (Kind.SECRET, "ResourceInitializationError: unable to pull secrets or registry auth"),
        (Kind.LOG_GROUP, "ResourceInitializationError: failed to validate logger args"),
        (Kind.FAILS_TO_START, "Timeout waiting for network interface provisioning to complete"),
    ],
)
def test_a_task_that_cannot_start_says_why(bed: Bed, kind: Kind, text: str) -> None:
    bed.aws.inject(kind, family=bed.name)
    arn = bed.run("print(1)")

    task = bed.until(arn)

    assert task["stopCode"] == "TaskFailedToStart"
    assert re.search(text, task["stoppedReason"])
    assert "exitCode" not in task["containers"][0]
    assert task["containers"][0]["reason"] == task["stoppedReason"]
    assert bed.until(bed.run("print(1)"))["containers"][0]["exitCode"] == 0


def test_an_image_that_is_not_known_cannot_be_pulled(bed: Bed) -> None:
    task = bed.until(bed.run("print(1)", image="nowhere.example/other:1"))

    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert "nowhere.example/other:1: not found" in task["stoppedReason"]


def test_a_program_that_is_not_there_cannot_be_started(bed: Bed) -> None:
    task = bed.until(bed.run(entryPoint=["no-such-program"]))

    assert task["stoppedReason"].startswith("CannotStartContainerError: ")


def test_a_task_can_stay_pending_until_it_is_stopped(bed: Bed) -> None:
    bed.aws.inject(Kind.STUCK, family=bed.name)
    arn = bed.run("print(1)")
    bed.until(arn, "PENDING")

    bed.stop([arn])

    assert bed.until(arn)["stopCode"] == "UserInitiated"


def test_a_container_killed_for_memory_has_a_reason_and_no_mercy(bed: Bed) -> None:
    bed.aws.inject(Kind.OOM, container="flow", family=bed.name, delay=0.3)

    task = bed.until(bed.run(SLEEPS))

    (container,) = task["containers"]
    assert container["exitCode"] == 137
    assert container["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert task["stopCode"] == "EssentialContainerExited"


def test_a_place_on_spot_is_taken_with_notice(bed: Bed) -> None:
    bed.aws.inject(Kind.SPOT, family=bed.name, delay=0.5)
    definition = bed.register(
        bed.container(
            "import signal, sys, time\nsignal.signal(15, lambda *_: (print('noticed'), sys.exit(143)))\ntime.sleep(60)"
        )
    )
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    (started,) = bed.ask(definition, capacityProviderStrategy=strategy)["tasks"]

    task = bed.until(started["taskArn"])

    assert (task["stopCode"], task["stoppedReason"]) == ("SpotInterruption", "Your Spot Task was interrupted.")
    assert (task["launchType"], task["capacityProviderName"]) == ("FARGATE", "FARGATE_SPOT")
    assert task["containers"][0]["exitCode"] == 143
    assert bed.lines(task["taskArn"]) == ["noticed"]


def test_nobody_knows_how_a_container_on_a_lost_machine_ended(bed: Bed) -> None:
    bed.aws.inject(Kind.HOST, family=bed.name, delay=0.3)

    task = bed.until(bed.run(SLEEPS))

    assert task["stopCode"] == "TerminationNotice"
    assert "exitCode" not in task["containers"][0]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(Kind.CAPACITY, "Capacity is unavailable at this time"), (Kind.RESOURCE, "RESOURCE:MEMORY")],
)
def test_no_room_is_a_failure_in_a_good_answer(bed: Bed, kind: Kind, reason: str) -> None:
    definition = bed.register(bed.container("print(1)"))
    bed.aws.inject(kind, family=bed.name)

    refused = bed.ask(definition, clientToken="a")
    again = bed.ask(definition, clientToken="a")

    assert (refused["tasks"], len(refused["failures"])) == ([], 1)
    assert refused["failures"][0]["reason"].startswith(reason)
    assert (len(again["tasks"]), again["failures"]) == (1, [])


def test_the_limit_of_processors_is_an_error(bed: Bed) -> None:
    definition = bed.register(bed.container("print(1)"))
    bed.aws.inject(Kind.QUOTA, family=bed.name)

    with pytest.raises(ClientError, match="reached the limit on the number of vCPUs you can run concurrently"):
        bed.ask(definition)


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        (Kind.THROTTLE, "ThrottlingException", 400),
        (Kind.UNAVAILABLE, "ServiceUnavailable", 503),
        (Kind.EXPIRED, "ExpiredTokenException", 400),
    ],
)
def test_a_call_is_refused_as_often_as_asked(bed: Bed, kind: Kind, code: str, status: int) -> None:
    bed.aws.inject(kind, action="ListTasks", times=2)
    ecs = impatient(bed)

    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            ecs.list_tasks(cluster=bed.name)
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert ecs.list_tasks(cluster=bed.name)["taskArns"] == []


def test_s3_has_words_of_its_own(bed: Bed) -> None:
    s3 = impatient(bed, "s3")
    for kind, code in ((Kind.THROTTLE, "SlowDown"), (Kind.EXPIRED, "ExpiredToken")):
        bed.aws.inject(kind, action="ListBuckets")
        with pytest.raises(ClientError) as caught:
            s3.list_buckets()
        assert caught.value.response["Error"]["Code"] == code


def test_a_lost_answer_has_started_the_task_and_the_token_finds_it(bed: Bed) -> None:
    definition = bed.register(bed.container(SLEEPS))
    bed.aws.inject(Kind.DROP, action="RunTask")

    with pytest.raises(ConnectionClosedError):
        bed.ask(definition, ecs=impatient(bed), clientToken="once", startedBy="r")
    (task,) = bed.ask(definition, clientToken="once", startedBy="r")["tasks"]

    assert bed.ecs.list_tasks(cluster=bed.cluster, startedBy="r")["taskArns"] == [task["taskArn"]]


def test_faults_of_other_families_hit_nobody_here_and_clearing_ends_them(bed: Bed) -> None:
    bed.aws.inject(Kind.PULL_MISSING, family="another")
    bed.aws.inject(Kind.STUCK, container="another")
    assert bed.until(bed.run("print(1)"))["containers"][0]["exitCode"] == 0

    bed.aws.inject(Kind.STUCK, family=bed.name, times=99)
    bed.aws.clear()

    began = time.monotonic()
    assert bed.until(bed.run("print(1)"))["containers"][0]["exitCode"] == 0
    assert time.monotonic() - began < 15
