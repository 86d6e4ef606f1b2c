"""What a class of dask-cloudprovider is given: everything that it would create or look up otherwise."""

import inspect
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from dask_cloudprovider.aws import ECSCluster, FargateCluster
from distributed import LocalCluster, SpecCluster

from runner.clusters.provider import fargate_keywords, keywords, provider_class
from runner.errors import UnavailableError
from runner.sections import ECS_CLUSTER, FARGATE_CLUSTER, DaskCloudProvider, Resources
from tests.runner.clusters.ecs_sections import ARN, environment, section_of

CREATED = {
    "cluster_arn": "a cluster",
    "execution_role_arn": "a role",
    "task_role_arn": "a role",
    "cloudwatch_logs_group": "a log group",
    "cloudwatch_logs_stream_prefix": "nothing, but it is in Dask's configuration",
    "vpc": "nothing, but the default one is looked up",
    "subnets": "nothing, but they are looked up",
    "security_groups": "a security group",
    "scheduler_task_definition_arn": "a task definition",
    "worker_task_definition_arn": "a task definition",
}
"""What the class creates, or looks up, where a keyword is missing."""


def given(**section: Any) -> dict[str, Any]:
    target = environment(**section)
    return keywords(target, section_of(target), workers=2)


def test_all_keywords_with_their_values(golden: Callable[[str, bytes], None]) -> None:
    golden("provider-keywords.json", json.dumps(given(), indent=2).encode() + b"\n")


def test_nothing_is_missing_that_would_be_created() -> None:
    assert [name for name in CREATED if not given()[name]] == []
    assert given()["skip_cleanup"] is True


def test_the_installed_class_knows_every_keyword() -> None:
    known = inspect.signature(ECSCluster.__init__).parameters
    used = {*given(), *fargate_keywords(section_of(environment()), ECSCluster), "environment"}

    assert used - known.keys() == set()
    assert CREATED.keys() <= known.keys()
    # What it does not know itself, it passes on.
    assert "security" in inspect.signature(SpecCluster.__init__).parameters
    assert known["kwargs"].kind is inspect.Parameter.VAR_KEYWORD


def test_a_scheduler_in_a_task_of_its_own_has_its_definition() -> None:
    definition = f"{ARN}:task-definition/penstock-flows-scheduler:2"
    found = given(
        scheduler_task_definition_arn=definition,
        scheduler_port=9786,
        scheduler_extra_args=("--preload", "mine"),
        scheduler_idle_timeout_seconds=90,
    )

    assert found["scheduler_task_definition_arn"] == definition
    assert (found["scheduler_port"], found["scheduler_timeout"]) == (9786, "90 seconds")
    assert found["scheduler_extra_args"] == ["--port", "9786", "--preload", "mine"]


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ({"assign_public_ip": True}, "fargate_use_private_ip", False),
        ({"fargate_spot": True}, "fargate_spot", True),
        ({"worker_resources": Resources(cpu_millicores=300, memory_mib=512)}, "worker_cpu", 308),
        (
            {"worker_resources": Resources(cpu_millicores=4000, memory_mib=16384, gpu=1), "fargate_workers": False},
            "worker_gpu",
            1,
        ),
        ({"provider_kwargs": {"worker_nthreads": 8}}, "worker_nthreads", 8),
        ({"provider_kwargs": {"cpu_architecture": "ARM64"}}, "cpu_architecture", "ARM64"),
    ],
)
def test_what_the_stack_says_is_passed_on(section: dict[str, Any], name: str, value: object) -> None:
    assert given(**section)[name] == value


def test_fargatecluster_is_not_told_that_it_is_on_fargate() -> None:
    class Own(FargateCluster):  # type: ignore[misc]
        """A user's."""

    section = section_of(environment(fargate_scheduler=False))

    assert fargate_keywords(section, FargateCluster) == {}
    assert fargate_keywords(section, Own) == {}
    assert fargate_keywords(section, ECSCluster) == {"fargate_scheduler": False, "fargate_workers": True}


def test_the_defaults_are_classes_that_are_installed() -> None:
    assert provider_class(section_of(environment())) is FargateCluster
    assert provider_class(section_of(environment(provider_class=ECS_CLUSTER))) is ECSCluster
    assert provider_class(section_of(environment(provider_class="distributed:LocalCluster"))) is LocalCluster
    (default,) = (item.default for item in fields(DaskCloudProvider) if item.name == "provider_class")
    assert default == FARGATE_CLUSTER


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "no_such:Cluster",
            "(No module named 'no_such'). Put it into the image, or correct provider_class of the stack.",
        ),
        (
            "dask_cloudprovider.aws:Nothing",
            "has no attribute 'Nothing'). Run `pip install 'penstock[dask-cloud-provider]'` in the image.",
        ),
        ("json:__name__", " is 'json', expected a class. Correct provider_class of the stack."),
    ],
)
def test_a_class_that_cannot_be_had_is_told(name: str, message: str) -> None:
    with pytest.raises(UnavailableError) as error:
        provider_class(section_of(environment(provider_class=name)))

    assert str(error.value).startswith(f"The environment's provider_class {name} ")
    assert str(error.value).endswith(message)


def test_a_module_that_cannot_be_imported_for_whatever_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raises_at_import.py").write_text("raise ValueError('no token')")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(UnavailableError, match=r"cannot be imported \(ValueError: no token\)"):
        provider_class(section_of(environment(provider_class="raises_at_import:Cluster")))
