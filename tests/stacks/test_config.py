import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pulumi
import pytest
from pulumi.runtime.config import set_all_config

from runner.sections import Kind
from stacks.config import StackConfig, load
from tests.testbed.pulumi_mocks import mocked_pulumi

Load = Callable[..., StackConfig]


@pytest.fixture
def load_from(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads a configuration as Pulumi hands it over: all values are text."""

    def load_from(values: Mapping[str, str], secrets: tuple[str, ...] = ()) -> StackConfig:
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps(values))
        set_all_config(dict(values), list(secrets))
        return load()

    pulumi.runtime.reset_options(project="penstock", stack="dev")
    yield load_from
    set_all_config({}, [])
    pulumi.runtime.reset_options()


def refused(load_from: Load, values: Mapping[str, str], secrets: tuple[str, ...] = ()) -> str:
    with pytest.raises(pulumi.RunError) as refusal:
        load_from(values, secrets)
    return str(refusal.value)


def test_the_kind_and_the_stacks_name_stand_apart_from_the_arguments(load_from: Load) -> None:
    config = load_from({"penstock:kind": "local", "penstock:environment_name": "analysts"})

    assert config == StackConfig(stack="dev", kind=Kind.LOCAL, arguments={"environment_name": "analysts"})


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("environment_name", "42", "42"),
        ("environment_name", "true", "true"),
        ("on_start", '["a"]', '["a"]'),
        ("routing_labels", '["gpu"]', ["gpu"]),
        ("executor", '{"type":"dask","workers":4}', {"type": "dask", "workers": 4}),
        ("env", '{"N":"4"}', {"N": "4"}),
        ("executor", "dask", "dask"),
        ("unheard_of", "{}", {}),
    ],
)
def test_text_stays_text_and_everything_else_is_what_the_file_has(
    load_from: Load, key: str, written: str, value: Any
) -> None:
    assert load_from({"penstock:kind": "local", f"penstock:{key}": written}).arguments == {key: value}


@pytest.mark.parametrize(
    ("key", "empty"), [("python", ""), ("routing_labels", "[]"), ("executor", "{}"), ("create_namespace", "")]
)
def test_an_empty_value_is_as_if_it_were_not_given(load_from: Load, key: str, empty: str) -> None:
    assert load_from({"penstock:kind": "local", f"penstock:{key}": empty}).arguments == {}


def test_keys_of_other_namespaces_are_none_of_ours(load_from: Load) -> None:
    values = {"penstock:kind": "local", "aws:region": "eu-west-1", "penstocks:kind": "x"}

    assert load_from(values, secrets=("aws:region",)).arguments == {}


def test_a_kind_that_cannot_be_provisioned_is_refused(load_from: Load) -> None:
    assert refused(load_from, {"penstock:kind": "locale"}) == (
        'penstock:kind is "locale", expected one of local, kubernetes-job, dask-kubernetes, fargate-task, '
        "dask-cloud-provider. Correct it in stacks/Pulumi.dev.yaml."
    )


def test_a_missing_kind_is_refused(load_from: Load) -> None:
    assert refused(load_from, {}) == (
        "penstock:kind is missing, expected one of local, kubernetes-job, dask-kubernetes, fargate-task, "
        "dask-cloud-provider. Correct it in stacks/Pulumi.dev.yaml."
    )


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("create_namespace", "false", False),
        ("service_mesh", "true", True),
        ("create_namespace", "no", "no"),
        ("pod_security", "baseline", "baseline"),
        ("quota", '{"pods":4}', {"pods": 4}),
        ("volumes", '[{"name":"data"}]', [{"name": "data"}]),
        ("job_spec", "jobs/flow.yaml", "jobs/flow.yaml"),
        ("namespace", "42", "42"),
    ],
)
def test_values_of_other_kinds_of_environment(load_from: Load, key: str, written: str, value: Any) -> None:
    values = {"penstock:kind": "kubernetes-job", f"penstock:{key}": written}

    assert load_from(values).arguments == {key: value}


def test_a_key_that_must_be_secret_is_handed_on_as_a_secret(load_from: Load) -> None:
    written = [{"server": "registry.example", "username": "bob", "password": "hunter2"}]
    values = {"penstock:kind": "kubernetes-job", "penstock:registry_credentials": json.dumps(written)}

    async def known(output: pulumi.Output[Any]) -> tuple[Any, bool]:
        return await output.future(), await output.is_secret()

    with mocked_pulumi():
        arguments = load_from(values, secrets=("penstock:registry_credentials",)).arguments
        (key, output), *others = arguments.items()
        assert isinstance(output, pulumi.Output)
        value = asyncio.get_event_loop().run_until_complete(known(output))

    assert (key, value, others) == ("registry_credentials", (written, True), [])


@pytest.mark.parametrize("key", ["env", "kind", "unheard_of"])
def test_a_secret_is_refused_and_not_shown(load_from: Load, key: str) -> None:
    values = {"penstock:kind": "local", f"penstock:{key}": "hunter2"}

    assert refused(load_from, values, secrets=(f"penstock:{key}",)) == (
        f"penstock:{key} is a secret, expected plain text: the environment document never holds a secret. "
        "Correct it in stacks/Pulumi.dev.yaml."
    )
