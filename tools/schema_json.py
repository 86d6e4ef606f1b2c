"""JSON Schemas (draft 2020-12) of the contracts, from their dataclasses."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any

from runner import contract
from tools.schema_docs import attribute_docs, classes_in, is_enum, one_line, shape_of

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
RULES = {"minimum": "minimum", "above": "exclusiveMinimum", "maximum": "maximum"}
VERSION = "Version of this schema. A reader refuses any other."


def schema_of(cls: type, *, title: str) -> Schema:
    """Describes a dataclass and everything in it.

    Returns:
        The schema, as JSON values.
    """
    definitions = {kind.__name__: _enum(kind) if is_enum(kind) else _object(kind) for kind in classes_in(cls)}
    return {"$schema": DRAFT, "title": title, **_object(cls), "$defs": definitions}


def _object(cls: type) -> Schema:
    items = fields(cls)
    docs = attribute_docs(cls)
    return {
        "type": "object",
        "description": one_line(cls.__doc__),
        "properties": {contract.key_of(item): _property(item, docs.get(item.name)) for item in items},
        "required": [contract.key_of(item) for item in items if is_required(item)],
        # A reader warns about keys that it does not know, and goes on.
        "additionalProperties": True,
    }


def is_required(item: Field[Any]) -> bool:
    """Tells whether a reader refuses an object without this field."""
    return item.name == "schema_version" or (item.default is MISSING and item.default_factory is MISSING)


def default_of(item: Field[Any]) -> object:
    """Gives the JSON value that stands for a field which is absent."""
    return contract.encode(item.default if item.default_factory is MISSING else item.default_factory())


def _property(item: Field[Any], description: str | None) -> Schema:
    if item.name == "schema_version":
        return {"const": item.default, "description": VERSION}
    result = _of_type(item)
    if description is not None:
        result["description"] = description
    if not is_required(item):
        result["default"] = default_of(item)
    return result


def _of_type(item: Field[Any]) -> Schema:
    shape = shape_of(item.type)
    single = _single(shape.kind, item)
    if shape.container == "list":
        return {"type": "array", "items": single}
    if shape.container == "mapping":
        keys = {"propertyNames": {"pattern": anchored(item.metadata["keys"])}} if "keys" in item.metadata else {}
        return {"type": "object", "additionalProperties": single or True, **keys}
    if not shape.nullable:
        return single
    if "$ref" in single:
        return {"anyOf": [single, {"type": "null"}]}
    # The rules beside a type say nothing about null.
    return {**single, "type": [single["type"], "null"]}


def _single(kind: type, item: Field[Any]) -> Schema:
    if kind is object:
        return {}
    if kind not in TYPES:
        return {"$ref": f"#/$defs/{kind.__name__}"}
    rules = {word: item.metadata[rule] for rule, word in RULES.items() if rule in item.metadata}
    pattern = {"pattern": anchored(item.metadata["pattern"])} if "pattern" in item.metadata else {}
    return {"type": TYPES[kind], **rules, **pattern}


def anchored(pattern: str) -> str:
    """Makes a pattern that is to match as a whole: those of JSON Schema match anywhere."""
    return f"^({pattern})$"


def _enum(kind: type) -> Schema:
    assert is_enum(kind)  # noqa: S101 the caller has looked
    docs = attribute_docs(kind)
    members = [f"`{member.value}`: {docs[member.name]}" for member in kind if member.name in docs]
    return {"enum": [member.value for member in kind], "description": " ".join([one_line(kind.__doc__), *members])}
