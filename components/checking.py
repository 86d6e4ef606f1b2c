"""Checks a component's arguments against its TypedDict, as far as they are known.

Guarantees: an Output matches wherever the TypedDict has an Input, and nowhere else. Every refusal is a `ContractError`
with the path of what is wrong.
"""

import difflib
import inspect
from collections.abc import Awaitable, Mapping
from enum import Enum
from typing import Any, NotRequired, Union, cast, get_args, get_origin, is_typeddict

import pulumi

from runner.contract import broken_rule, describe

WORDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}


def plain_types(accepted: type) -> dict[str, type]:
    """The type of each key of a TypedDict of arguments, once it is known: int for NotRequired[Input[int]]."""
    return {key: cast(type, get_origin(hint) or hint) for key, hint in _hints(accepted).items()}


def item_type(accepted: type, key: str) -> type | None:
    """The type of the items of a key that is a list, once they are known; None of any other."""
    hint = _hints(accepted)[key]
    return cast(type, _known(get_args(hint)[0])) if get_origin(hint) is list else None


def check_keys(value: object, accepted: type, path: str = "") -> None:
    """Refuse keys that the TypedDict does not have, and Outputs where it has no Input; in it and in those inside it.

    Args:
        value: the arguments.
        accepted: the TypedDict.
        path: where they stand in the whole, with a dot at the end.

    Raises:
        ContractError: there is such a key or Output.
    """
    if not isinstance(value, Mapping):
        return
    annotations = inspect.get_annotations(accepted)
    for key, item in value.items():
        if key not in annotations:
            near = difflib.get_close_matches(str(key), annotations, n=1)
            expected = f"{path}{near[0]}, the nearest known key" if near else f"one of {', '.join(sorted(annotations))}"
            raise broken_rule(f"{path}{key}", "unknown", expected)
        if _is_output(item):
            if not _takes_output(annotations[key]):
                raise broken_rule(f"{path}{key}", "an Output", "a plain value: what is created depends on it")
            continue
        hint = _known(annotations[key])
        if is_typeddict(hint):
            check_keys(item, cast(type, hint), f"{path}{key}.")
        if get_origin(hint) is list and isinstance(item, list | tuple):
            inner = _known(get_args(hint)[0])
            for i, element in enumerate(item if is_typeddict(inner) else ()):
                check_keys(element, cast(type, inner), f"{path}{key}[{i}].")


def check_types(value: object, accepted: type, key: str) -> None:
    """Refuse what is not of the type that a key of the TypedDict has.

    Raises:
        ContractError: something in the value is not.
    """
    _check(value, inspect.get_annotations(accepted)[key], key)


def _check(value: object, annotation: Any, path: str) -> None:
    if _is_output(value):
        return
    hint = _known(annotation)
    if is_typeddict(hint):
        _check_group(value, cast(type, hint), path)
    elif get_origin(hint) is list:
        _check_list(value, get_args(hint)[0], path)
    elif get_origin(hint) is dict:
        _check_mapping(value, get_args(hint)[1], path)
    elif hint is not Any:
        _check_scalar(value, hint, path)


def _check_list(value: object, item_annotation: Any, path: str) -> None:
    if not isinstance(value, list | tuple):
        raise broken_rule(path, describe(value), "a list")
    for i, item in enumerate(value):
        _check(item, item_annotation, f"{path}[{i}]")


def _check_mapping(value: object, item_annotation: Any, path: str) -> None:
    if not isinstance(value, Mapping):
        raise broken_rule(path, describe(value), "a mapping")
    for key, item in value.items():
        if not isinstance(key, str):
            raise broken_rule(f"a key of {path}", describe(key), "text")
        _check(item, item_annotation, f"{path}.{key}")


def _check_group(value: object, accepted: type, path: str) -> None:
    if not isinstance(value, Mapping):
        raise broken_rule(path, describe(value), "a mapping")
    for key, annotation in inspect.get_annotations(accepted).items():
        if key in value:
            _check(value[key], annotation, f"{path}.{key}")
        elif key in cast(Any, accepted).__required_keys__:
            raise broken_rule(f"{path}.{key}", "missing", "a value")


def _check_scalar(value: object, wanted: type, path: str) -> None:
    if issubclass(wanted, Enum):
        fits, expected = value in list(wanted), f"one of {', '.join(member.value for member in wanted)}"
    elif wanted in (int, float):
        # On Pulumi's wire every number is a float.
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        fits = not isinstance(value, bool) and (whole if wanted is int else isinstance(value, int | float))
        expected = WORDS[wanted]
    else:
        fits, expected = isinstance(value, wanted), WORDS[wanted]
    if not fits:
        raise broken_rule(path, describe(value), expected)


def _hints(accepted: type) -> dict[str, Any]:
    # Not get_type_hints: pulumi.Input holds a forward reference that only resolves inside Pulumi.
    return {key: _known(annotation) for key, annotation in inspect.get_annotations(accepted).items()}


def _known(annotation: Any) -> Any:
    """The type behind NotRequired and Input."""
    wrapped = get_origin(annotation) in (NotRequired, Union)
    return _known(get_args(annotation)[0]) if wrapped else annotation


def _takes_output(annotation: Any) -> bool:
    inner = get_args(annotation)[0] if get_origin(annotation) is NotRequired else annotation
    return get_origin(inner) is Union


def _is_output(value: object) -> bool:
    return isinstance(value, pulumi.Output | Awaitable)
