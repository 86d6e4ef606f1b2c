"""The document of an environment with Dask workers as tasks of ECS: its defaults, and what contradicts itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runner import environment
from runner.environment import Environment
from runner.errors import ContractError
from runner.sections import FARGATE_CLUSTER, DaskCloudProvider

NEXT_STEP = " Provision it anew with `pulumi up`, then `penstock env pull`."
ECS = "arn:aws:ecs:eu-west-1:123456789012"
SECTION: dict[str, Any] = {
    "region": "eu-west-1",
    "cluster_arn": f"{ECS}:cluster/flows",
    "task_definition_arn": f"{ECS}:task-definition/flows:7",
    "worker_task_definition_arn": f"{ECS}:task-definition/flows-worker:7",
    "execution_role_arn": "arn:aws:iam::123456789012:role/execution",
    "worker_task_role_arn": "arn:aws:iam::123456789012:role/worker",
    "launch_type": "FARGATE",
    "subnets": ["subnet-0a"],
    "vpc_id": "vpc-0a",
    "log_group": "/penstock/flows",
    "log_stream_prefix": "run",
    "worker_resources": {"cpu_millicores": 1000, "memory_mib": 2048},
    "min_workers": 0,
    "max_workers": 4,
    "secrets_prefix": "penstock/flows/",
}
SMALLEST: dict[str, Any] = {
    "schema_version": 1,
    "kind": "dask-cloud-provider",
    "name": "flows",
    "image": "registry.example/flights:1",
    "resources": {"cpu_millicores": 250, "memory_mib": 512},
    "executor": {"type": "dask"},
    "dask_cloud_provider": SECTION,
}
SCHEMA = Draft202012Validator(json.loads(Path(environment.__file__).with_name("environment.schema.json").read_text()))
HERE = "dask_cloud_provider."


def read(document: dict[str, Any]) -> Environment:
    return environment.read(json.dumps(document), warn=pytest.fail)


def with_section(**changes: Any) -> dict[str, Any]:
    return {**SMALLEST, "dask_cloud_provider": {**SECTION, **changes}}


def test_what_is_not_said_is_private_and_dasks_own() -> None:
    found = read(SMALLEST)
    section = found.dask_cloud_provider

    assert isinstance(section, DaskCloudProvider)
    assert SCHEMA.is_valid(SMALLEST)
    assert found.on_ecs is section
    assert found.with_workers is section
    assert (section.provider_class, dict(section.provider_kwargs)) == (FARGATE_CLUSTER, {})
    assert (section.tls, section.assign_public_ip, section.fargate_spot) == (True, False, False)
    assert (section.worker_threads, section.scheduler_port, section.work_stealing) == (1, 8786, True)
    assert (section.scheduler_task_definition_arn, section.min_workers) == (None, 0)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"min_workers": 5}, "min_workers is 5, expected at most the 4 of max_workers."),
        ({"max_workers": 0}, "max_workers is 0, expected a whole number of at least 1."),
        (
            {"secrets_prefix": None},
            "secrets_prefix is missing, expected where the keys of runs go, or tls switched off.",
        ),
        (
            {"fargate_workers": False, "fargate_spot": True},
            "fargate_spot is true, expected false where fargate_workers is.",
        ),
        (
            {"worker_resources": {"cpu_millicores": 1000, "memory_mib": 2048, "gpu": 1}},
            "worker_resources.gpu is 1, expected none: Fargate has no GPUs.",
        ),
        (
            {"worker_task_definition_arn": "arn:aws:ecs:us-east-1:123456789012:task-definition/w:1"},
            "worker_task_definition_arn is in us-east-1, expected one in the region, which is eu-west-1.",
        ),
        ({"provider_class": "FargateCluster"}, 'provider_class is "FargateCluster", expected a class as module:Class.'),
        (
            {"worker_extra_args": ["--resources=X=1", "--nthreads=3"]},
            'worker_extra_args[1] is "--nthreads=3", expected worker_threads instead.',
        ),
        (
            {"scheduler_port": 70_000},
            "scheduler_port is 70000, expected a whole number of at least 1 and of at most 65,535.",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ContractError) as caught:
        read(with_section(**changes))

    assert str(caught.value) == f"environment document: {HERE}{sentence}{NEXT_STEP}"


def test_workers_need_a_network_of_their_own_also_on_instances() -> None:
    with pytest.raises(ContractError, match="subnets is missing, expected at least one: workers reach the run at"):
        read(with_section(launch_type="EC2", subnets=[]))


@pytest.mark.parametrize(
    ("executor", "sentence"),
    [
        ({"type": "inline"}, "executor.type is inline, expected dask: a dask-cloud-provider environment is that."),
        ({"type": "dask", "workers": 2}, "executor.workers is given, expected none: the kind's own section says"),
    ],
)
def test_the_executor_is_the_kinds_own(executor: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ContractError) as caught:
        read({**SMALLEST, "executor": executor})

    assert sentence in str(caught.value)
