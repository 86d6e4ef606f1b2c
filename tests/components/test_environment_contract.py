"""What every environment component must satisfy, whatever its kind."""

import inspect
import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components import ENVIRONMENTS
from components.given import ArgumentError
from runner import __version__
from runner.contract import to_bytes
from runner.environment import read
from runner.sections import Kind
from tests.testbed.pulumi_mocks import PROJECT, STACK, Deploy, RecordingMonitor

SMALLEST: Mapping[Kind, Mapping[str, Any]] = {
    Kind.LOCAL: {},
    Kind.KUBERNETES_JOB: {"image": "registry.example/team/flows:1"},
    Kind.DASK_KUBERNETES: {"image": "registry.example/team/flows:1"},
    Kind.FARGATE_TASK: {"image": "registry.example/team/flows:1"},
    Kind.DASK_CLOUD_PROVIDER: {"image": "registry.example/team/flows:1"},
}
"""Of each kind, the fewest arguments with which it can be provisioned."""

SHARED: Mapping[str, Any] = {
    "environment_name": "analysts",
    "routing_labels": ["gpu", "eu/west"],
    "metadata": {"owner": "data team"},
    "env": {"MODE": "fast"},
    "on_start": "hooks:start",
    "retention": {"failed_seconds": 60},
    "log": {"level": "DEBUG"},
}
"""Arguments that all kinds take."""


@pytest.fixture(params=ENVIRONMENTS, ids=str)
def kind(request: pytest.FixtureRequest) -> Kind:
    return Kind(request.param)


def deployed(deploy: Deploy, kind: Kind, extra: Mapping[str, Any] | None = None, **options: Any) -> RecordingMonitor:
    def program() -> None:
        component = ENVIRONMENTS[kind]("place", {**SMALLEST[kind], **(extra or {})}, **options)
        pulumi.export("environment", component.environment)

    return deploy(program)


def without_null(value: Any) -> Any:
    """The value as Pulumi's mocks hand it on."""
    if isinstance(value, dict):
        return {key: without_null(item) for key, item in value.items() if item is not None}
    return value


def token(kind: Kind) -> str:
    return f"penstock:index:{ENVIRONMENTS[kind].__name__}"


def test_it_is_registered_once_under_its_token_and_name(deploy: Deploy, kind: Kind) -> None:
    monitor = deployed(deploy, kind)

    assert monitor.own[0].type == token(kind)
    assert monitor.own[0].name == "place"
    assert [item.type for item in monitor.own].count(token(kind)) == 1


def test_its_parent_is_the_one_it_is_given(deploy: Deploy, kind: Kind) -> None:
    def program() -> None:
        outer = pulumi.ComponentResource("test:index:Outer", "outer")
        ENVIRONMENTS[kind]("place", SMALLEST[kind], pulumi.ResourceOptions(parent=outer))

    monitor = deploy(program)

    assert monitor.named(token(kind), "place").parent == monitor.named("test:index:Outer", "outer").urn


def test_its_children_have_it_as_their_ancestor(deploy: Deploy, kind: Kind) -> None:
    monitor = deployed(deploy, kind)

    own = monitor.named(token(kind), "place")
    family = {own.urn}
    for item in monitor.own:
        if item != own:
            assert item.parent in family
            family.add(item.urn)


def test_its_arguments_are_its_inputs_in_the_state(deploy: Deploy, kind: Kind) -> None:
    monitor = deployed(deploy, kind, SHARED)

    assert monitor.named(token(kind), "place").inputs == {**SMALLEST[kind], **SHARED}


def test_its_outputs_are_registered_once_and_the_document_is_the_first(deploy: Deploy, kind: Kind) -> None:
    monitor = deployed(deploy, kind)

    (outputs,) = monitor.outputs[monitor.named(token(kind), "place").urn]
    assert outputs["environment"] == without_null(monitor.exports["environment"].value)
    assert next(iter(inspect.get_annotations(ENVIRONMENTS[kind]))) == "environment"


def test_the_runner_reads_the_document_without_a_warning(deploy: Deploy, kind: Kind) -> None:
    document = deployed(deploy, kind, SHARED).exports["environment"].value
    warnings: list[str] = []

    environment = read(json.dumps(document), warn=warnings.append)

    assert warnings == []
    assert environment.kind is kind
    assert to_bytes(environment) == to_bytes(document)


def test_the_shared_arguments_are_in_the_document(deploy: Deploy, kind: Kind) -> None:
    document = deployed(deploy, kind, SHARED).exports["environment"].value

    assert document["name"] == "analysts"
    assert document["routing_labels"] == ["gpu", "eu/west"]
    assert document["metadata"] == {"owner": "data team"}
    assert document["env"] == {"MODE": "fast"}
    assert document["callbacks"]["on_start"] == "hooks:start"
    assert document["retention"]["failed_seconds"] == 60
    assert document["log"]["level"] == "DEBUG"


def test_the_name_is_the_components_own_unless_given(deploy: Deploy, kind: Kind) -> None:
    assert deployed(deploy, kind).exports["environment"].value["name"] == "place"


def test_the_document_says_who_wrote_it(deploy: Deploy, kind: Kind) -> None:
    document = deployed(deploy, kind).exports["environment"].value

    assert document["producer"] == {"version": __version__, "project": PROJECT, "stack": STACK}


def test_the_document_is_not_secret(deploy: Deploy, kind: Kind) -> None:
    assert not deployed(deploy, kind, SHARED).exports["environment"].secret


def test_equal_arguments_give_equal_bytes(deploy: Deploy, kind: Kind) -> None:
    first = deployed(deploy, kind, SHARED).exports["environment"].value
    second = deployed(deploy, kind, dict(reversed(list(SHARED.items())))).exports["environment"].value

    assert to_bytes(first) == to_bytes(second)


def test_an_unknown_argument_is_refused_and_nothing_is_registered(deploy: Deploy, kind: Kind) -> None:
    def program() -> None:
        with pytest.raises(ArgumentError, match="routing_label is unknown, expected routing_labels, the nearest"):
            ENVIRONMENTS[kind]("place", {**SMALLEST[kind], "routing_label": ["gpu"]})

    assert deploy(program).own == []


def test_a_secret_is_refused_and_nothing_is_registered(deploy: Deploy, kind: Kind) -> None:
    def program() -> None:
        ENVIRONMENTS[kind]("place", {**SMALLEST[kind], "env": {"TOKEN": pulumi.Output.secret("hunter2")}})

    with pytest.raises(ArgumentError, match=r"env\.TOKEN is a secret, expected a plain value"):
        deploy(program)

    assert deploy.monitor.own == []


def test_every_kind_has_its_smallest_arguments_here() -> None:
    assert set(SMALLEST) == set(ENVIRONMENTS)
