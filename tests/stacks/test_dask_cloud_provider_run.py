"""A run on the example stack for ECS with Dask workers: what the component lets it do is what it needs.

The test AWS refuses what the policies of users and roles do not allow.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from components import dask_task_policies, ecs_roles
from components.aws_place import secrets_prefix, with_workers
from components.iam import policy
from tests.stacks.ecs_stacks import named
from tests.testbed.aws.handle import Aws
from tests.testbed.aws.permissions import refused, unused
from tests.testbed.pulumi_aws import attached_provider, aws_engine, aws_stack_from_example
from tests.testbed.pulumi_engine import CHECKOUT
from tests.testbed.pulumi_kubernetes import Stack

pytestmark = [pytest.mark.engine, pytest.mark.aws, pytest.mark.dask, pytest.mark.timeout(180), pytest.mark.long]

EXAMPLE = "Pulumi.dask-cloud-provider.yaml"
NAME = "run-dask"
OWN = with_workers(named(NAME), scheduler_task=False)
FLOW = CHECKOUT / "examples" / "flights" / "flow.py"

Penstock = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="module")
def stack(aws_server: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with attached_provider(aws_server) as provider:
        engine = aws_engine(tmp_path_factory.mktemp("engine"), provider)
        changes = {"image": "penstock.local/flights:test", "network_cidr": "127.45.0.0/24", "max_workers": "2"}
        with aws_stack_from_example(engine, example=EXAMPLE, environment_name=NAME, **changes) as stack:
            stack.up()
            yield stack


@pytest.fixture
def submitter(stack: Stack, aws: Aws) -> Penstock:
    """The command, as somebody who has the submitter's policy, as it is at AWS, and no other."""
    iam = aws.client("iam")
    arn = stack.do("stack", "output", "submitter_policy_arn").strip()
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    env = {**os.environ, **aws.user("submitter-dask", document)}
    aws.calls(clear=True)

    def penstock(*words: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-P", "-m", "runner.cli", *words]
        return subprocess.run(command, env=env, cwd=CHECKOUT, capture_output=True, timeout=120, check=False)

    return penstock


def ran(submitter: Penstock) -> dict[str, Any]:
    """The outcome of the example, run by somebody who has just pulled the environment."""
    assert submitter("env", "pull", "--ssm", NAME).returncode == 0
    done = submitter("run", f"{FLOW}:main", "--env", NAME, "--json")
    assert done.returncode == 0, done.stderr.decode()
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


def test_the_example_runs_and_next_to_nothing_is_allowed_that_it_does_not_need(submitter: Penstock, aws: Aws) -> None:
    outcome = ran(submitter)
    doctor = submitter("doctor", "--env", NAME, "--json")

    assert (outcome["kind"], outcome["state"]) == ("dask-cloud-provider", "succeeded")
    assert outcome["result"]["flights"] == 336_776
    assert json.loads(doctor.stdout)["ok"], doctor.stdout
    aws.await_stopped(OWN.cluster_arn, seconds=60)
    assert [call for call in aws.calls() if call["denied"]] == []
    # The log of a worker is read when that has died, which here none does.
    task = [
        item
        for item in [*ecs_roles.task(OWN), *dask_task_policies.run(OWN, tls=True)]
        if item.sid != "ReadLogsOfWorkers"
    ]
    for part, allowed in (("task", task), ("worker", dask_task_policies.worker(OWN, tls=True))):
        needed, policies = aws.needed(OWN.role(part)), [json.loads(policy(allowed))]
        assert needed
        assert refused(policies, needed) == []
        assert unused(policies, needed) == []


def test_nothing_of_a_run_is_left_and_a_run_registers_nothing(submitter: Penstock, aws: Aws) -> None:
    ecs = aws.client("ecs")
    before = ecs.list_task_definitions()["taskDefinitionArns"]

    ran(submitter)

    aws.await_stopped(OWN.cluster_arn, seconds=60)
    secrets = aws.client("secretsmanager").list_secrets(IncludePlannedDeletion=True)["SecretList"]
    assert [item["Name"] for item in secrets if item["Name"].startswith(secrets_prefix(NAME))] == []
    assert ecs.list_task_definitions()["taskDefinitionArns"] == before


@pytest.fixture
def scheduler_task(stack: Stack) -> Iterator[None]:
    """The stack with a scheduler in a task of its own; as before after the test."""
    before = stack.file.read_text()
    stack.set("scheduler_task", "true")
    try:
        stack.up()
        yield
    finally:
        stack.file.write_text(before)
        stack.up()


@pytest.mark.usefixtures("scheduler_task")
def test_with_a_scheduler_in_a_task_of_its_own_the_rights_are_enough_too(submitter: Penstock, aws: Aws) -> None:
    outcome = ran(submitter)

    assert outcome["result"]["flights"] == 336_776
    aws.await_stopped(OWN.cluster_arn, seconds=60)
    assert [call for call in aws.calls() if call["denied"]] == []
    started = {
        need.resource.rpartition("/")[2] for need in aws.needed(OWN.role("task")) if need.action == "ecs:RunTask"
    }
    assert started == {f"{OWN.worker_family}:1", f"{OWN.family}-scheduler:1"}
