"""Pulumi.yaml declares exactly the options that exist, and repeats no default."""

from pathlib import Path
from typing import Any, get_type_hints, is_typeddict

import pytest
import yaml

import stacks
from components import ENVIRONMENTS
from components.checking import item_type, plain_types

CHECKOUT = Path(stacks.__file__).parent.parent
PROJECT: dict[str, Any] = yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())
ARGUMENTS = {
    key: plain
    for component in ENVIRONMENTS.values()
    for key, plain in plain_types(get_type_hints(component.__init__)["args"]).items()
}
OPTIONS = {key: option for key, option in PROJECT["config"].items() if ":" not in key}
GROUPS: list[tuple[str, Any]] = [
    (key, group)
    for component in ENVIRONMENTS.values()
    for accepted in [get_type_hints(component.__init__)["args"]]
    for key, plain in plain_types(accepted).items()
    for group in [item_type(accepted, key) if plain is list else plain]
    if is_typeddict(group)
]
"""Options that are mappings of known keys, or lists of such, of every kind."""
EMPTY: dict[str, object] = {"string": "", "array": [], "object": {}}


def test_it_declares_the_kind_and_every_argument_of_every_kind() -> None:
    assert set(OPTIONS) == {"kind", *ARGUMENTS}


def test_only_the_kind_must_be_given() -> None:
    assert [key for key, option in OPTIONS.items() if "default" not in option] == ["kind"]


def test_the_kubernetes_provider_changes_documents_and_logins_in_place() -> None:
    others = {key: option for key, option in PROJECT["config"].items() if key not in OPTIONS}

    assert others == {
        "kubernetes:enableConfigMapMutable": {"value": True},
        "kubernetes:enableSecretMutable": {"value": True},
    }


def test_its_description_names_the_kinds_that_can_be_provisioned() -> None:
    assert all(kind in PROJECT["config"]["kind"]["description"] for kind in ENVIRONMENTS)


@pytest.mark.parametrize("key", ARGUMENTS)
def test_an_option_has_its_arguments_type_and_an_empty_default(key: str) -> None:
    option, plain = PROJECT["config"][key], ARGUMENTS[key]

    wanted = "object" if is_typeddict(plain) or plain is dict else "array" if plain is list else "string"
    assert option["type"] == wanted
    assert option["default"] == EMPTY[wanted]


@pytest.mark.parametrize("key", ["kind", *ARGUMENTS])
def test_an_option_is_described_in_whole_sentences(key: str) -> None:
    assert PROJECT["config"][key]["description"].endswith(".")


@pytest.mark.parametrize(("key", "group"), GROUPS, ids=[f"{key}-{group.__name__}" for key, group in GROUPS])
def test_the_description_of_a_group_names_its_keys(key: str, group: Any) -> None:
    assert all(inner in PROJECT["config"][key]["description"] for inner in plain_types(group))


def test_the_paths_it_names_are_relative_to_it() -> None:
    assert (CHECKOUT / PROJECT["main"] / "__main__.py").is_file()
    assert (CHECKOUT / PROJECT["stackConfigDir"] / "Pulumi.local.yaml").is_file()
