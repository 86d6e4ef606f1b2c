"""What the classes of the contracts say about themselves: the docstrings below their attributes, and their types."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import NamedTuple, TypeGuard, cast, get_args, get_origin


class Shape(NamedTuple):
    """The type of a field, taken apart."""

    kind: type
    """`str`, `int`, `float`, `bool`, `object`, a dataclass or an enumeration."""
    container: str
    """`list`, `mapping`, or nothing."""
    nullable: bool


def shape_of(hint: object) -> Shape:
    """Takes an annotation apart: `X`, `tuple[X, ...]` or `Mapping[str, X]`, each with or without `| None`.

    Returns:
        Its parts.
    """
    nullable = isinstance(hint, UnionType)
    if isinstance(hint, UnionType):
        hint = next(arm for arm in hint.__args__ if arm is not NoneType)
    origin = get_origin(hint)
    if origin is None:
        return Shape(cast("type", hint), "", nullable)
    arguments = get_args(hint)
    return Shape(arguments[0], "list", nullable) if origin is tuple else Shape(arguments[1], "mapping", nullable)


def is_enum(kind: type) -> TypeGuard[type[Enum]]:
    """Tells whether a type is an enumeration."""
    return issubclass(kind, Enum)


def classes_in(cls: type) -> list[type]:
    """Lists the dataclasses and enumerations that the fields of a dataclass are made of.

    Returns:
        Each once, in the order in which a reader of the fields meets them.
    """
    found: list[type] = []
    for item in fields(cls):
        kind = shape_of(item.type).kind
        if is_dataclass(kind) or is_enum(kind):
            found += [kind, *(classes_in(kind) if is_dataclass(kind) else [])]
    return list(dict.fromkeys(found))


@functools.cache
def attribute_docs(cls: type) -> dict[str, str]:
    """Reads what stands below each attribute of a class and its bases, which Python itself does not keep.

    Returns:
        The docstrings, each on one line, by attribute.
    """
    module = ast.parse(Path(inspect.getsourcefile(cls) or "").read_text(encoding="utf-8"))
    (body,) = (node.body for node in module.body if isinstance(node, ast.ClassDef) and node.name == cls.__name__)
    docs = dict(attribute_docs(cls.__base__)) if cls.__base__ is not None and is_dataclass(cls.__base__) else {}
    for node, below in itertools.pairwise(body):
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                docs[node.target.id] = one_line(below.value.value)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                docs[node.targets[0].id] = one_line(below.value.value)
    return docs


def one_line(text: object) -> str:
    """Puts a docstring on one line."""
    return " ".join(str(text).split())
