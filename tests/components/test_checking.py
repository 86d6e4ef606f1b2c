from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pytest

from components.arguments import ExecutorOptions
from components.checking import check_keys, check_types, item_type, plain_types
from runner.environment import LogLevel
from runner.errors import ContractError
from tests.testbed.pulumi_mocks import mocked_pulumi


class Item(TypedDict):
    name: pulumi.Input[str]
    size: NotRequired[pulumi.Input[int]]


class Sample(TypedDict):
    required: pulumi.Input[str]
    number: NotRequired[pulumi.Input[int]]
    ratio: NotRequired[pulumi.Input[float]]
    choice: NotRequired[pulumi.Input[LogLevel]]
    group: NotRequired[pulumi.Input[ExecutorOptions]]
    texts: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    items_: NotRequired[pulumi.Input[list[pulumi.Input[Item]]]]
    labels: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    free: NotRequired[pulumi.Input[Any]]
    plain: NotRequired[bool]


def test_the_plain_types_of_arguments() -> None:
    assert plain_types(Sample) == {
        "required": str,
        "number": int,
        "ratio": float,
        "choice": LogLevel,
        "group": ExecutorOptions,
        "texts": list,
        "items_": list,
        "labels": dict,
        "free": Any,
        "plain": bool,
    }


def test_the_type_of_the_items_of_a_list() -> None:
    assert item_type(Sample, "items_") is Item
    assert item_type(Sample, "texts") is str
    assert item_type(Sample, "group") is None


@pytest.mark.parametrize(
    ("value", "path", "expected"),
    [
        ({"requierd": "x"}, "requierd", "required, the nearest known key"),
        ({"group": {"wokers": 1}}, "group.wokers", "group.workers, the nearest known key"),
        ({"items_": [{}, {"nam": "x"}]}, "items_[1].nam", "items_[1].name, the nearest known key"),
        ({"zzz": 1}, "zzz", "one of choice, free, group, items_, labels, number, plain, ratio, required, texts"),
    ],
)
def test_an_unknown_key_is_refused_at_any_depth(value: Any, path: str, expected: str) -> None:
    with pytest.raises(ContractError) as refusal:
        check_keys(value, Sample)

    assert (refusal.value.path, refusal.value.found, refusal.value.expected) == (path, "unknown", expected)


WRONG: Mapping[str, tuple[str, Any, str, str]] = {
    "a number for text": ("required", 1, "required", "text"),
    "text for a number": ("number", "4", "number", "a whole number"),
    "a fraction for a whole number": ("number", 4.5, "number", "a whole number"),
    "a truth value for a number": ("ratio", True, "ratio", "a number"),
    "a word that is none": ("choice", "LOUD", "choice", "one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
    "text for a list": ("texts", "a", "texts", "a list"),
    "a number in a list": ("texts", ["a", 1], "texts[1]", "text"),
    "text for a group": ("group", "dask", "group", "a mapping"),
    "text for a mapping": ("labels", "a", "labels", "a mapping"),
    "a number in a mapping": ("labels", {"a": 1}, "labels.a", "text"),
    "a key that is no text": ("labels", {1: "a"}, "a key of labels", "text"),
    "an item without what it must have": ("items_", [{"size": 1}], "items_[0].name", "a value"),
    "a number for a truth value": ("plain", 1, "plain", "true or false"),
}


@pytest.mark.parametrize(("key", "value", "path", "expected"), WRONG.values(), ids=WRONG)
def test_a_value_of_another_type_is_refused(key: str, value: Any, path: str, expected: str) -> None:
    with pytest.raises(ContractError) as refusal:
        check_types(value, Sample, key)

    assert (refusal.value.path, refusal.value.expected) == (path, expected)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("number", 4.0),
        ("ratio", 4),
        ("choice", "INFO"),
        ("choice", LogLevel.INFO),
        ("texts", ("a", "b")),
        ("items_", [{"name": "x"}]),
        ("free", object()),
    ],
)
def test_a_value_of_the_type_is_not_refused(key: str, value: Any) -> None:
    check_types(value, Sample, key)


def test_an_output_matches_where_it_is_allowed_and_the_rest_is_checked_all_the_same() -> None:
    with mocked_pulumi():
        later = pulumi.Output.from_input("x")
        check_keys({"required": later, "items_": [later, {"name": later}]}, Sample)
        check_types([later, {"name": later}], Sample, "items_")

        with pytest.raises(ContractError, match=r"items_\[1\]\.size is \"big\""):
            check_types([later, {"name": later, "size": "big"}], Sample, "items_")
        with pytest.raises(ContractError, match="plain is an Output, expected a plain value: what is created depends"):
            check_keys({"plain": later}, Sample)
