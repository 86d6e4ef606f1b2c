"""Environments on the test AWS, and runs of the flows in `flows/` in them."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from runner.environment import Environment, Timeouts
from runner.launch.base import Reach
from runner.launch.ecs import connect
from runner.launch.ecs.launcher import EcsLauncher
from runner.launch.pack import pack
from runner.request import RunRequest
from runner.sections import FargateTask, Kind, LaunchType, Resources
from tests.testbed.aws.handle import Aws
from tests.testbed.followed_run import Run
from tests.testbed.runner_process import FLOWS

IMAGE = "penstock.local/runner:test"
ACCOUNT = "123456789012"


@dataclass(frozen=True, kw_only=True)
class Place:
    """What an environment on ECS needs, under names of its own."""

    aws: Aws
    name: str
    subnet: str
    group: str
    environment: Environment

    def launcher(self, environment: Environment | None = None) -> EcsLauncher:
        """A launcher with clients of its own, as every command has."""
        connect._access.cache_clear()
        connect._client.cache_clear()
        return connect.launcher(environment or self.environment, Reach())

    def definition(self, family: str = "", **container: Any) -> str:
        """Register a task definition; the result is its ARN."""
        options = {
            "awslogs-group": self.section.log_group,
            "awslogs-region": self.section.region,
            "awslogs-stream-prefix": self.section.log_stream_prefix,
        }
        flow = {
            "name": "flow",
            "image": IMAGE,
            "essential": True,
            "entryPoint": ["python3", "-P", "-m", "runner"],
            "stopTimeout": 10,
            "logConfiguration": {"logDriver": "awslogs", "options": options},
            **container,
        }
        answer = self.aws.client("ecs").register_task_definition(
            family=family or self.name,
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            taskRoleArn=f"arn:aws:iam::{ACCOUNT}:role/{self.name}-task",
            executionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/{self.name}-execution",
            containerDefinitions=[flow],
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    @property
    def section(self) -> FargateTask:
        assert self.environment.fargate_task is not None
        return self.environment.fargate_task

    def with_definition(self, **container: Any) -> Environment:
        """The environment with another task definition."""
        return replace(
            self.environment, fargate_task=replace(self.section, task_definition_arn=self.definition(**container))
        )

    def start(
        self,
        function: str,
        *,
        run_id: str = "the-run",
        environment: Environment | None = None,
        notice: Callable[[str], object] = lambda _: None,
        **parameters: Any,
    ) -> Run:
        """Submit a flow of `behaviours.py`, whose code travels with it."""
        target = environment or self.environment
        asked, data = self.asked(function, run_id=run_id, **parameters)
        launcher = self.launcher(target)
        assert launcher.submit(target, asked, bundle=data, notice=notice)
        return Run(launcher, run_id)

    @staticmethod
    def asked(function: str, *, run_id: str = "the-run", **parameters: Any) -> tuple[RunRequest, bytes]:
        """A request, and its code."""
        flow = f"behaviours.py:{function}"
        packed = pack(FLOWS, flow=flow)
        asked = RunRequest(
            run_id=run_id, accepted_at=time.time(), flow=flow, parameters=parameters, bundle=packed.bundle
        )
        return asked, packed.data

    def tasks(self) -> list[dict[str, Any]]:
        """The tasks that ECS knows in the cluster, the first one first."""
        ecs, cluster = self.aws.client("ecs"), self.section.cluster_arn
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in ecs.list_tasks(cluster=cluster, desiredStatus=status)["taskArns"]
        ]
        found = ecs.describe_tasks(cluster=cluster, tasks=arns, include=["TAGS"])["tasks"] if arns else []
        return sorted(found, key=lambda task: task["createdAt"])


@contextlib.contextmanager
def place(aws: Aws, *, kind_name: str = "flows", **changes: Any) -> Iterator[Place]:
    """A cluster, a network, a log group and a bucket, gone on leaving, with whatever runs there."""
    name = f"{kind_name}-{os.urandom(4).hex()}"
    ec2, ecs, logs, s3, iam = (aws.client(service) for service in ("ec2", "ecs", "logs", "s3", "iam"))
    vpc = ec2.create_vpc(CidrBlock="127.20.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="127.20.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    cluster = ecs.create_cluster(clusterName=name, capacityProviders=["FARGATE", "FARGATE_SPOT"])["cluster"][
        "clusterArn"
    ]
    logs.create_log_group(logGroupName=f"/penstock/{name}")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": aws.region})
    allow = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject",'
        f'"Resource":["arn:aws:s3:::{name}/bundles/*","arn:aws:s3:::{name}/inputs/*"]}}]}}'
    )
    start = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],'
        '"Resource":"*"},{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"}]}'
    )
    for role, policy in (("task", allow), ("execution", start)):
        iam.create_role(RoleName=f"{name}-{role}", AssumeRolePolicyDocument="{}")
        iam.put_role_policy(RoleName=f"{name}-{role}", PolicyName="run", PolicyDocument=policy)
    section = FargateTask(
        region=aws.region,
        cluster_arn=cluster,
        task_definition_arn=cluster,
        launch_type=LaunchType.FARGATE,
        subnets=(subnet,),
        security_groups=(group,),
        log_group=f"/penstock/{name}",
        log_stream_prefix=name,
        bucket=name,
    )
    parts: dict[str, Any] = {
        "kind": Kind.FARGATE_TASK,
        "name": name,
        "image": IMAGE,
        "resources": Resources(cpu_millicores=250, memory_mib=512),
        "timeouts": Timeouts(queue_seconds=20, start_seconds=20, grace_seconds=5),
        "fargate_task": section,
    }
    empty = Place(aws=aws, name=name, subnet=subnet, group=group, environment=Environment(**{**parts, **changes}))
    made = replace(empty, environment=empty.with_definition())
    try:
        yield made
    finally:
        for task in made.tasks():
            if task["lastStatus"] != "STOPPED":
                ecs.stop_task(cluster=cluster, task=task["taskArn"], reason="the test is over")
        aws.await_stopped(cluster)
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            for item in page.get("Contents", []):
                s3.delete_object(Bucket=name, Key=item["Key"])
        s3.delete_bucket(Bucket=name)
        logs.delete_log_group(logGroupName=f"/penstock/{name}")
        ecs.delete_cluster(cluster=cluster)
        for role in ("task", "execution"):
            iam.delete_role_policy(RoleName=f"{name}-{role}", PolicyName="run")
            iam.delete_role(RoleName=f"{name}-{role}")
        ec2.delete_security_group(GroupId=group)
        ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_vpc(VpcId=vpc)
