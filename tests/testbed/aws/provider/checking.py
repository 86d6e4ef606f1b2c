"""`Check`: fills in what the provider decides, and refuses what the SDK, AWS' models or AWS itself would refuse."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from tests.testbed.aws.provider import cloudformation, sdk
from tests.testbed.aws.provider.calls import Item, check_only
from tests.testbed.aws.provider.errors import BadValueError, Problem
from tests.testbed.aws.provider.resource import ResourceType
from tests.testbed.aws.provider.sdk import Field, Shape
from tests.testbed.aws.provider.values import UNKNOWN, Unknown, Values, has_unknown

DEFAULTS = "__defaults"
"""Names of the inputs that the provider has filled in, as the real one keeps them."""
SUFFIX = 7
MOST_TAGS = 50
LONGEST_KEY = 128
LONGEST_VALUE = 256
CHECKED: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "str": (str, "a text"),
    "int": (int, "a whole number"),
    "float": ((int, float), "a number"),
    "bool": (bool, "true or false"),
    "list": (list, "a list"),
    "map": (dict, "an object"),
    "object": (dict, "an object"),
}


def filled(
    token: str,
    kind: ResourceType,
    given: Values,
    *,
    name: str,
    seed: bytes,
    before: Values,
    region: str,
    default_tags: Mapping[str, str],
) -> Values:
    """Inputs with what the provider decides: a name, defaults, `tagsAll` and `region`.

    Args:
        token: the type.
        kind: what the tables say of it.
        given: the program's inputs.
        name: the resource's name in the program.
        seed: random bytes that the engine gives for the name; without any, it follows from the resource's name.
        before: the inputs so far, whose automatic name stays.
        region: the provider's.
        default_tags: the provider's.
    """
    values = {key: value for key, value in given.items() if key != DEFAULTS}
    made: Values = {key: value for key, value in kind.defaults.items() if key not in values}
    auto = kind.autoname
    if auto and auto.input not in values and "namePrefix" not in values:
        old = before.get(auto.input) if auto.input in before.get(DEFAULTS, ()) else None
        suffix = (seed.hex() or hashlib.sha256(f"{token} {name}".encode()).hexdigest())[:SUFFIX]
        base = (name.lower() if auto.lower else name)[: auto.longest - SUFFIX - 1]
        made[auto.input] = old or f"{base}-{suffix}"
    if kind.tagging:
        tags = values.get("tags", {})
        made["tagsAll"] = UNKNOWN if has_unknown(tags) else {**default_tags, **tags}
    if "region" in sdk.sdk_type(token).inputs:
        values.setdefault("region", region)
    return {**values, **made, DEFAULTS: sorted(made.keys() - {"tagsAll"})}


def problems(token: str, kind: ResourceType, given: Values, values: Values, region: str) -> Iterator[Problem]:
    """What is wrong with the inputs of a resource.

    Args:
        token: the type.
        kind: what the tables say of it.
        given: the program's inputs.
        values: the same, filled in.
        region: where it will be.
    """
    inputs = sdk.sdk_type(token).inputs
    plain = {name: value for name, value in given.items() if name not in {DEFAULTS, "tagsAll"}}
    wrong = [*_fields(plain, inputs, ""), *_unmodelled(plain, inputs, kind), *_tags(values.get("tagsAll"))]
    if wrong:
        yield from wrong
        return
    own = [] if kind.check is None else list(kind.check(values))
    yield from own
    if not own:
        yield from _refused_by_model(kind, values, region)
    if kind.cloudformation:
        name, names = kind.cloudformation
        yield from cloudformation.problems(name, names, plain)


def _unmodelled(given: Values, inputs: Mapping[str, Field], kind: ResourceType) -> Iterator[Problem]:
    for name in sorted(given.keys() & inputs.keys() - kind.modelled):
        yield Problem(name, "the test provider does not model this input; add it to its table")


def _refused_by_model(kind: ResourceType, values: Values, region: str) -> Iterator[Problem]:
    item = Item(service=kind.service, caller=check_only, region=region, account="", values=values, id="unknown")
    steps: list[Any] = [kind.create]
    steps += [
        update.apply for update in kind.updates if update.on_create and values.keys() & set(update.inputs.split())
    ]
    for step in steps:
        try:
            step(item)
        except BadValueError as error:
            yield error.problem


def _fields(given: Values, fields: Mapping[str, Field], at: str) -> Iterator[Problem]:
    for name in sorted(given.keys() - fields.keys()):
        yield Problem(f"{at}{name}", f"pulumi_aws {sdk.VERSION} has no such input; it has {', '.join(sorted(fields))}")
    for name, field in fields.items():
        if name in given:
            yield from _typed(given[name], field.shape, f"{at}{name}")
        elif field.required:
            yield Problem(f"{at}{name}", "this input is required, and missing")


def _typed(value: Any, shape: Shape, at: str) -> Iterator[Problem]:
    if isinstance(value, Unknown) or shape.kind == "any":
        return
    expected, words = CHECKED[shape.kind]
    fits = isinstance(value, expected) and (shape.kind == "bool" or not isinstance(value, bool))
    if not fits:
        yield Problem(at, f"expected {words}, got {value!r}")
    elif shape.kind == "list" and shape.of:
        for i, item in enumerate(value):
            yield from _typed(item, shape.of, f"{at}[{i}]")
    elif shape.kind == "map" and shape.of:
        for key, item in value.items():
            yield from _typed(item, shape.of, f"{at}.{key}")
    elif shape.fields is not None:
        yield from _fields({key: item for key, item in value.items() if key != DEFAULTS}, shape.fields, f"{at}.")


def _tags(tags: Any) -> Iterator[Problem]:
    if not isinstance(tags, dict):
        return
    if len(tags) > MOST_TAGS:
        yield Problem("tags", f"expected at most {MOST_TAGS}, got {len(tags)}")
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            yield Problem("tags", f"AWS keeps keys that start with aws: for itself, got {key!r}")
        if not 1 <= len(key) <= LONGEST_KEY:
            yield Problem("tags", f"expected keys of 1 to {LONGEST_KEY} characters, got {key!r}")
        if isinstance(value, str) and len(value) > LONGEST_VALUE:
            yield Problem(
                "tags", f"expected values of at most {LONGEST_VALUE} characters, got {len(value)} for {key!r}"
            )
