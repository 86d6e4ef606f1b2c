"""Converts one parameter to the type that its annotation asks for."""

import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, MutableSequence, MutableSet, Sequence, Set
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import PurePath
from re import findall, fullmatch

from runner.contract import describe, parse_json
from runner.errors import ContractError
from runner.flow import suggestion
from runner.hints import is_union

TRUE = ("true", "yes", "on", "1")
FALSE = ("false", "no", "off", "0")
UNIT_SECONDS = {"w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
COLLECTIONS: Mapping[type, Callable[[list[object]], object]] = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    Sequence: list,
    MutableSequence: list,
    Iterable: list,
    Collection: list,
    Set: frozenset,
    MutableSet: set,
}
"""What is made of several items, by annotation."""

T = typing.TypeVar("T")


class Mismatch(Exception):  # noqa: N818 not an error by itself: a union tries its other arms
    """A value is not of its type."""

    def __init__(self, path: str, value: object, expected: str, *, found: str | None = None) -> None:
        super().__init__(path)
        self.path = path
        self.found = found or describe(value)
        self.expected = expected


def convert(hint: object, value: object, path: str) -> object:
    """The value as the annotation wants it.

    Args:
        hint: the annotation; one that is not known here takes every value as it is.
        value: text from the command line, or parsed JSON.
        path: the parameter's name, with the place inside it.

    Raises:
        Mismatch: the value is not of that type.
    """
    while isinstance(hint, typing.NewType):
        hint = hint.__supertype__
    origin = typing.get_origin(hint)
    if is_union(hint):
        return _union(typing.get_args(hint), value, path)
    if origin is typing.Annotated:
        return convert(typing.get_args(hint)[0], value, path)
    if origin is typing.Literal:
        return _literal(typing.get_args(hint), value, path)
    kind = origin or hint
    if not isinstance(kind, type):
        return value
    if issubclass(kind, Enum):
        return _enum(kind, value, path)
    if is_dataclass(kind):
        return _dataclass(kind, value, path)
    for base, conversion in SCALARS.items():
        if issubclass(kind, base):
            return conversion(kind, value, path)
    if issubclass(kind, Mapping):
        return _mapping(typing.get_args(hint), value, path)
    if kind in COLLECTIONS:
        return _collection(kind, typing.get_args(hint), value, path)
    return value


def _union(arms: tuple[object, ...], value: object, path: str) -> object:
    if value is None and types.NoneType in arms:
        return None
    failures = []
    for arm in arms:
        if arm is not types.NoneType:
            try:
                return convert(arm, value, path)
            except Mismatch as error:
                failures.append(error)
    if types.NoneType in arms and isinstance(value, str) and value.lower() in {"none", "null"}:
        return None
    if len(failures) == 1:
        raise failures[0]
    raise Mismatch(path, value, " or ".join(error.expected for error in failures))


def _literal(allowed: tuple[object, ...], value: object, path: str) -> object:
    for item in allowed:
        if _says(item, value):
            return item
    raise Mismatch(path, value, f"one of {', '.join(str(item) for item in allowed)}")


def _enum(kind: type[Enum], value: object, path: str) -> Enum:
    for member in kind:
        if value == member.name or _says(member.value, value):
            return member
    names = [str(member.value) for member in kind]
    raise Mismatch(path, value, f"one of {', '.join(names)}")


def _says(allowed: object, value: object) -> bool:
    same_kind = isinstance(allowed, bool) == isinstance(value, bool)  # for Python True is 1
    return (same_kind and allowed == value) or str(allowed) == value


def _dataclass(kind: type, value: object, path: str) -> object:
    value = _from_json(value)
    known = {item.name: item for item in fields(kind) if item.init}
    if not isinstance(value, Mapping):
        raise Mismatch(path, value, f"a JSON object with {', '.join(known)}")
    for name in value:
        if name not in known:
            near = suggestion(str(name), list(known)).strip()
            raise Mismatch(
                f"{path}.{name}", value, f"one of {', '.join(known)}", found=f"not known ({near or 'no near match'})"
            )
    for name, item in known.items():
        if name not in value and item.default is MISSING and item.default_factory is MISSING:
            raise Mismatch(f"{path}.{name}", value, "a value", found="missing")
    hints = _hints(kind)
    arguments = {name: convert(hints.get(name), item, f"{path}.{name}") for name, item in value.items()}
    try:
        return kind(**arguments)
    except Exception as error:  # noqa: BLE001 the user's __post_init__ may refuse with anything
        raise Mismatch(path, value, "values that it takes", found=f"refused by {kind.__name__} ({error})") from None


