"""What a task is, by running it: its process, its states, and what ECS says of it."""

import json
import os
import signal
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.aws.conftest import Bed
from tests.testbed.runner_process import await_gone
from tests.testbed.waiting import wait_until

pytestmark = pytest.mark.aws

SAYS_ALL = """
import json, os, pathlib
print(json.dumps({"env": dict(os.environ), "cwd": os.getcwd(), "pid": os.getpid(), "uid": os.getuid()}))
"""
DEAF = """
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(subprocess.Popen(["sleep", "77"]).pid, flush=True)
print("up", flush=True)
time.sleep(60)
"""
POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("got TERM"), sys.exit(7)))
print("up")
time.sleep(60)
"""


def test_a_task_is_a_process_with_an_environment_of_its_own(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = bed.run(
        SAYS_ALL,
        environment=[{"name": "A", "value": "defined"}, {"name": "B", "value": "defined"}],
        options={
            "overrides": {"containerOverrides": [{"name": "flow", "environment": [{"name": "B", "value": "asked"}]}]}
        },
    )

    task = bed.until(arn)

    (line,) = bed.lines(arn)
    said = json.loads(line)
    env = said["env"]
    assert (env.pop("A"), env.pop("B")) == ("defined", "asked")
    assert said["pid"] == 1 or os.getuid() != 0
    assert said["cwd"] == env["HOME"] == env["TMPDIR"]
    assert not Path(env["HOME"]).exists()
    assert env["AWS_EXECUTION_ENV"] == "AWS_ECS_FARGATE"
    assert env["AWS_REGION"] == env["AWS_DEFAULT_REGION"] == bed.aws.region
    assert env.keys() - {"LC_CTYPE"} == {
        *("PATH", "HOME", "TMPDIR", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_ENDPOINT_URL"),
        *("ECS_CONTAINER_METADATA_URI_V4", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    }
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["containers"][0]["exitCode"] == 0


def test_states_follow_each_other_and_each_has_its_time(bed: Bed) -> None:
    bed.aws.delay(PROVISIONING=0.3, PENDING=0.3)
    arn = bed.run(POLITE)

    seen = [bed.task(arn), *(bed.until(arn, status) for status in ("PENDING", "RUNNING"))]
    bed.until_line(arn, "up")
    bed.stop([arn])
    assert bed.task(arn)["desiredStatus"] == "STOPPED"
    task = bed.until(arn)

    assert [item["lastStatus"] for item in (*seen, task)] == ["PROVISIONING", "PENDING", "RUNNING", "STOPPED"]
    times = [
        "createdAt",
        "pullStartedAt",
        "pullStoppedAt",
        "startedAt",
        "stoppingAt",
        "executionStoppedAt",
        "stoppedAt",
    ]
    assert [task[name] for name in times] == sorted(task[name] for name in times)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "Task stopped by user")
    assert task["containers"][0]["exitCode"] == 7
    assert bed.lines(arn) == ["up", "got TERM"]
    assert (task["launchType"], task["platformVersion"], task["cpu"], task["memory"]) == (
        *("FARGATE", "1.4.0", "256", "512"),
    )
    assert len(arn.rpartition("/")[2]) == 32


def test_who_does_not_hear_sigterm_is_killed_with_all_it_has_started(bed: Bed) -> None:
    arn = bed.run(DEAF, stopTimeout=1)
    bed.until_line(arn, "up")
    (pid,) = bed.aws.processes(arn.rpartition("/")[2]).values()
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    assert len(children) == 1

    bed.stop([arn])

    task = bed.until(arn)
    assert task["containers"][0]["exitCode"] == 137
    assert (task["stoppedAt"] - task["stoppingAt"]).total_seconds() >= 1
    assert all(await_gone(child) for child in [pid, *children])


def test_exit_codes_are_told(bed: Bed) -> None:
    assert bed.until(bed.run("raise SystemExit(3)"))["containers"][0]["exitCode"] == 3


def test_the_end_of_an_essential_container_stops_the_others(bed: Bed) -> None:
    definition = bed.register(
        bed.container("import time; time.sleep(0.3); raise SystemExit(4)"),
        bed.container(POLITE, name="proxy", essential=False),
        bed.container("print('once')", name="init", essential=False),
    )
    (started,) = bed.ask(definition)["tasks"]

    task = bed.until(started["taskArn"])

    assert {item["name"]: item["exitCode"] for item in task["containers"]} == {"flow": 4, "proxy": 7, "init": 0}
    assert bed.lines(task["taskArn"], "init") == ["once"]
    assert task["stopCode"] == "EssentialContainerExited"


def test_a_task_has_an_address_of_its_subnet_until_it_has_stopped(bed: Bed) -> None:
    ec2 = bed.aws.client("ec2")
    code = (
        "import json, os, urllib.request as u; print(u.urlopen(os.environ['ECS_CONTAINER_METADATA_URI_V4'] + '/task')"
    )
    arn = bed.run(f"{code}.read().decode())\nimport time; time.sleep(60)")
    wait_until(lambda: bed.lines(arn) or None)
    told = json.loads(bed.lines(arn)[0])

    details = {item["name"]: item["value"] for item in bed.task(arn)["attachments"][0]["details"]}
    (interface,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])[
        "NetworkInterfaces"
    ]

    address = details["privateIPv4Address"]
    assert address.startswith("127.60.1.")
    assert interface["PrivateIpAddress"] == address
    assert told["Containers"][0]["Networks"][0]["IPv4Addresses"] == [address]
    assert (told["TaskARN"], told["Family"], told["KnownStatus"]) == (arn, bed.name, "RUNNING")
    bed.stop([arn])
    bed.until(arn)
    left = ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [bed.subnet]}])
    assert left["NetworkInterfaces"] == []


def test_a_stopped_task_is_forgotten_when_a_test_says_so(bed: Bed) -> None:
    arn = bed.run()
    bed.until(arn)

    bed.aws.forget()

    answer = bed.ecs.describe_tasks(cluster=bed.cluster, tasks=[arn])
    assert (answer["tasks"], answer["failures"]) == ([], [{"arn": arn, "reason": "MISSING"}])
    with pytest.raises(ClientError, match="The referenced task was not found") as caught:
        bed.stop([arn])
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"


def test_a_task_that_is_stopped_before_it_starts_has_no_exit_code(bed: Bed) -> None:
    bed.aws.delay(PENDING=30)
    arn = bed.run("print('never')")
    bed.until(arn, "PENDING")

    bed.stop([arn])

    task = bed.until(arn)
    assert "exitCode" not in task["containers"][0]
    assert "startedAt" not in task
    assert bed.lines(arn) == []


def test_signals_from_outside_end_a_task_like_its_own_end(bed: Bed) -> None:
    arn = bed.run(POLITE)
    bed.until_line(arn, "up")

    os.kill(bed.aws.processes(arn.rpartition("/")[2])["flow"], signal.SIGKILL)

    assert bed.until(arn)["containers"][0]["exitCode"] == 137
