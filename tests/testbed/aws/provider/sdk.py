"""What the installed pulumi_aws knows of a type: its inputs with their types, and its outputs.

Its files are read as text: importing them takes seconds.
"""

import ast
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE = "pulumi_aws"
VERSION = version(PACKAGE)
GETTER = r'@pulumi\.getter(?:\(name="(\w+)"\))?\n(?:    @.*\n)*    def (\w+)'
"""A property: the name that is sent, where it differs, and Python's."""
SCALARS = {"str": "str", "int": "int", "float": "float", "bool": "bool"}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Type of an input."""

    kind: str
    """One of str, int, float, bool, list, map, object and any."""
    of: "Shape | None" = None
    """Type of the items of a list or map."""
    fields: Mapping[str, "Field"] | None = None
    """Inputs of an object."""


ANY = Shape(kind="any")


@dataclass(frozen=True, kw_only=True)
class Field:
    """One input, of a resource or of an object in it."""

    shape: Shape
    required: bool


@dataclass(frozen=True, kw_only=True)
class SdkType:
    """One type of resource."""

    inputs: Mapping[str, Field]
    outputs: frozenset[str]
    """Names of all outputs, those of its inputs among them."""


@cache
def sdk_type(token: str) -> SdkType:
    """What the SDK has of a type.

    Raises:
        LookupError: it has no such type.
    """
    _, module, name = token.split(":")
    folder = _folder() / module.split("/")[0]
    file = folder / f"{_snake(name)}.py"
    text = file.read_text() if file.is_file() else ""
    if f"'{token}'" not in text:
        raise LookupError(f"{PACKAGE} {VERSION} has no {token}.")
    own = text[text.index(f"\nclass {name}(pulumi.CustomResource)") :]
    outputs = re.findall(GETTER + r"\(self\) -> pulumi\.Output", own)
    return SdkType(
        # The longer name stands where a nested object has the shorter one.
        inputs=_fields(f"{name}Args" if f"\nclass {name}Args:" in text else f"{name}InitArgs", text, folder),
        outputs=frozenset(camel or snake for camel, snake in outputs),
    )


@cache
def _folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0])


@cache
def _nested(folder: Path) -> str:
    return (folder / "_inputs.py").read_text()


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _fields(name: str, text: str, folder: Path) -> dict[str, Field]:
    start = text.index(f"\nclass {name}:")
    end = text.find("\nclass ", start + 1)
    body = text[start : end if end > 0 else None]
    signature = body[body.index("    def __init__(") : body.index("):\n", body.index("    def __init__("))]
    function = ast.parse(f"{signature.strip()}):\n    pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    names = {snake: camel for camel, snake in re.findall(GETTER, body) if camel}
    return {
        names.get(argument.arg, argument.arg): Field(
            shape=_shape(argument.annotation, folder), required=default is None
        )
        for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    }


def _shape(annotation: ast.expr | None, folder: Path) -> Shape:
    match annotation:
        case ast.Subscript(value=ast.Attribute(attr="Input") | ast.Name(id="Optional"), slice=inner):
            return _shape(inner, folder)
        case ast.Subscript(value=ast.Name(id="Sequence"), slice=inner):
            return Shape(kind="list", of=_shape(inner, folder))
        case ast.Subscript(value=ast.Name(id="Mapping"), slice=ast.Tuple(elts=[_, inner])):
            return Shape(kind="map", of=_shape(inner, folder))
        case ast.Subscript(value=ast.Name(id="Union"), slice=ast.Tuple(elts=choices)):
            # A text that also has an enumeration, or a policy that could be an object: as text.
            return next((_shape(choice, folder) for choice in choices if isinstance(choice, ast.Attribute)), ANY)
        case ast.Attribute(attr=name) if name in SCALARS:
            return Shape(kind=SCALARS[name])
        case ast.Constant(value=str(name)) if name.endswith("Args"):
            return Shape(kind="object", fields=_fields(name, _nested(folder), folder))
        case _:
            return ANY
