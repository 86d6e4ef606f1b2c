"""The document of an environment whose runs are tasks of ECS: what it needs, and what contradicts itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from runner.contract import to_bytes
from runner.environment import (
    Action,
    Environment,
    FailurePolicy,
    SecretReference,
    SecretSource,
    Timeouts,
    read,
)
from runner.errors import ContractError
from runner.sections import (
    CapacityProvider,
    FargateTask,
    Kind,
    LaunchType,
    PlacementConstraint,
    PlacementConstraintType,
    PlacementStrategy,
    PlacementStrategyType,
    PropagateTags,
    Resources,
)
from tests.runner.strategies import mutations

NEXT_STEP = " Provision it anew with `pulumi up`, then `penstock env pull`."
ARN_MEANING = "an ARN such as arn:aws:ecs:eu-west-1:123456789012:cluster/flows"
ECS = "arn:aws:ecs:eu-west-1:123456789012"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:warehouse-AbCdEf"  # noqa: S105 the name of one
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/penstock/token"
SECTION: dict[str, Any] = {
    "region": "eu-west-1",
    "cluster_arn": f"{ECS}:cluster/flows",
    "task_definition_arn": f"{ECS}:task-definition/flows:7",
    "launch_type": "FARGATE",
    "subnets": ["subnet-0a"],
    "log_group": "/penstock/flows",
    "log_stream_prefix": "penstock",
}
SMALLEST: dict[str, Any] = {
    "schema_version": 1,
    "kind": "fargate-task",
    "name": "flows",
    "image": "registry.example/flights:1",
    "resources": {"cpu_millicores": 250, "memory_mib": 512},
    "fargate_task": SECTION,
}
FULL = Environment(
    kind=Kind.FARGATE_TASK,
    name="flows",
    image=f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/flights@sha256:{'0a' * 32}",
    resources=Resources(cpu_millicores=2000, memory_mib=8192),
    env={"MODE": "fast"},
    secrets=(
        SecretReference(env="TOKEN", source=SecretSource.AWS_SECRET, id=SECRET, key="token"),
        SecretReference(env="PASSWORD", source=SecretSource.AWS_SECRET, id=PARAMETER),
    ),
    timeouts=Timeouts(queue_seconds=60, start_seconds=300, run_seconds=3600, grace_seconds=115),
    failure_policy=FailurePolicy(retries=2, crash=Action.RETRY, preempted=Action.FAIL),
    fargate_task=FargateTask(
        region="eu-west-1",
        cluster_arn=f"{ECS}:cluster/flows",
        task_definition_arn=f"{ECS}:task-definition/flows:7",
        capacity_provider_strategy=(
            CapacityProvider(provider="FARGATE", base=1),
            CapacityProvider(provider="FARGATE_SPOT", weight=4),
        ),
        subnets=("subnet-0a", "subnet-0b"),
        security_groups=("sg-0a",),
        assign_public_ip=True,
        platform_version="1.4.0",
        log_group="/penstock/flows",
        log_stream_prefix="penstock",
        bucket="penstock-flows-0a1b",
        task_group="reports",
        placement_strategy=(
            PlacementStrategy(type=PlacementStrategyType.SPREAD, field="attribute:ecs.availability-zone"),
            PlacementStrategy(type=PlacementStrategyType.RANDOM),
        ),
        run_placement_constraints=(
            PlacementConstraint(type=PlacementConstraintType.MEMBER_OF, expression="attribute:gpu == true"),
        ),
        enable_ecs_managed_tags=False,
        propagate_tags=PropagateTags.NONE,
        enable_execute_command=True,
    ),
)
WEIGHT = "fargate_task.capacity_provider_strategy[0].weight"
CONSTRAINT = "fargate_task.run_placement_constraints[0].type"
SCHEMA_FILE = Path(__file__).parents[2] / "runner" / "environment.schema.json"
SCHEMA = Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))


def _task(**changes: Any) -> dict[str, Any]:
    """The smallest section with changes; one that is null is left out."""
    section = {**SECTION, **changes}
    return {"fargate_task": {name: value for name, value in section.items() if value is not None}}


def _secret(**changes: Any) -> dict[str, Any]:
    return {"secrets": [{"env": "A", "source": "aws-secret", "id": SECRET, **changes}]}


def test_a_document_is_written_as_the_same_bytes_as_ever_and_read_back_from_them(golden: Any) -> None:
    data = to_bytes(FULL)

    golden("environment-fargate-task.json", data)
    assert read(data, warn=pytest.fail) == FULL
    assert list(SCHEMA.iter_errors(json.loads(data))) == []
    assert FULL.on_ecs == FULL.fargate_task
    assert FULL.on_kubernetes is None


def test_nothing_of_the_smallest_can_be_left_out() -> None:
    assert list(SCHEMA.iter_errors(SMALLEST)) == []
    for key in SMALLEST:
        with pytest.raises(ContractError, match=f"^environment document: {key} is missing"):
            read(json.dumps({name: value for name, value in SMALLEST.items() if name != key}), warn=pytest.fail)
    for key in SECTION:
        with pytest.raises(ContractError, match=rf"^environment document: fargate_task\.{key} is missing"):
            read(json.dumps({**SMALLEST, **_task(**{key: None})}), warn=pytest.fail)


def test_what_is_left_out_has_the_defaults_that_the_reference_tells() -> None:
    found = read(json.dumps(SMALLEST), warn=pytest.fail)

    assert found.fargate_task == FargateTask(
        region="eu-west-1",
        cluster_arn=f"{ECS}:cluster/flows",
        task_definition_arn=f"{ECS}:task-definition/flows:7",
        launch_type=LaunchType.FARGATE,
        capacity_provider_strategy=(),
        subnets=("subnet-0a",),
        security_groups=(),
        assign_public_ip=False,
        platform_version=None,
        log_group="/penstock/flows",
        log_stream_prefix="penstock",
        bucket=None,
        task_group=None,
        placement_strategy=(),
        run_placement_constraints=(),
        enable_ecs_managed_tags=True,
        propagate_tags=PropagateTags.TASK_DEFINITION,
        enable_execute_command=False,
    )
    spot = read(
        json.dumps({**SMALLEST, **_task(launch_type=None, capacity_provider_strategy=[{"provider": "FARGATE_SPOT"}])}),
        warn=pytest.fail,
    )
    assert spot.fargate_task is not None
    assert spot.fargate_task.capacity_provider_strategy == (
        CapacityProvider(provider="FARGATE_SPOT", weight=1, base=0),
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_task(region="Ireland"), 'fargate_task.region is "Ireland", expected an AWS region such as eu-west-1.'),
        (_task(cluster_arn="flows"), f'fargate_task.cluster_arn is "flows", expected {ARN_MEANING}.'),
        (
            _task(task_definition_arn="flows:7"),
            f'fargate_task.task_definition_arn is "flows:7", expected {ARN_MEANING}.',
        ),
        (
            _task(launch_type="fargate"),
            'fargate_task.launch_type is "fargate", expected one of FARGATE, EC2, EXTERNAL.',
        ),
        (_task(subnets="subnet-0a"), 'fargate_task.subnets is "subnet-0a", expected a list.'),
        (_task(assign_public_ip=1), "fargate_task.assign_public_ip is 1, expected true or false."),
        (
            _task(propagate_tags="SERVICE"),
            'fargate_task.propagate_tags is "SERVICE", expected one of TASK_DEFINITION, NONE.',
        ),
        (
            _task(launch_type=None, capacity_provider_strategy=[{"provider": "FARGATE", "weight": 1001}]),
            f"{WEIGHT} is 1001, expected a whole number of at least 0 and of at most 1,000.",
        ),
        (
            _task(placement_strategy=[{"type": "pack"}]),
            'fargate_task.placement_strategy[0].type is "pack", expected one of spread, binpack, random.',
        ),
        (
            _task(run_placement_constraints=[{"type": "notMemberOf"}]),
            f'{CONSTRAINT} is "notMemberOf", expected one of distinctInstance, memberOf.',
        ),
    ],
    ids=range(10),
)
def test_the_reader_refuses_in_one_sentence_and_the_schema_refuses_too(change: dict[str, Any], sentence: str) -> None:
    document = {**SMALLEST, **change}

    with pytest.raises(ContractError) as caught:
        read(json.dumps(document), warn=pytest.fail)

    assert str(caught.value) == f"environment document: {sentence}{NEXT_STEP}"
    assert not SCHEMA.is_valid(document)


EITHER = "expected either launch_type or capacity_provider_strategy"
SPOT = [{"provider": "FARGATE_SPOT"}]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_task(launch_type=None), f"fargate_task.launch_type is missing, {EITHER}."),
        (
            _task(capacity_provider_strategy=SPOT),
            f"fargate_task.launch_type is given beside capacity_provider_strategy, {EITHER}.",
        ),
        (_task(subnets=[]), "fargate_task.subnets is missing, expected at least one for tasks on Fargate."),
        (
            _task(launch_type="EC2", subnets=[], assign_public_ip=True),
            "fargate_task.assign_public_ip is true, expected false where there are no subnets.",
        ),
        (
            {"resources": {"cpu_millicores": 250, "memory_mib": 512, "memory_limit_mib": 512}},
            "resources.memory_limit_mib is given, expected none: a task gets what it asks for, and no more.",
        ),
        (
            {"resources": {"cpu_millicores": 250, "memory_mib": 512, "cpu_limit_millicores": 500}},
            "resources.cpu_limit_millicores is given, expected none: a task gets what it asks for, and no more.",
        ),
        (
            {"timeouts": {"grace_seconds": 115.5}},
            "timeouts.grace_seconds is 115.5, expected at most 115, since ECS kills at 120.",
        ),
        (_secret(source="kubernetes-secret", key="k"), "secrets[0].source is kubernetes-secret, expected aws-secret."),
        (_secret(id="warehouse"), f"secrets[0].id is 'warehouse', expected {ARN_MEANING}."),
        (_secret(id=f"{SECRET} "), f"secrets[0].id is '{SECRET} ', expected {ARN_MEANING}."),
        (
            {"env": {"A": "1"}, **_secret()},
            "secrets is a second value for A, expected each variable once, in env or in secrets.",
        ),
        ({"local": {}}, "local is given, expected only fargate_task, the section of kind fargate-task."),
        (
            {"kubernetes_job": {"namespace": "a", "job": {}}},
            "kubernetes_job is given, expected only fargate_task, the section of kind fargate-task.",
        ),
        ({"fargate_task": None}, "fargate_task is missing, expected the section of kind fargate-task."),
        ({"image": None}, "image is missing, expected what every run of kind fargate-task needs."),
        ({"resources": None}, "resources is missing, expected what every run of kind fargate-task needs."),
    ],
    ids=range(16),
)
def test_fields_that_contradict_each_other_are_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ContractError) as caught:
        read(json.dumps({**SMALLEST, **change}), warn=pytest.fail)

    assert str(caught.value) == f"environment document: {sentence}{NEXT_STEP}"


@pytest.mark.parametrize(
    "change",
    [
        _secret(id=PARAMETER),
        _secret(key="token"),
        _secret(id="arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a-AbCdEf"),
        {"timeouts": {"grace_seconds": 115}},
        _task(launch_type="EC2", subnets=[]),
        _task(launch_type="EXTERNAL", subnets=[]),
        _task(launch_type=None, capacity_provider_strategy=[{"provider": "own"}], subnets=[]),
        {"resources": {"cpu_millicores": 1000, "memory_mib": 2048, "gpu": 1}},
    ],
    ids=range(8),
)
def test_what_ecs_takes_is_taken(change: dict[str, Any]) -> None:
    document = {**SMALLEST, **change}

    found = read(json.dumps(document), warn=pytest.fail)

    assert read(to_bytes(found), warn=pytest.fail) == found
    assert list(SCHEMA.iter_errors(document)) == []


@given(mutations(to_bytes(FULL)))
def test_nothing_that_is_read_raises_anything_but_a_contract_error(data: str) -> None:
    try:
        environment = read(data, warn=lambda _: None)
    except ContractError:
        return
    assert read(to_bytes(environment), warn=pytest.fail) == environment
