"""Values of programs in the form of an AWS operation's parameters, by botocore's model of it.

A misspelt name, a wrong type, a word that is not in an enumeration and a text that breaks a pattern are refused, also
while other values are still unknown.
"""

import re
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from tests.testbed.aws.provider.errors import BadValueError
from tests.testbed.aws.provider.values import Unknown

NUMBERS = frozenset({"integer", "long", "double", "float"})
ALLOWED: dict[str, tuple[type, ...]] = {"boolean": (bool,), **dict.fromkeys(NUMBERS, (int, float))}
UNLIMITED = 1 << 30


@cache
def session() -> Any:
    """Botocore's models, loaded once."""
    return botocore.session.Session()


@cache
def input_shape(service: str, method: str) -> Any:
    """What an operation takes; the method as botocore names it: `create_cluster`."""
    model = session().get_service_model(service)
    names = {name.lower(): name for name in model.operation_names}
    return model.operation_model(names[method.replace("_", "")]).input_shape


def parameters(service: str, method: str, given: dict[str, Any]) -> dict[str, Any]:
    """Parameters of an operation, by the names of its model; those that are None are left out.

    Raises:
        BadValueError: the model refuses one; its path starts with the parameter's name.
    """
    shape = input_shape(service, method)
    ready = {name: shaped(shape.members[name], value, name) for name, value in given.items() if value is not None}
    report = ParamValidator().validate(ready, shape)
    if report.has_errors():
        raise BadValueError(method, " ".join(report.generate_report().split()))
    return ready


def shaped(shape: Any, value: Any, at: str) -> Any:
    """A value as a shape of AWS' has it: names by their meaning, a single object where a list of one is needed."""
    if isinstance(value, Unknown):
        return _stand_in(shape)
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            raise _refused(at, value, "an object")
        return {
            _member(shape, key, at): shaped(shape.members[_member(shape, key, at)], item, f"{at}.{key}")
            for key, item in value.items()
            if item is not None
        }
    if kind == "list":
        items = value if isinstance(value, list) else [value]
        return [shaped(shape.member, item, f"{at}[{i}]") for i, item in enumerate(items)]
    if kind == "map":
        if not isinstance(value, dict):
            raise _refused(at, value, "an object")
        return {key: shaped(shape.value, item, f"{at}.{key}") for key, item in value.items()}
    return _scalar(shape, value, at)


def _scalar(shape: Any, value: Any, at: str) -> Any:
    kind = shape.type_name
    if kind == "string":
        if not isinstance(value, str):
            raise _refused(at, value, "a text")
        if shape.enum and value not in shape.enum:
            raise BadValueError(at, f"expected one of {', '.join(shape.enum)}, got {value!r}")
        if len(value) > int(shape.metadata.get("max", UNLIMITED)):
            raise BadValueError(at, f"expected at most {shape.metadata['max']} characters, got {len(value)}")
        if not _matches(shape.metadata.get("pattern"), value):
            raise BadValueError(at, f"expected a text that matches {shape.metadata['pattern']}, got {value!r}")
    elif kind in ALLOWED and (not isinstance(value, ALLOWED[kind]) or (kind in NUMBERS and isinstance(value, bool))):
        raise _refused(at, value, "true or false" if kind == "boolean" else "a number")
    return value


def _refused(at: str, value: Any, expected: str) -> BadValueError:
    return BadValueError(at, f"expected {expected}, got {value!r}")


def _matches(pattern: str | None, value: str) -> bool:
    try:
        return not pattern or re.search(f"^(?:{pattern})$", value) is not None
    except re.error:  # a pattern that only Java knows
        return True


def _meaning(name: str) -> str:
    plain = name.lower().replace("_", "")
    if plain.endswith("ies"):
        return f"{plain[:-3]}y"
    return plain[:-1] if plain.endswith("s") and not plain.endswith("ss") else plain


def _member(shape: Any, name: str, at: str) -> str:
    if name in shape.members:
        return name
    found: list[str] = [member for member in shape.members if _meaning(member) == _meaning(name)]
    if len(found) != 1:
        raise BadValueError(f"{at}.{name}", f"{shape.name} of AWS has no such key; it has {', '.join(shape.members)}")
    return found[0]


def _stand_in(shape: Any) -> Any:
    """Something that the model takes, for what is unknown until `pulumi up`."""
    least = shape.metadata.get("min")
    match shape.type_name:
        case "string":
            return shape.enum[0] if shape.enum else "x" * max(int(least or 1), 1)
        case "boolean":
            return True
        case "list":
            return [_stand_in(shape.member)] * int(least or 0)
        case "map":
            return {}
        case "structure":
            return {name: _stand_in(shape.members[name]) for name in shape.required_members}
        case _:
            return int(least or 1)
