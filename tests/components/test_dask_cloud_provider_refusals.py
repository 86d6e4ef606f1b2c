"""What a DaskCloudProviderEnvironment refuses, before it registers anything: each in one sentence.

What it refuses as a FargateTaskEnvironment does is tested there; of that, here is only that it does.
"""

from typing import Any

import pulumi
import pytest

from components.dask_cloud_provider import DaskCloudProviderEnvironment
from components.given import ArgumentError
from tests.components.ecs import IMAGE, PARAMETER
from tests.components.test_fargate_task_refusals import REFUSED as OF_TASKS
from tests.testbed.pulumi_mocks import Deploy

ROLE = "arn:aws:iam::123456789012:role/own"
CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/shared"
STATEMENT = {"actions": ["s3:GetObject"], "resources": ["*"]}
ON_INSTANCES: dict[str, Any] = {"provider_class": "ECSCluster", "cluster_arn": CLUSTER}
WITHOUT_TASK = "none without scheduler_task: true, since the scheduler is in the run's own process"
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"image": None}, "image", "what every run of kind dask-cloud-provider needs"),
    ({"executor": {"type": "dask"}}, "executor", "the nearest known key"),
    ({"network_mode": "awsvpc"}, "network_mode", "the nearest known key"),
    ({"worker_resource": {}}, "worker_resource", "worker_resources, the nearest known key"),
    ({"min_workers": 3, "max_workers": 2}, "min_workers", "at most the 2 of max_workers"),
    ({"min_workers": 0}, "max_workers", "since min_workers is 0"),
    ({"min_workers": -1, "max_workers": 2}, "min_workers", "a whole number of at least 0"),
    ({"max_workers": 0}, "max_workers", "a whole number of at least 1"),
    ({"max_workers": "4 workers"}, "max_workers", "a whole number"),
    ({"worker_resources": {"gpu": 1}}, "worker_resources.gpu", "none: Fargate has no GPU; EC2 has"),
    ({"worker_resources": {"cpu_millicores": 40_000}}, "worker_resources.cpu_millicores", "at most the 32,000"),
    ({"worker_resources": {"memory_mib": 0}}, "worker_resources.memory_mib", "at least 1"),
    ({**ON_INSTANCES, "worker_resources": {"memory_mib": 0}}, "worker_resources.memory_mib", "at least 1"),
    ({"worker_resources": {"cpu": 1}}, "worker_resources.cpu", "worker_resources.gpu, the nearest known key"),
    ({"worker_threads": 0}, "worker_threads", "a whole number of at least 1"),
    ({"worker_extra_args": "--resources"}, "worker_extra_args", "a list"),
    ({"worker_extra_args": ["--resources", "X=1", "--nthreads=2"]}, "worker_extra_args[2]", "worker_threads instead"),
    ({"worker_extra_args": ["--nworkers", "2"]}, "worker_extra_args[0]", "max_workers instead"),
    ({"provider_class": "EC2Cluster"}, "provider_class", "FargateCluster, ECSCluster, or a class as module:Class"),
    ({"provider_kwargs": {"image": "x"}}, "provider_kwargs.image", "the argument image"),
    ({"provider_kwargs": {"n_workers": 4}}, "provider_kwargs.n_workers", "the arguments min_workers and max_workers"),
    ({"provider_kwargs": {"colour": 1}}, "provider_kwargs.colour", "one of scheduler_sync_interval, silence_logs"),
    ({"provider_kwargs": []}, "provider_kwargs", "a mapping"),
    ({"provider_class": "json:Missing"}, "provider_class", "a class of the module json"),
    ({"fargate_workers": False}, "fargate_workers", "true for the class FargateCluster; ECSCluster has both"),
    (
        {"scheduler_task": True, "fargate_scheduler": False},
        "fargate_scheduler",
        "true for the class FargateCluster; ECSCluster has both",
    ),
    ({"provider_class": "ECSCluster"}, "cluster_arn", "a cluster whose own capacity providers say what workers are on"),
    (
        {"provider_class": "ECSCluster", "fargate_workers": True, "scheduler_task": True},
        "cluster_arn",
        "a cluster whose own capacity providers",
    ),
    ({**ON_INSTANCES, "fargate_spot": True}, "fargate_spot", "false where fargate_workers is false"),
    ({"tls": "no"}, "tls", "true or false"),
    ({"scheduler_resources": {"memory_mib": 2048}}, "scheduler_resources", WITHOUT_TASK),
    ({"scheduler_idle_timeout_seconds": 60}, "scheduler_idle_timeout_seconds", WITHOUT_TASK),
    ({"scheduler_extra_args": ["--no-show"]}, "scheduler_extra_args", WITHOUT_TASK),
    ({"mount_volumes_on_scheduler": True}, "mount_volumes_on_scheduler", WITHOUT_TASK),
    ({"fargate_scheduler": True}, "fargate_scheduler", WITHOUT_TASK),
    (
        {"scheduler_task": True, "scheduler_resources": {"memory_mib": 300_000}},
        "scheduler_resources.memory_mib",
        "of Fargate",
    ),
    (
        {"scheduler_task": True, "scheduler_idle_timeout_seconds": 0},
        "scheduler_idle_timeout_seconds",
        "a number above 0",
    ),
    ({"scheduler_port": 0}, "scheduler_port", "a port, from 1 to 65,535 without the 8,788 of workers"),
    ({"scheduler_port": 8788}, "scheduler_port", "without the 8,788 of workers"),
    ({"scheduler_port": 70_000}, "scheduler_port", "from 1 to 65,535"),
    ({"launch_type": "EXTERNAL"}, "launch_type", "FARGATE or EC2: workers reach a run at an address of its own"),
    (
        {"worker_task_role_arn": ROLE, "task_role_statements": [STATEMENT]},
        "task_role_statements",
        "the rights of a role that exists are not the stack's",
    ),
    ({"worker_task_role_arn": ROLE, "task_role_policy_arns": [ROLE]}, "task_role_policy_arns", "not the stack's"),
    ({"worker_task_role_arn": 1}, "worker_task_role_arn", "an ARN such as"),
    ({"worker_task_role_arn": "worker"}, "worker_task_role_arn", "an ARN such as"),
    (
        {"container_definitions": [{"name": "cleanup", "image": "x"}]},
        "container_definitions[0].name",
        "another name: a container of that name is Penstock's own",
    ),
    ({"performance_report": "often"}, "performance_report", "true or false"),
    ({"tags": {"penstock.dev/run-id": "1"}}, "tags.penstock.dev/run-id", "this tag is Penstock's own"),
    ({"secrets": [{"env": "X", "arn": PARAMETER, "key": "a"}]}, "secrets[0].key", "none"),
]
ELSEWHERE = ("image", "launch_type", "network_mode", "vpc_id")
"""Arguments of other refusals there, which this kind has not, or refuses for another reason."""
ALL = [*REFUSED, *(case for case in OF_TASKS if case[1] not in ELSEWHERE and case[0].get("launch_type") != "EXTERNAL")]


