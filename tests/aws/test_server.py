"""The server ends with who started it, and no process of a task outlives it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.testbed.aws.handle import CHECKOUT, REGION, Aws

pytestmark = pytest.mark.aws

DEAF = "trap '' TERM; sleep 600 & echo $!; sleep 600"


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one whose parent has not noticed yet has, too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, f"not so within {seconds} s"
        time.sleep(0.02)


@contextmanager
def server() -> Iterator[tuple["subprocess.Popen[str]", Aws]]:
    command = [sys.executable, "-m", "tests.testbed.aws.server"]
    with (
        TemporaryDirectory() as place,  # what a server that is killed cannot remove
        subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env={**os.environ, "TMPDIR": place},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            yield process, Aws(endpoint=process.stdout.readline().split('"')[3])
        finally:
            process.kill()


def processes_of_a_task(aws: Aws) -> list[int]:
    """Start a task that does not listen; its process, and what that has started."""
    aws.add_image("shell:1", bin_folder="/usr/bin")
    ecs, ec2 = aws.client("ecs"), aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="127.22.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="127.22.1.0/24")["Subnet"]["SubnetId"]
    ecs.create_cluster(clusterName="c")
    ecs.register_task_definition(
        family="deaf",
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "main", "image": "shell:1", "command": ["sh", "-c", DEAF]}],
    )
    [task] = ecs.run_task(
        cluster="c",
        taskDefinition="deaf",
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
    )["tasks"]
    arn = task["taskArn"]
    wait_until(lambda: ecs.describe_tasks(cluster="c", tasks=[arn])["tasks"][0]["lastStatus"] == "RUNNING")
    main = aws.processes(arn.rpartition("/")[2])["main"]
    children = Path(f"/proc/{main}/task/{main}/children")
    wait_until(lambda: len(children.read_text().split()) == 2)
    return [main, *map(int, children.read_text().split())]


def test_it_ends_when_its_stdin_does_with_all_processes_of_tasks() -> None:
    with server() as (process, aws):
        assert aws.region == REGION
        pids = processes_of_a_task(aws)

        assert process.stdin is not None
        process.stdin.close()

        assert process.wait(20) == 0
        wait_until(lambda: all(map(is_gone, pids)))


def test_it_ends_by_sigterm_with_all_processes_of_tasks() -> None:
    with server() as (process, aws):
        pids = processes_of_a_task(aws)

        process.terminate()

        assert process.wait(20) == 0
        wait_until(lambda: all(map(is_gone, pids)))


def test_killing_it_kills_the_tasks() -> None:
    with server() as (process, aws):
        main, *children = processes_of_a_task(aws)

        process.kill()

        assert process.wait(20) == -signal.SIGKILL
        wait_until(lambda: is_gone(main))
        if os.geteuid() == 0:  # its processes are in a namespace that ends with it
            wait_until(lambda: all(map(is_gone, children)))
