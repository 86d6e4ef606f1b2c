"""Environments on the test AWS, and runs of the flows in `flows/` in them."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from components.aws_place import STREAM_PREFIX
from runner import fargate
from runner.environment import Environment, Timeouts
from runner.launch.base import Reach
from runner.launch.ecs import connect
from runner.launch.ecs.launcher import EcsLauncher
from runner.launch.pack import pack
from runner.request import RunRequest
from runner.sections import FargateTask, Kind, LaunchType, Resources
from tests.testbed.aws.handle import Aws
from tests.testbed.ecs_ground import Ground, ground, names_on
from tests.testbed.followed_run import Run
from tests.testbed.runner_process import FLOWS

IMAGE = "penstock.local/runner:test"


@dataclass(frozen=True, kw_only=True)
class Place:
    """An environment on ECS, and what it stands on."""

    ground: Ground
    environment: Environment

    @property
    def aws(self) -> Aws:
        return self.ground.aws

    @property
    def name(self) -> str:
        return self.ground.names.environment

    @property
    def subnet(self) -> str:
        return self.ground.subnet

    @property
    def group(self) -> str:
        return self.ground.group

    @property
    def section(self) -> FargateTask:
        assert self.environment.on_ecs is not None
        return self.environment.on_ecs

    def launcher(self, environment: Environment | None = None) -> EcsLauncher:
        """A launcher with clients of its own, as every command has."""
        connect._access.cache_clear()
        connect._client.cache_clear()
        return connect.launcher(environment or self.environment, Reach())

    def definition(self, family: str = "", **container: Any) -> str:
        """Register a task definition of runs; the result is its ARN."""
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
        return self.register(family or self.name, [flow])

    def register(
        self,
        family: str,
        containers: Sequence[Mapping[str, Any]],
        *,
        role: str = "task",
        resources: Resources | None = None,
    ) -> str:
        """Register a task definition; the result is its ARN.

        Args:
            family: its family.
            containers: what is in it.
            role: which of the place's roles its tasks have.
            resources: its size; null for the smallest.
        """
        size = fargate.smallest(*((resources.cpu_millicores, resources.memory_mib) if resources else (250, 512)))
        answer = self.aws.client("ecs").register_task_definition(
            family=family,
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu=str(size.cpu_units),
            memory=str(size.memory_mib),
            taskRoleArn=self.ground.role(role),
            executionRoleArn=self.ground.role("execution"),
            containerDefinitions=list(containers),
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def changed(self, **section: Any) -> Environment:
        """The environment with another section."""
        changes: dict[str, Any] = {
            self.environment.kind.value.replace("-", "_"): replace(self.section, **section),
        }
        return replace(self.environment, **changes)

    def with_definition(self, **container: Any) -> Environment:
        """The environment with another task definition."""
        return self.changed(task_definition_arn=self.definition(**container))

    def start(
        self,
        function: str,
        *,
        run_id: str = "the-run",
        environment: Environment | None = None,
        notice: Callable[[str], object] = lambda _: None,
        **parameters: Any,
    ) -> Run:
        """Submit a flow of `behaviours.py`, or of the file that is named, whose code travels with it."""
        target = environment or self.environment
        asked, data = self.asked(function, run_id=run_id, **parameters)
        launcher = self.launcher(target)
        assert launcher.submit(target, asked, bundle=data, notice=notice)
        return Run(launcher, run_id)

    @staticmethod
    def asked(function: str, *, run_id: str = "the-run", **parameters: Any) -> tuple[RunRequest, bytes]:
        """A request, and its code."""
        flow = function if ":" in function else f"behaviours.py:{function}"
        packed = pack(FLOWS, flow=flow)
        asked = RunRequest(
            run_id=run_id, accepted_at=time.time(), flow=flow, parameters=parameters, bundle=packed.bundle
        )
        return asked, packed.data

    def tasks(self) -> list[dict[str, Any]]:
        """The tasks that ECS knows in the cluster, the first one first."""
        return self.ground.tasks()


@contextlib.contextmanager
def place(aws: Aws, *, kind_name: str = "flows", **changes: Any) -> Iterator[Place]:
    """An environment whose runs are tasks, gone on leaving, with whatever runs there."""
    names = names_on(aws, kind_name)
    name = names.environment
    allow = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject",'
        f'"Resource":["arn:aws:s3:::{name}/bundles/*","arn:aws:s3:::{name}/inputs/*"]}}]}}'
    )
    start = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],'
        '"Resource":"*"},{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"}]}'
    )
    with ground(aws, names, {"task": allow, "execution": start}) as there:
        section = FargateTask(**section_on(there), launch_type=LaunchType.FARGATE)
        parts: dict[str, Any] = {
            "kind": Kind.FARGATE_TASK,
            "name": name,
            "image": IMAGE,
            "resources": Resources(cpu_millicores=250, memory_mib=512),
            "timeouts": Timeouts(queue_seconds=20, start_seconds=20, grace_seconds=5),
            "fargate_task": section,
        }
        empty = Place(ground=there, environment=Environment(**{**parts, **changes}))
        yield replace(empty, environment=empty.with_definition())


def section_on(there: Ground) -> dict[str, Any]:
    """What a section says of the ground; the task definition is to be filled in."""
    return {
        "region": there.aws.region,
        "cluster_arn": there.names.cluster_arn,
        "task_definition_arn": there.names.cluster_arn,
        "subnets": (there.subnet,),
        "security_groups": (there.group,),
        "log_group": there.names.log_group,
        "log_stream_prefix": STREAM_PREFIX,
        "bucket": there.names.bucket,
    }
