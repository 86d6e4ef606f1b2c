"""Reads the stack's configuration; the only place that does.

Guarantees: the program gets plain values, and a secret only where an argument must be one; a mistake ends `pulumi up`
with one sentence that names the key and the file, before anything is created.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import get_type_hints

import pulumi
from pulumi.runtime import get_config_env, is_config_secret

from components import ENVIRONMENTS
from components.checking import plain_types
from components.given import SECRET_ARGUMENTS
from runner.sections import Kind


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """What the stack's configuration file says."""

    stack: str
    """Name of the stack."""
    kind: Kind
    """Kind of the environment that the stack provisions."""
    arguments: Mapping[str, object]
    """Arguments of the kind's component. A key with an empty value counts as not given: Pulumi wants a default for
    every key that its project file declares, and the real defaults are the components'."""


def load() -> StackConfig:
    """The configuration of the stack that Pulumi is running.

    Raises:
        pulumi.RunError: it is not one that a stack can be made of.
    """
    config = pulumi.Config()
    # The same mapping that Pulumi's own start script reads. pulumi.Config can look up a key, but cannot list them.
    keys = sorted(key.removeprefix(f"{config.name}:") for key in get_config_env() if key.startswith(f"{config.name}:"))
    secrets = [key for key in keys if is_config_secret(config.full_key(key))]
    for key in secrets:
        if key not in SECRET_ARGUMENTS:
            raise refusal(key, "a secret", "plain text: the environment document never holds a secret")
    kind = _kind(config.get("kind"))
    types = _plain_types(kind)
    declared = {"kind"}.union(*map(_plain_types, ENVIRONMENTS))
    values = {
        key: _value(config.require(key), as_type=types.get(key, object))
        for key in keys
        if key != "kind" and key not in secrets
    }
    given = {key: value for key, value in values.items() if key not in declared or value not in ("", [], {})}
    given |= {key: config.require_secret(key).apply(partial(_value, as_type=list)) for key in secrets}
    return StackConfig(stack=pulumi.get_stack(), kind=kind, arguments=given)


def refusal(path: str, found: str, expected: str) -> pulumi.RunError:
    """The error for a wrong key of the configuration, which Pulumi prints without a traceback."""
    place = f"{pulumi.get_project()}:{path}"
    # YAML reads a bare 4 or true as a number or a truth value; in `env` that is the likeliest of all mistakes.
    bare = expected == "text" and re.fullmatch(r"-?[0-9.e+]+|true|false", found)
    step = "Put it in quotes" if bare else "Correct it"
    if found == "plain text":
        step = f"Encrypt it with `pulumi config set --secret --path '{path}'`"
    return pulumi.RunError(
        f"{place} is {found}, expected {expected}. {step} in stacks/Pulumi.{pulumi.get_stack()}.yaml."
    )


def _kind(word: str | None) -> Kind:
    if word not in list(ENVIRONMENTS):
        raise refusal("kind", json.dumps(word) if word else "missing", f"one of {', '.join(ENVIRONMENTS)}")
    return Kind(word)


def _plain_types(kind: Kind) -> dict[str, type]:
    """The arguments of a kind and their types."""
    return plain_types(get_type_hints(ENVIRONMENTS[kind].__init__)["args"])


def _value(written: str, *, as_type: type) -> object:
    """What the configuration file has. Pulumi hands everything over as text; what is not text was JSON before."""
    if issubclass(as_type, str):
        return written
    try:
        return json.loads(written)
    except json.JSONDecodeError:
        return written