def _hints(kind: type) -> Mapping[str, object]:
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except Exception:  # noqa: BLE001 a name imported for type checkers only; such fields take every value as it is
        return {item.name: item.type for item in fields(kind)}


def _mapping(arms: tuple[object, ...], value: object, path: str) -> object:
    value = _from_json(value)
    if not isinstance(value, Mapping):
        raise Mismatch(path, value, "a JSON object")
    keys, values = arms if len(arms) == 2 else (None, None)
    try:
        return {
            convert(keys, key, f"a key of {path}"): convert(values, item, f"{path}.{key}")
            for key, item in value.items()
        }
    except TypeError:
        raise Mismatch(f"a key of {path}", value, "a key that can be hashed", found="a list or mapping") from None


def _collection(kind: type, arms: tuple[object, ...], value: object, path: str) -> object:
    if isinstance(value, str):
        parsed = _from_json(value)
        value = [part.strip() for part in value.split(",")] if isinstance(parsed, str) and parsed else parsed
        value = [] if value == "" else value if isinstance(value, list) else [value]
    if not isinstance(value, list | tuple):
        raise Mismatch(path, value, "a list, as JSON or as items with commas between")
    if kind is tuple and arms and arms[-1] is not Ellipsis:
        if len(arms) != len(value):
            raise Mismatch(path, value, f"a list of {len(arms)}")
        hints: Sequence[object] = arms
    else:
        hints = [arms[0] if arms else None] * len(value)
    items = [convert(hint, item, f"{path}[{i}]") for i, (hint, item) in enumerate(zip(hints, value, strict=True))]
    try:
        return COLLECTIONS[kind](items)
    except TypeError:
        raise Mismatch(path, value, "items that can be in a set: no lists and no mappings") from None


def _from_json(value: object) -> object:
    """What a text says as JSON, by the rules of a run request, or the text itself when it is none."""
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value, subject="parameter")
    except ContractError:
        return value


def _bool(_: type, value: object, path: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in TRUE + FALSE:
        return value.lower() in TRUE
    raise Mismatch(path, value, "true or false")


def _int(_: type, value: object, path: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and fullmatch(r"\s*[+-]?\d{1,4000}\s*", value):
        return int(value)
    raise Mismatch(path, value, "a whole number")


def _float(_: type, value: object, path: str) -> float:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    raise Mismatch(path, value, "a number")


def _str(_: type, value: object, path: str) -> str:
    if isinstance(value, str):
        return value
    raise Mismatch(path, value, "text")


def _datetime(_: type, value: object, path: str) -> datetime:
    return _parsed(datetime.fromisoformat, value, path, "a time such as 2026-01-31T08:30:00+01:00")


def _date(_: type, value: object, path: str) -> date:
    return _parsed(date.fromisoformat, value, path, "a date such as 2026-01-31")


def _timedelta(_: type, value: object, path: str) -> timedelta:
    expected = "a duration such as 90s, 1h30m or 2d, or a number of seconds"
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return timedelta(seconds=value)
        except (ValueError, OverflowError):
            raise Mismatch(path, value, expected) from None
    return _parsed(_duration, value, path, expected)


def _duration(text: str) -> timedelta:
    if fullmatch(r"\s*-?\d+(\.\d+)?\s*", text):
        return timedelta(seconds=float(text))
    part = r"(\d+(?:\.\d+)?)\s*(w|d|h|ms|m|s)"
    if not fullmatch(rf"\s*(?:{part}\s*)+", text):
        raise ValueError(text)
    return timedelta(seconds=sum(float(number) * UNIT_SECONDS[unit] for number, unit in findall(part, text)))


def _parsed(parse: Callable[[str], T], value: object, path: str, expected: str) -> T:
    if isinstance(value, str):
        try:
            return parse(value)
        except (ValueError, OverflowError):
            pass
    raise Mismatch(path, value, expected)


def _path(kind: type, value: object, path: str) -> PurePath:
    if isinstance(value, str) and value and "\0" not in value:
        return kind(value)  # type: ignore[no-any-return]
    raise Mismatch(path, value, "a path")


SCALARS: Mapping[type, Callable[[type, object, str], object]] = {
    bool: _bool,
    int: _int,
    float: _float,
    str: _str,
    datetime: _datetime,
    date: _date,
    timedelta: _timedelta,
    PurePath: _path,
}
"""Conversions by base class; `bool` before `int` and `datetime` before `date`, which they are subclasses of."""
