"""A second opinion on inputs: CloudFormation's own schemas, which cfn-lint brings.

They know ranges, patterns and enumerations that botocore's model has not, such as the days of a log group's retention.
"""

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from tests.testbed.aws.provider.errors import Problem
from tests.testbed.aws.provider.values import UNKNOWN, Unknown, Values

JUDGED = frozenset({"enum", "pattern", "minimum", "maximum", "minLength", "maxLength"})
"""Rules that are about one value; the others are the SDK's and botocore's to judge."""
LONGEST_VALUE = 80
"""Characters of a value that a sentence repeats."""


@cache
def _schema(name: str) -> dict[str, Any]:
    spec = importlib.util.find_spec("cfnlint")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    schemas = Path(spec.submodule_search_locations[0], "data", "schemas")
    file = json.loads((schemas / "providers" / "eu-west-1.json").read_text())[name]
    schema: dict[str, Any] = json.loads((schemas / "resources" / f"{file}.json").read_text())
    return schema


def problems(name: str, names: Mapping[str, str], values: Values) -> Iterator[Problem]:
    """What a schema refuses.

    Args:
        name: the type in CloudFormation.
        names: names of inputs that differ there; an input with an empty one is not judged.
        values: the inputs.
    """
    schema = _schema(name)
    for given, value in values.items():
        key = names.get(given, given[0].upper() + given[1:])
        rule = schema["properties"].get(key)
        if rule is None or isinstance(value, Unknown):
            continue
        ready = _renamed({"definitions": schema.get("definitions", {})}, rule, value)
        try:
            errors = list(Draft7Validator({"definitions": schema.get("definitions", {}), **rule}).iter_errors(ready))
        except re.error:  # a pattern that only Java knows
            continue
        for error in errors:
            if error.validator in JUDGED:
                at = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.path)
                yield Problem(f"{given}{at}", _sentence(error.validator, error.validator_value, error.instance))


def _sentence(rule: str, limit: Any, value: Any) -> str:
    words = {
        "enum": f"one of {', '.join(map(str, limit)) if isinstance(limit, list) else limit}",
        "pattern": f"a text that matches {limit}",
        "minimum": f"at least {limit}",
        "maximum": f"at most {limit}",
        "minLength": f"at least {limit} characters",
        "maxLength": f"at most {limit} characters",
    }
    return f"expected {words[rule]}, got {str(value)[:LONGEST_VALUE]!r}"


def _renamed(root: dict[str, Any], rule: dict[str, Any], value: Any) -> Any:
    """A value with the keys of the schema; what is unknown, or not in it, is left out."""
    while "$ref" in rule:
        rule = root["definitions"][rule["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, dict) and "properties" in rule:
        keys = {key.lower(): key for key in rule["properties"]}
        return {
            keys[name.lower()]: _renamed(root, rule["properties"][keys[name.lower()]], item)
            for name, item in value.items()
            if item is not UNKNOWN and name.lower() in keys
        }
    if isinstance(value, list):
        return [_renamed(root, rule.get("items", {}), item) for item in value if item is not UNKNOWN]
    return value
