"""Markdown pages about the contracts, the exit codes and the options of a stack."""

from __future__ import annotations

import json
from dataclasses import Field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

import yaml

from runner import contract
from runner.outcome import ExitCode, FailureClass, State
from tools.schema_docs import attribute_docs, classes_in, is_enum, one_line, shape_of
from tools.schema_json import VERSION, default_of, is_required

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from enum import Enum
    from pathlib import Path

WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", object: "any JSON"}
STACK_INTRODUCTION = """\
Options of `Pulumi.<stack>.yaml`, each below `config` with `penstock:` before its name. What is in those of type object
is told with the [environment document](environment-document.md)."""
SIGNS = {"minimum": "≥", "above": ">", "maximum": "≤"}


def contract_page(cls: type, *, title: str, schema: str) -> str:
    """Describes a contract: a section for each object in it, with its fields in a table."""
    parts = [
        f"# {title}",
        f"JSON of the schema [`{schema}`](../../{schema}). A reader warns about keys that it does not know.",
        _class(cls),
    ]
    parts += [f"## {kind.__name__}\n\n{_class(kind)}" for kind in classes_in(cls)]
    return page(parts, source=f"runner/{cls.__module__.rpartition('.')[2]}.py")


def exit_codes_page() -> str:
    """Describes the exit codes, the states of a run and the classes of failures."""
    codes = [(_code(member), f"`{member.name}`", attribute_docs(ExitCode)[member.name]) for member in ExitCode]
    return page(
        [
            "# Exit codes and failures",
            one_line(ExitCode.__doc__),
            table(("Code", "Name", "Meaning"), codes),
            f"## States\n\n{one_line(State.__doc__)} They are the outcome's `state`.",
            _members(State),
            f"## Classes of failures\n\n{one_line(FailureClass.__doc__)} They are the outcome's `failure.class`.",
            _members(FailureClass),
        ],
        source="runner/outcome.py",
    )


def stack_page(project: Path) -> str:
    """Describes the options of a stack's configuration, as Pulumi.yaml lists them."""
    config = yaml.safe_load(project.read_text(encoding="utf-8"))["config"]
    rows = [
        (
            f"`{name}`",
            option["type"],
            f"`{_json(option['default'])}`" if "default" in option else "required",
            one_line(option["description"]),
        )
        for name, option in config.items()
        if ":" not in name  # of another namespace: a provider's, not an option of ours
    ]
    return page(
        [
            "# Stack configuration",
            STACK_INTRODUCTION,
            table(("Option", "Type", "Default", "Meaning"), rows),
        ],
        source="Pulumi.yaml",
    )


def page(parts: Iterable[str], *, source: str) -> str:
    """Joins the parts of a page, below the note that nobody is to edit it."""
    return "\n\n".join([f"<!-- Generated from {source} by `make docs`. Change it there. -->", *parts]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Makes a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _class(kind: type) -> str:
    if is_enum(kind):
        return f"{one_line(kind.__doc__)}\n\n{_members(kind)}"
    docs = attribute_docs(kind)
    rows = [
        (
            f"`{contract.key_of(item)}`",
            _type(item),
            "required" if is_required(item) else _default(item),
            VERSION if item.name == "schema_version" else docs[item.name],
        )
        for item in fields(kind)
    ]
    return f"{one_line(kind.__doc__)}\n\n{table(('Field', 'Type', 'Default', 'Meaning'), rows)}"


def _members(kind: type[Enum]) -> str:
    docs = attribute_docs(kind)
    if not docs:
        return "\n".join(f"- `{member.value}`" for member in kind)
    return table(("Value", "Meaning"), [(f"`{member.value}`", docs[member.name]) for member in kind])


def _code(member: ExitCode) -> str:
    return "128 + n" if member is ExitCode.SIGNAL_BASE else str(member.value)


def _type(item: Field[Any]) -> str:
    if item.name == "schema_version":
        return f"`{item.default}`"
    shape = shape_of(item.type)
    rules = item.metadata
    name = WORDS.get(shape.kind) or f"[{shape.kind.__name__}](#{shape.kind.__name__.lower()})"
    meaning = f" ({rules['meaning']})" if "meaning" in rules else ""
    words = " ".join([f"{name}{meaning}", *(f"{SIGNS[rule]} {rules[rule]:g}" for rule in SIGNS if rule in rules)])
    if shape.container == "list":
        words = f"list of {words}"
    if shape.container == "mapping":
        keys = f" ({rules['keys_meaning']})" if "keys_meaning" in rules else ""
        words = f"mapping of text{keys} to {words}"
    return f"{words}, or null" if shape.nullable else words


def _default(item: Field[Any]) -> str:
    kind = shape_of(item.type).kind
    default = default_of(item)
    # That of an object is what its own section says.
    return "its own defaults" if is_dataclass(kind) and isinstance(default, dict) else f"`{_json(default)}`"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
