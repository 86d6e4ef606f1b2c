"""A place on the test AWS, and tasks in it that run what a test says."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.testbed.aws.handle import Aws
from tests.testbed.waiting import wait_until

PYTHON = ["python3", "-u", "-c"]
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """A policy that allows."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **item} for item in statements]}


@dataclass(kw_only=True)
class Bed:
    """A cluster with a network, a log group and two roles."""

    aws: Aws
    name: str
    subnet: str
    group: str
    cluster: str
    ecs: Any
    logs: Any
    definitions: list[str] = field(default_factory=list)

    @property
    def log_group(self) -> str:
        return f"/bed/{self.name}"

    def role(self, what: str) -> str:
        return f"arn:aws:iam::123456789012:role/{self.name}-{what}"

    def container(self, code: str = "", *, name: str = "flow", **changes: Any) -> dict[str, Any]:
        """A container that runs Python code."""
        options = {
            "awslogs-group": self.log_group,
            "awslogs-region": self.aws.region,
            "awslogs-stream-prefix": "bed",
        }
        return {
            "name": name,
            "image": "penstock.local/runner:test",
            "essential": True,
            "entryPoint": PYTHON,
            "command": [code],
            "stopTimeout": 2,
            "logConfiguration": {"logDriver": "awslogs", "options": options},
            **changes,
        }

    def register(self, *containers: Mapping[str, Any], family: str = "", **changes: Any) -> str:
        """A task definition; the result is its ARN."""
        answer = self.ecs.register_task_definition(
            **{
                "family": family or self.name,
                "requiresCompatibilities": ["FARGATE"],
                "networkMode": "awsvpc",
                "cpu": "256",
                "memory": "512",
                "taskRoleArn": self.role("task"),
                "executionRoleArn": self.role("execution"),
                "containerDefinitions": list(containers),
                **changes,
            }
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def ask(self, definition: str, *, ecs: Any = None, **options: Any) -> dict[str, Any]:
        """The answer to RunTask."""
        network = {"subnets": [self.subnet], "securityGroups": [self.group]}
        given = {"launchType": "FARGATE"} if "capacityProviderStrategy" not in options else {}
        answer: dict[str, Any] = (ecs or self.ecs).run_task(
            **{
                "cluster": self.cluster,
                "taskDefinition": definition,
                "networkConfiguration": {"awsvpcConfiguration": network},
                **given,
                **options,
            }
        )
        return answer

    def run(self, code: str = "", *, options: Mapping[str, Any] | None = None, **container: Any) -> str:
        """Start a task that runs Python code; the result is its ARN."""
        definition = self.register(self.container(code, **container))
        (task,) = self.ask(definition, **(options or {}))["tasks"]
        return str(task["taskArn"])

    def task(self, arn: str, **options: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.ecs.describe_tasks(cluster=self.cluster, tasks=[arn], **options)["tasks"][0]
        return found

    def until(self, arn: str, status: str = "STOPPED") -> dict[str, Any]:
        """The task as soon as it has this status."""
        return wait_until(lambda: found if (found := self.task(arn))["lastStatus"] in {status, "STOPPED"} else None)

    def lines(self, arn: str, container: str = "flow") -> list[str]:
        """What a container has printed."""
        stream = f"bed/{container}/{arn.rpartition('/')[2]}"
        with contextlib.suppress(self.logs.exceptions.ResourceNotFoundException):
            answer = self.logs.get_log_events(logGroupName=self.log_group, logStreamName=stream, startFromHead=True)
            return [event["message"] for event in answer["events"]]
        return []

    def until_line(self, arn: str, line: str, container: str = "flow") -> None:
        wait_until(lambda: line in self.lines(arn, container) or None)

    def until_any_line(self, arn: str) -> None:
        wait_until(lambda: self.lines(arn) or None)

    def stop(self, arns: Sequence[str]) -> None:
        for arn in arns:
            self.ecs.stop_task(cluster=self.cluster, task=arn)


@pytest.fixture
def bed(aws: Aws) -> Iterator[Bed]:
    with bed_on(aws) as made:
        yield made


@contextlib.contextmanager
def bed_on(aws: Aws) -> Iterator[Bed]:
    """A place of the test's own, gone after it, with whatever runs there."""
    name = f"bed-{os.urandom(4).hex()}"
    ec2, ecs, logs, iam = (aws.client(service) for service in ("ec2", "ecs", "logs", "iam"))
    vpc = ec2.create_vpc(CidrBlock="127.60.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="127.60.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    cluster = ecs.create_cluster(clusterName=name, capacityProviders=["FARGATE", "FARGATE_SPOT"])["cluster"]
    made = Bed(aws=aws, name=name, subnet=subnet, group=group, cluster=cluster["clusterArn"], ecs=ecs, logs=logs)
    logs.create_log_group(logGroupName=made.log_group)
    write = policy({"Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"})
    for role in ("task", "execution"):
        iam.create_role(RoleName=f"{name}-{role}", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName=f"{name}-execution", PolicyName="run", PolicyDocument=json.dumps(write))
    try:
        yield made
    finally:
        made.stop(ecs.list_tasks(cluster=name)["taskArns"])
        aws.await_stopped(made.cluster)
        assert ecs.list_tasks(cluster=name)["taskArns"] == []
        ecs.delete_cluster(cluster=name)
        logs.delete_log_group(logGroupName=made.log_group)
        for role in ("task", "execution"):
            for own in iam.list_role_policies(RoleName=f"{name}-{role}")["PolicyNames"]:
                iam.delete_role_policy(RoleName=f"{name}-{role}", PolicyName=own)
            iam.delete_role(RoleName=f"{name}-{role}")
        ec2.delete_security_group(GroupId=group)
        ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_vpc(VpcId=vpc)
