"""What whole processes import: none pays for a platform that it does not use, and a submit to ECS not for botocore."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runner.kubernetes.api_server import ApiServer, Exchange
from tests.runner.test_environment_on_ecs import SMALLEST
from tests.testbed.runner_process import BEHAVIOURS, FLOWS, command, write_inputs

SDKS = {"botocore", "boto3", "s3transfer", "jmespath", "dateutil"}
ARN = "arn:aws:ecs:eu-west-1:123456789012:task/flows/0123456789abcdef0123456789abcdef"


def imported(words: list[str], folder: Path = FLOWS, **variables: str) -> set[str]:
    """The modules that a process and those that it forks have imported; it must end well."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *words],
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line.rpartition("|") for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {name.strip() for _, _, name in lines}


def of_aws(modules: set[str]) -> set[str]:
    """Those that only AWS needs."""
    rooms = ("runner.aws.", "runner.http.")
    return {name for name in modules if name.partition(".")[0] in SDKS or f"{name}.".startswith(rooms)}


def test_a_run_imports_nothing_for_aws(tmp_path: Path) -> None:
    write_inputs(tmp_path, f"{BEHAVIOURS}:succeed", {}, {}, {})

    modules = imported([*command(tmp_path)[1:], "--trailer", "awslogs"])

    assert "runner.supervisor" in modules
    assert "runner.awslogs" in modules
    assert of_aws(modules) == set()


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"]])
def test_the_commands_help_imports_nothing_for_aws(words: list[str]) -> None:
    modules = imported(["-P", "-m", "runner.cli", *words])

    assert "runner.cli" in modules
    assert of_aws(modules) == set()


def test_a_submit_to_ecs_asks_without_an_sdk(tmp_path: Path) -> None:
    document = tmp_path / "flows.json"
    document.write_text(json.dumps(SMALLEST))
    (tmp_path / "flow.py").write_text("def main(): pass\n")
    task: dict[str, object] = {"taskArn": ARN, "lastStatus": "PROVISIONING", "desiredStatus": "RUNNING"}

    def reply(exchange: Exchange) -> None:
        operation = str(exchange.asked.headers["X-Amz-Target"]).rpartition(".")[2]
        if operation == "RunTask":
            asked = json.loads(exchange.asked.body)
            task.update(tags=asked["tags"], overrides=asked["overrides"], containers=[{"name": "flow"}])
        answers = {"ListTasks": {"taskArns": [ARN]}, "RunTask": {"tasks": [task]}, "DescribeTasks": {"tasks": [task]}}
        exchange.json(200, answers[operation])

    with ApiServer(reply) as server:
        modules = imported(
            [
                *("-P", "-m", "runner.cli", "run", "flow.py:main", "--environment", str(document)),
                "--detach",
            ],
            tmp_path,
            AWS_ENDPOINT_URL=server.url,
            AWS_ACCESS_KEY_ID="AKID",
            AWS_SECRET_ACCESS_KEY="secret",  # noqa: S106 of no account
            AWS_CONFIG_FILE="/dev/null",
            AWS_SHARED_CREDENTIALS_FILE="/dev/null",
        )

    assert server.requests[0].headers["X-Amz-Target"] == "AmazonEC2ContainerServiceV20141113.RunTask"
    assert "runner.aws.client" in modules
    assert {name for name in modules if name.partition(".")[0] in SDKS} == set()
