from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.testbed.aws.handle import Aws
from tools import aws
from tools.errors import CommandError
from tools.paths import CHECKOUT

pytestmark = pytest.mark.aws


@pytest.fixture
def state(tmp_path: Path, unmeasured: None) -> Iterator[Path]:
    """A folder for the server's state; whatever is up in it is ended."""
    folder = tmp_path / "aws"
    yield folder
    tool("down", folder)
    assert not folder.exists()


def tool(verb: str, state: Path) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as make starts it."""
    command = [sys.executable, "-m", "tools.aws", verb, "--state", str(state)]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=50)


def sourced(shell: Path, command: str, **more: str) -> str:
    """What a command prints in a shell that has read the file."""
    done = subprocess.run(
        ["/bin/sh", "-euc", f'. "$0"; {command}', str(shell)],
        env={"PATH": "/usr/bin:/bin", **more},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    return done.stdout


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    limit = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < limit, f"not so within {seconds} s"
        time.sleep(0.02)


def is_up(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_comes_up_once_runs_tasks_and_goes_with_them(state: Path) -> None:
    first = tool("up", state)
    assert first.returncode == 0, first.stderr
    shell = state / "env"
    assert first.stdout == f"{shell}\n"
    for words in (
        f". {shell}",
        "pulumi up -s fargate-task",
        "penstock env pull --ssm",
        "make aws-down",
        "It is not AWS",
    ):
        assert words in first.stderr
    server, before = aws.running(state), shell.read_text()
    assert server is not None

    second = tool("up", state)
    assert (second.returncode, second.stdout) == (0, first.stdout)
    assert second.stderr.startswith("The test AWS is up already.\n")
    assert (aws.running(state), shell.read_text()) == (server, before)

    child = start_task(shell)

    ended = tool("down", state)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert not is_up(server)
    wait_until(lambda: not is_up(child))
    assert not state.exists()
    assert tool("down", state).returncode == 0


def start_task(shell: Path) -> int:
    """Start a task in the network that the file names; the id of its process."""
    env = json.loads(sourced(shell, f"{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"))
    up = Aws(endpoint=env["AWS_ENDPOINT_URL"])
    assert up.env.items() <= env.items()
    ec2, ecs = up.client("ec2"), up.client("ecs")
    subnets = json.loads(env["PENSTOCK_AWS_SUBNETS"])
    found = ec2.describe_subnets(SubnetIds=subnets)["Subnets"]
    assert {item["VpcId"] for item in found} == {env["PENSTOCK_AWS_VPC"]}
    assert sorted(item["CidrBlock"] for item in found) == ["127.30.1.0/24", "127.30.2.0/24"]

    ecs.create_cluster(clusterName="c")
    ecs.register_task_definition(
        family="sleeper",
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[
            {
                "name": "main",
                "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/flows:1",
                "command": ["sh", "-c", "test -d flights && sleep 600"],
            }
        ],
    )
    network = {"awsvpcConfiguration": {"subnets": subnets[:1]}}
    [task] = ecs.run_task(cluster="c", taskDefinition="sleeper", launchType="FARGATE", networkConfiguration=network)[
        "tasks"
    ]
    arn = task["taskArn"]
    wait_until(lambda: ecs.describe_tasks(cluster="c", tasks=[arn])["tasks"][0]["lastStatus"] == "RUNNING")
    return up.processes(arn.rpartition("/")[2])["main"]


@pytest.mark.long
def test_a_shell_that_has_read_the_file_uses_nothing_else(state: Path) -> None:
    assert tool("up", state).returncode == 0

    names = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_ACCESS_KEY_ID")
    printed = sourced(
        state / "env",
        "; ".join([*(f'echo "${{{name}-unset}}"' for name in names), "command -v pulumi-resource-aws", "env"]),
        AWS_PROFILE="mine",
        AWS_SESSION_TOKEN="mine",  # noqa: S106 no token
        AWS_CONFIG_FILE="/home/me/.aws/config",
        AWS_ACCESS_KEY_ID="mine",
    ).splitlines()

    assert printed[:4] == ["unset", "unset", os.devnull, "AKIAPENSTOCKTESTROOT"]
    assert printed[4] == str(CHECKOUT / "tests" / "testbed" / "aws" / "provider" / "bin" / "pulumi-resource-aws")
    assert "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=1" in printed
    # What stacks have made goes with the server, and so does what Pulumi knows of it.
    assert f"PULUMI_BACKEND_URL=file://{state / 'stacks'}" in printed
    assert next(line for line in printed if line.startswith("PATH=")).endswith(":/usr/bin:/bin")


@pytest.mark.long
def test_after_a_crash_it_starts_anew(state: Path) -> None:
    assert tool("up", state).returncode == 0
    server = aws.running(state)
    assert server is not None
    os.kill(server, 9)
    wait_until(lambda: not is_up(server))
    assert aws.running(state) is None

    again = tool("up", state)

    assert again.returncode == 0
    assert "Starting the test AWS" in again.stderr
    assert aws.running(state) not in {None, server}


@pytest.mark.parametrize("began", ["self", "1"])
def test_another_process_with_the_servers_id_is_left_alone(state: Path, began: str) -> None:
    state.mkdir()
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        if began == "self":
            began = Path(f"/proc/{other.pid}/stat").read_text().rpartition(")")[2].split()[19]
        (state / "pid").write_text(f"{other.pid} {began}\n")
        try:
            assert aws.running(state) is None
            assert tool("down", state).returncode == 0
            assert other.poll() is None
        finally:
            other.kill()


def test_a_server_that_does_not_come_up_says_why(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "SERVER", "tests.testbed.aws.nowhere")

    with pytest.raises(
        CommandError, match=r"(?s)The test AWS has not come up\. .*No module named tests\.testbed\.aws\.now"
    ):
        aws.up(state)

    assert aws.running(state) is None
