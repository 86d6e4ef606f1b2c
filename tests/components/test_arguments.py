"""The arguments mirror the document's dataclasses, so that no key can be forgotten on either side."""

from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from components.arguments import (
    ExecutorOptions,
    FailurePolicyOptions,
    LocalTimeouts,
    LogOptions,
    RetentionOptions,
    TlsFileOptions,
)
from components.checking import plain_types
from components.dask_kubernetes import DaskKubernetesEnvironmentArgs
from components.ecs_arguments import (
    AwsSecretOptions,
    CapacityProviderOptions,
    PlacementConstraintOptions,
    PlacementStrategyOptions,
    TaskResourceOptions,
    TaskTimeoutOptions,
)
from components.ecs_size import RESOURCES as TASK_RESOURCES
from components.fargate_task import FargateTaskEnvironmentArgs
from components.kubernetes_arguments import ResourceOptions, SecretOptions, TimeoutOptions
from components.kubernetes_job import KubernetesJobEnvironmentArgs
from components.kubernetes_runs import RESOURCES, TIMEOUTS
from components.local import LocalEnvironmentArgs
from components.task_plan import TIMEOUTS as TASK_TIMEOUTS
from runner.environment import Callbacks, Environment, Executor, FailurePolicy, Log, Retention, Timeouts, TlsFiles
from runner.sections import (
    CapacityProvider,
    DaskKubernetes,
    FargateTask,
    Kind,
    KubernetesJob,
    Local,
    PlacementConstraint,
    PlacementStrategy,
    Resources,
)

GROUPS: list[tuple[Any, Any]] = [
    (ExecutorOptions, Executor),
    (TlsFileOptions, TlsFiles),
    (RetentionOptions, Retention),
    (LogOptions, Log),
    (TimeoutOptions, Timeouts),
    (FailurePolicyOptions, FailurePolicy),
    (ResourceOptions, Resources),
    (TaskTimeoutOptions, Timeouts),
    (CapacityProviderOptions, CapacityProvider),
    (PlacementConstraintOptions, PlacementConstraint),
    (PlacementStrategyOptions, PlacementStrategy),
]
PARTS = {item.name for item in fields(Environment)}
SECTIONS = {kind.value.replace("-", "_") for kind in Kind}
NOT_GIVEN = {"schema_version", "kind", "name", "producer", "callbacks", *SECTIONS}
CALLBACKS = {item.name for item in fields(Callbacks)}


@pytest.mark.parametrize(("options", "group"), GROUPS)
def test_a_group_has_the_keys_of_its_dataclass(options: Any, group: Any) -> None:
    assert list(plain_types(options)) == [item.name for item in fields(group)]


@pytest.mark.parametrize(("options", "group"), [*GROUPS, (LocalTimeouts, Timeouts)])
def test_a_key_has_the_type_of_its_field(options: Any, group: Any) -> None:
    mirrors = dict(GROUPS)
    hints = get_type_hints(group)

    for key, plain in plain_types(options).items():
        hint = get_args(hints[key])[0] if isinstance(hints[key], UnionType) else hints[key]
        assert mirrors.get(plain, plain) == {tuple: list}.get(get_origin(hint), hint)


@pytest.mark.parametrize(("options", "group"), [*GROUPS, (LocalTimeouts, Timeouts)])
def test_a_key_is_required_when_neither_its_field_nor_the_component_has_a_default(options: Any, group: Any) -> None:
    components = {
        ResourceOptions: RESOURCES,
        TimeoutOptions: TIMEOUTS,
        TaskTimeoutOptions: TASK_TIMEOUTS,
    }.get(options, {})
    required = {item.name for item in fields(group) if item.default is MISSING and item.default_factory is MISSING}

    assert options.__required_keys__ == required - set(components)


def test_local_has_every_part_of_the_document_that_a_local_environment_can_have() -> None:
    refused = {"image", "resources", "secrets", "failure_policy"}
    section = {item.name for item in fields(Local)}

    assert set(plain_types(LocalEnvironmentArgs)) == PARTS - NOT_GIVEN - refused | CALLBACKS | section | {
        "environment_name"
    }


def test_kubernetes_job_has_every_part_of_the_document() -> None:
    computed = {item.name for item in fields(KubernetesJob)} - {"namespace"}

    missing = (PARTS - NOT_GIVEN | CALLBACKS | {"environment_name", "namespace"}) - set(
        plain_types(KubernetesJobEnvironmentArgs)
    )
    assert missing == set()
    assert computed == {"job"}


def test_dask_kubernetes_has_every_part_of_the_document_and_of_its_section() -> None:
    arguments = plain_types(DaskKubernetesEnvironmentArgs)
    made_from = {"job": "job_spec", "worker": "worker_spec", "executor": "performance_report"}
    parts = PARTS - NOT_GIVEN | CALLBACKS | {"environment_name"} | {item.name for item in fields(DaskKubernetes)}

    assert {made_from.get(part, part) for part in parts} - set(arguments) == set()
    for key in set(made_from) | {"executor"}:
        assert key not in arguments


def test_arguments_of_both_environments_on_kubernetes_are_the_same_in_both() -> None:
    job, dask = KubernetesJobEnvironmentArgs.__annotations__, DaskKubernetesEnvironmentArgs.__annotations__

    assert set(job) - set(dask) == {"executor"}
    assert {key: dask[key] for key in job if key in dask} == {key: job[key] for key in job if key in dask}


def test_fargate_task_has_every_part_of_the_document_and_of_its_section() -> None:
    arguments = set(plain_types(FargateTaskEnvironmentArgs))
    made_from = {"subnets": "subnet_ids", "security_groups": "security_group_ids", "log_group": "log_group_name"}
    made_from |= {"bucket": "bucket_name", "task_definition_arn": "family"}
    # The region is the provider's; the prefix of log streams is nobody's business.
    parts = {item.name for item in fields(FargateTask)} - {"region", "log_stream_prefix"}

    assert PARTS - NOT_GIVEN | CALLBACKS | {"environment_name"} <= arguments
    assert {made_from.get(part, part) for part in parts} <= arguments


def test_a_task_is_asked_for_as_a_pod_but_without_limits() -> None:
    assert set(plain_types(TaskResourceOptions)) == {"cpu_millicores", "memory_mib", "gpu"} >= set(TASK_RESOURCES)
    assert AwsSecretOptions.__required_keys__ == {"env", "arn"}


def test_a_secret_says_where_its_value_stands() -> None:
    assert SecretOptions.__required_keys__ == {"env", "secret", "key"}


@pytest.mark.parametrize(
    "accepted",
    [LocalEnvironmentArgs, KubernetesJobEnvironmentArgs, DaskKubernetesEnvironmentArgs, FargateTaskEnvironmentArgs],
)
def test_no_argument_of_an_environment_must_be_given_whatever_else_is(accepted: Any) -> None:
    assert accepted.__required_keys__ == frozenset()
