"""The whole life of one resource of every type."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.aws_provider.specimens import SPECIMENS
from tests.testbed.aws.provider.resource import names
from tests.testbed.aws.provider.resource_types import TYPES
from tests.testbed.aws.provider.sdk import sdk_type
from tests.testbed.pulumi_aws import Direct

Made = dict[str, tuple[str, dict[str, Any], dict[str, Any]]]


@contextmanager
def there(direct: Direct, *short: str) -> Iterator[Made]:
    """Specimens, in this order; gone at the end."""
    made: Made = {}
    with ExitStack() as stack:
        for name in short:
            token = SPECIMENS[name].resource
            made[name] = direct.create(token, **filled(SPECIMENS[name].inputs, made))
            stack.callback(direct.delete, token, made[name][0], made[name][2])
        yield made


def filled(inputs: dict[str, Any], made: Made) -> dict[str, Any]:
    return {name: _value(value, made) for name, value in inputs.items()}


def _value(value: Any, made: Made) -> Any:
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    short, output = value[1:].split(".")
    return made[short][0] if output == "id" else made[short][2][output]


def test_every_type_has_a_specimen() -> None:
    assert {specimen.resource for specimen in SPECIMENS.values()} == set(TYPES)


@pytest.mark.parametrize("short", SPECIMENS)
def test_it_is_made_read_changed_and_deleted(direct: Direct, short: str) -> None:
    specimen = SPECIMENS[short]
    token = specimen.resource
    with there(direct, *specimen.needs) as made:
        given = filled(specimen.inputs, made)
        id_, inputs, outputs = direct.create(token, **given)

        assert outputs_of(token) - outputs.keys() == specimen.lacks
        assert direct.read(token, id_, outputs, inputs) == (id_, inputs, outputs)
        assert not direct.diff(token, inputs, inputs).diffs
        imported, again, _ = direct.read(token, outputs["arn"] if short == "task" else id_)
        assert imported == id_
        # What AWS does not keep cannot be imported.
        assert set(given) - {"insecureValue"} - names(TYPES[token].local) <= set(again)

        if specimen.change:
            changed, wrong = direct.check(token, **{**given, **names_of(inputs), **specimen.change})
            assert wrong == []
            diff = direct.diff(token, inputs, changed)
            assert set(diff.diffs) - {"tagsAll"} == set(specimen.change)
            assert not diff.replaces
            outputs = direct.update(token, id_, outputs, inputs, changed)
            assert {name: outputs[name] for name in specimen.change} == specimen.change
            assert direct.read(token, id_, outputs, changed) == (id_, changed, outputs)

        direct.delete(token, id_, outputs)
        assert direct.read(token, id_, outputs, inputs)[0] == (id_ if specimen.stays else "")
        direct.delete(token, id_, outputs)


def test_a_gateway_is_moved_to_another_network(direct: Direct) -> None:
    token = SPECIMENS["internet gateway"].resource
    with there(direct, "vpc") as made, there(direct, "vpc") as other:
        first, second = made["vpc"][0], other["vpc"][0]
        id_, inputs, outputs = direct.create(token, vpcId=first)
        changed, _ = direct.check(token, vpcId=second)
        assert not direct.diff(token, inputs, changed).replaces

        outputs = direct.update(token, id_, outputs, inputs, changed)

        assert direct.read(token, id_, outputs, changed) == (id_, changed, outputs)
        assert outputs["vpcId"] == second
        direct.delete(token, id_, outputs)


def test_a_database_is_renamed_and_changed_at_once(direct: Direct) -> None:
    specimen = SPECIMENS["database"]
    id_, inputs, outputs = direct.create(specimen.resource, **specimen.inputs, identifier="runs")
    changed, _ = direct.check(specimen.resource, **{**specimen.inputs, "identifier": "flows", "allocatedStorage": 40})
    assert not direct.diff(specimen.resource, inputs, changed).replaces

    outputs = direct.update(specimen.resource, id_, outputs, inputs, changed)

    assert direct.read(specimen.resource, id_, outputs, changed) == (id_, changed, outputs)
    assert (outputs["identifier"], outputs["allocatedStorage"]) == ("flows", 40)
    direct.delete(specimen.resource, id_, outputs)


def outputs_of(token: str) -> set[str]:
    """Outputs that the SDK promises and that are no inputs."""
    known = sdk_type(token)
    return {name for name in known.outputs - known.inputs.keys() if name != "tagsAll" or TYPES[token].tagging}


def names_of(inputs: dict[str, Any]) -> dict[str, Any]:
    """The name that the provider has made, as the engine keeps it."""
    return {name: inputs[name] for name in inputs.get("__defaults", ()) if name in {"name", "bucket", "identifier"}}