@pytest.mark.parametrize(("args", "path", "expected"), ALL, ids=[f"{path}-{i}" for i, (_, path, _) in enumerate(ALL)])
def test_it_is_refused_and_nothing_is_registered(deploy: Deploy, args: Any, path: str, expected: str) -> None:
    given: Any = {"image": IMAGE, **args}

    def program() -> None:
        with pytest.raises(ArgumentError) as refusal:
            DaskCloudProviderEnvironment("flights", given)
        assert refusal.value.path == path
        assert expected in refusal.value.expected
        assert "Traceback" not in str(refusal.value)

    assert deploy(program).own == []


def test_what_decides_what_is_created_is_plain(deploy: Deploy) -> None:
    for key in ("tls", "scheduler_task", "fargate_workers", "fargate_scheduler", "fargate_spot", "provider_class"):

        def program(key: str = key) -> None:
            given: Any = {"image": IMAGE, key: pulumi.Output.from_input(True)}
            with pytest.raises(ArgumentError, match=f"{key} is an Output, expected a plain value"):
                DaskCloudProviderEnvironment("flights", given)

        assert deploy(program).own == []


def test_what_is_wrong_in_what_is_known_later_is_refused_then(deploy: Deploy) -> None:
    def program() -> None:
        DaskCloudProviderEnvironment(
            "flights", {"image": IMAGE, "worker_resources": {"gpu": pulumi.Output.from_input(1)}}
        )

    with pytest.raises(ArgumentError, match=r"worker_resources\.gpu is 1, expected none: Fargate has no GPU"):
        deploy(program)


def test_a_cluster_of_another_region_is_refused_as_soon_as_the_region_is_known(deploy: Deploy) -> None:
    def program() -> None:
        DaskCloudProviderEnvironment(
            "flights", {"image": IMAGE, "cluster_arn": "arn:aws:ecs:eu-west-2:123456789012:cluster/x"}
        )

    with pytest.raises(ArgumentError, match=r"cluster_arn is .*, expected a cluster of this account and region"):
        deploy(program)
