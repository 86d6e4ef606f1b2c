"""An environment whose runs start Dask workers on ECS, with a value for everything, and of no AWS in particular."""

from typing import Any

from runner.environment import Environment, Executor, ExecutorType
from runner.sections import DaskCloudProvider, Kind, LaunchType, Resources

ARN = "arn:aws:ecs:eu-west-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role"
SECTION: dict[str, Any] = {
    "region": "eu-west-1",
    "cluster_arn": f"{ARN}:cluster/flows",
    "task_definition_arn": f"{ARN}:task-definition/flows:3",
    "subnets": ("subnet-1", "subnet-2"),
    "security_groups": ("sg-1",),
    "log_group": "/penstock/flows",
    "log_stream_prefix": "run",
    "bucket": "flows",
    "launch_type": LaunchType.FARGATE,
    "platform_version": "1.4.0",
    "vpc_id": "vpc-1",
    "worker_task_definition_arn": f"{ARN}:task-definition/penstock-flows-worker:7",
    "execution_role_arn": f"{ROLE}/execution",
    "worker_task_role_arn": f"{ROLE}/worker",
    "worker_resources": Resources(cpu_millicores=500, memory_mib=1024),
    "worker_threads": 2,
    "worker_extra_args": ("--lifetime", "1 hour"),
    "min_workers": 2,
    "max_workers": 4,
    "secrets_prefix": "penstock/flows/",
}


def environment(**section: Any) -> Environment:
    """The environment, with other parts of its section."""
    return Environment(
        kind=Kind.DASK_CLOUD_PROVIDER,
        name="flows",
        image="flows:1",
        resources=Resources(cpu_millicores=500, memory_mib=1024),
        executor=Executor(type=ExecutorType.DASK),
        dask_cloud_provider=DaskCloudProvider(**{**SECTION, **section}),
    )


def section_of(environment: Environment) -> DaskCloudProvider:
    assert environment.dask_cloud_provider is not None
    return environment.dask_cloud_provider
