"""The example on ECS: provisioned by the example stack, run by its submitter, who may do no more than its policy says.

The test AWS refuses what the policies of users and roles do not allow; so what passes here is allowed, and what the
policy allows beyond that is found by comparing both.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components import ecs_policies
from components.aws_place import names
from components.iam import policy
from tests.testbed.aws.handle import Aws
from tests.testbed.aws.permissions import Need, refused, unused
from tests.testbed.flights import FLOW, kept, local_outcome
from tests.testbed.pulumi_aws import attached_provider, aws_engine, aws_stack_from_example
from tests.testbed.pulumi_engine import CHECKOUT
from tests.testbed.pulumi_kubernetes import Stack
from tests.testbed.runner_process import BEHAVIOURS

pytestmark = [pytest.mark.engine, pytest.mark.aws, pytest.mark.timeout(180)]

NAME = "flights"
PLACE = {"partition": "aws", "region": "eu-west-1", "account": "123456789012"}
OWN = names(NAME, place=PLACE)
LONG_SECONDS = 120

Penstock = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="module")
def stack(aws_server: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with attached_provider(aws_server) as provider:
        engine = aws_engine(tmp_path_factory.mktemp("engine"), provider)
        changes = {"image": "penstock.local/flights:test", "network_cidr": "127.41.0.0/24"}
        with aws_stack_from_example(engine, environment_name=NAME, **changes) as stack:
            stack.up()
            yield stack


@pytest.fixture
def submitter(stack: Stack, aws: Aws) -> Penstock:
    """The command, as somebody who has the submitter's policy, as it is at AWS, and no other."""
    iam = aws.client("iam")
    arn = stack.engine.do("stack", "output", "submitter_policy_arn", "--stack", stack.name).strip()
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    env = {**os.environ, **aws.user("submitter", document)}
    aws.calls(clear=True)

    def penstock(*words: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-P", "-m", "runner.cli", *words]
        return subprocess.run(command, env=env, cwd=CHECKOUT, capture_output=True, timeout=120, check=False)

    return penstock


def said(done: subprocess.CompletedProcess[bytes]) -> Any:
    """The JSON that a command has printed."""
    assert done.stdout, done.stderr.decode()
    return json.loads(done.stdout)


def test_it_runs_with_its_code_sent_along(stack: Stack, submitter: Penstock) -> None:
    here = local_outcome()
    assert submitter("env", "pull", "--ssm", NAME).returncode == 0

    done = submitter("run", f"{FLOW}:main", "--env", NAME, "--json")

    outcome = said(done)
    assert (done.returncode, outcome["state"], outcome["kind"]) == (0, "succeeded", "fargate-task")
    assert outcome["result"] == here["result"]
    assert outcome["result"]["flights"] == 336_776
    assert kept(outcome, "flights.svg") == kept(here, "flights.svg")
    assert {"queued", "scheduled", "pulled", "started", "flow_called", "finished"} <= outcome["ledger"].keys()
    told = said(submitter("describe", outcome["run_id"], "--json"))
    assert told["result"] == outcome["result"]


def test_every_verb_needs_what_the_submitter_may_do_and_nothing_else(
    stack: Stack, submitter: Penstock, aws: Aws, tmp_path: Path
) -> None:
    submitter("env", "pull", "--ssm", NAME)
    doctor = submitter("doctor", "--env", NAME, "--json")
    large = tmp_path / "large.json"
    large.write_text(json.dumps({"words": "x" * 9_000}))

    done = submitter(
        *("run", f"{BEHAVIOURS}:give_back", "--env", NAME, "--params", str(large), "--run-id", "large", "--json")
    )
    again = submitter("retry", "large", "--json")
    failed = submitter("run", f"{BEHAVIOURS}:exit_with", "-p", "code=7", "--env", NAME, "--run-id", "seven")
    left = submitter("run", f"{BEHAVIOURS}:keep_artifacts", "--env", NAME, "--run-id", "left", "--json")
    up = submitter(
        *("run", f"{BEHAVIOURS}:wait_until", "-p", f"moment={time.time() + LONG_SECONDS}"),
        *("--env", NAME, "--run-id", "long", "--detach", "--json"),
    )
    cancelled = submitter("cancel", "long", "--json")
    aws.forget()
    listed = submitter("ls", "--env", NAME, "--json")
    logs = submitter("logs", "large", "--env", NAME)
    collected = submitter("gc", "--env", NAME, "--json")

    assert (said(doctor)["ok"], doctor.returncode) == (True, 0)
    assert len(said(done)["result"]) == len(said(again)["result"]) == 9_000
    assert said(again)["attempt"] == 2
    assert failed.returncode == 7
    assert [item["name"] for item in said(left)["artifacts"]] == ["charts/delays.svg", "table.csv"]
    assert (up.returncode, said(cancelled)["state"]) == (0, "cancelled")
    assert {"large", "seven"} <= {item["run_id"] for item in said(listed)}
    assert (logs.returncode, collected.returncode) == (0, 0)
    assert not any(call["denied"] for call in aws.calls()), [call for call in aws.calls() if call["denied"]]
    needed = [need for need in aws.needed("user/submitter") if need.action != "sts:GetCallerIdentity"]
    streams = f"arn:aws:logs:eu-west-1:123456789012:log-group:{OWN.log_group}:log-stream:x"
    # What `gc` deletes is older than this run is; tests/runner/launch/ecs has it.
    needed.append(Need(action="logs:DeleteLogStream", resource=streams))
    policies = [json.loads(policy(ecs_policies.submitter(OWN)))]
    assert refused(policies, needed) == []
    assert unused(policies, needed) == []


@pytest.mark.long
def test_a_run_may_read_what_it_was_given_and_nothing_else_of_the_bucket(
    stack: Stack, submitter: Penstock, aws: Aws, tmp_path: Path
) -> None:
    submitter("env", "pull", "--ssm", NAME)
    aws.client("s3").put_object(Bucket=OWN.bucket, Key="others/secret", Body=b"x")
    flow = tmp_path / "flow.py"
    flow.write_text(
        "import boto3, sys\n"
        "def main(bucket: str):\n"
        "    s3 = boto3.client('s3')\n"
        "    answers = []\n"
        "    for call in (\n"
        "        lambda: s3.get_object(Bucket=bucket, Key='others/secret'),\n"
        "        lambda: s3.put_object(Bucket=bucket, Key='bundles/x.zip', Body=b''),\n"
        "        lambda: boto3.client('ecs').list_clusters(),\n"
        "    ):\n"
        "        try:\n"
        "            call()\n"
        "            answers.append('allowed')\n"
        "        except Exception as error:\n"
        "            answers.append(error.response['Error']['Code'].removesuffix('Exception'))\n"
        "    return answers\n"
    )

    done = submitter("run", f"{flow}:main", "-p", f"bucket={OWN.bucket}", "--env", NAME, "--json")
    aws.client("s3").delete_object(Bucket=OWN.bucket, Key="others/secret")

    assert said(done)["result"] == ["AccessDenied"] * 3


@pytest.mark.long
def test_somebody_without_the_policy_is_told_in_one_sentence(stack: Stack, submitter: Penstock, aws: Aws) -> None:
    submitter("env", "pull", "--ssm", NAME)
    env = {**os.environ, **aws.user("stranger")}
    command = [sys.executable, "-P", "-m", "runner.cli", "run", f"{BEHAVIOURS}:succeed", "--no-bundle", "--env", NAME]

    done = subprocess.run(command, env=env, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 69
    assert done.stderr.startswith("penstock: AWS does not allow ecs:RunTask (User: arn:aws:iam::123456789012:user/")
    assert "Traceback" not in done.stderr
