"""Property bags of Pulumi's protocol, to and from plain values.

Secrets are not asked for (`Configure` says so): the engine unwraps them and marks the outputs of the same names itself.
"""

from datetime import datetime
from typing import Any, Final

from google.protobuf.struct_pb2 import Struct, Value  # type: ignore[import-untyped]

from tests.testbed.aws.provider.values import UNKNOWN, Unknown, Values

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 the protocol's mark of a secret
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWNS: Final = frozenset(
    {
        UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a truth value
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # a list
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # an object
    }
)
"""Texts that stand for what is unknown, one for each type."""


def load(bag: Struct) -> Values:
    """Plain values: secrets unwrapped, whole numbers as `int`, without what is null."""
    return {name: plain for name, value in bag.fields.items() if (plain := _load(value)) is not None}


def _load(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _load_object(value.struct_value)
    if kind == "list_value":
        return [_load(item) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value in UNKNOWNS else value.string_value
    if kind == "number_value":
        return int(value.number_value) if value.number_value.is_integer() else value.number_value
    return value.bool_value if kind == "bool_value" else None


def _load_object(bag: Struct) -> Any:
    mark = bag.fields[SIGNATURE].string_value if SIGNATURE in bag.fields else ""
    if mark in {SECRET, OUTPUT}:
        return _load(bag.fields["value"]) if "value" in bag.fields else UNKNOWN
    return load(bag)


def dump(values: Values) -> Struct:
    """A property bag of plain values, without those that are None."""
    bag = Struct()
    bag.update(_dump(values))
    return bag


def _dump(value: Any) -> Any:
    if isinstance(value, Unknown):
        return UNKNOWN_TEXT
    if isinstance(value, dict):
        return {key: _dump(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_dump(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
