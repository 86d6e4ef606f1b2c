"""Reads an object of Kubernetes that the user wrote: a mapping, or a file with one.

Guarantees: what is given is never changed; what is read has the types of JSON only.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.contract import broken_rule, describe


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is read."""

    argument: str
    """The argument that it is."""
    api_version: str
    """Its `apiVersion`."""
    kind: str
    """Its `kind`."""

    def read(self, value: object, *, folder: Path) -> dict[str, Any] | None:
        """The object as a mapping of its own; None without one.

        Args:
            value: the mapping, or the path of a file with it, YAML or JSON.
            folder: what a relative path is relative to.

        Raises:
            ContractError: it is not one object of that kind.
        """
        if value is None:
            return None
        if isinstance(value, str):
            value = from_file(folder / value, argument=self.argument, what=self.kind)
        if not isinstance(value, Mapping):
            raise broken_rule(self.argument, describe(value), f"a {self.kind}, or the path of a file with one")
        written: dict[str, Any] = plain(value, self.argument)
        for key, wanted in (("apiVersion", self.api_version), ("kind", self.kind)):
            if written.setdefault(key, wanted) != wanted:
                raise broken_rule(f"{self.argument}.{key}", describe(written[key]), wanted)
        return written


def from_file(path: Path, *, argument: str, what: str) -> object:
    """The one document in a file, YAML or JSON.

    Args:
        path: the file.
        argument: the argument that names it.
        what: what is to be in it, such as Job.

    Raises:
        ContractError: it cannot be read, or is not one document.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise broken_rule(
            argument, f"a file that cannot be read ({path}: {reason})", f"the path of a file with a {what}"
        ) from None
    one = f"a file with one {what}"
    if path.suffix == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            raise broken_rule(argument, f"not JSON ({path.name}: {error})", one) from None
    import yaml

    try:
        documents = list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        reason = getattr(error, "problem", None) or error
        raise broken_rule(argument, f"not YAML ({path.name}, line {line}: {reason})", one) from None
    if len(documents) != 1:
        found = f"a file with {len(documents)} documents" if documents else "an empty file"
        raise broken_rule(argument, f"{found} ({path.name})", f"one document: the {what}")
    return documents[0]


def mapping(parent: dict[str, Any], key: str, path: str) -> dict[str, Any]:
    """The mapping below a key, made when it is missing.

    Raises:
        ContractError: what is there is no mapping.
    """
    if parent.get(key) is None:
        parent[key] = {}
    if not isinstance(parent[key], dict):
        raise broken_rule(f"{path}.{key}", describe(parent[key]), "a mapping")
    return parent[key]  # type: ignore[no-any-return]


def mappings(parent: dict[str, Any], key: str, path: str) -> list[dict[str, Any]]:
    """The list of mappings below a key, made when it is missing.

    Raises:
        ContractError: what is there is something else.
    """
    if parent.get(key) is None:
        parent[key] = []
    if not isinstance(parent[key], list):
        raise broken_rule(f"{path}.{key}", describe(parent[key]), "a list")
    for i, item in enumerate(parent[key]):
        if not isinstance(item, dict):
            raise broken_rule(f"{path}.{key}[{i}]", describe(item), "a mapping")
    return parent[key]  # type: ignore[no-any-return]


def refuse_what_the_runner_adds(containers: list[dict[str, Any]], name: str, path: str) -> None:
    """Refuse arguments of the runner's container, and variables that are the runner's own.

    Args:
        containers: the containers of a pod.
        name: name of the runner's.
        path: where they stand.

    Raises:
        ContractError: there are such.
    """
    for i, container in enumerate(containers):
        place = f"{path}[{i}]"
        if container.get("name") != name:
            continue
        if container.get("args"):
            raise broken_rule(f"{place}.args", "given", "none: they are the runner's own; a wrapper goes into command")
        for j, variable in enumerate(mappings(container, "env", place) if container.get("env") else ()):
            if str(variable.get("name")).startswith("PENSTOCK_"):
                expected = "another name: those with PENSTOCK_ are the runner's own"
                raise broken_rule(f"{place}.env[{j}].name", describe(variable["name"]), expected)


def plain(value: object, path: str) -> Any:
    """The same JSON value as a tree: below an alias, YAML has one mapping in two places.

    Raises:
        ContractError: it is no JSON: YAML also has dates, and keys that are not text.
    """
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise broken_rule(f"a key of {path}", repr(key), "text, in quotes")
        return {key: plain(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item, f"{path}[{i}]") for i, item in enumerate(value)]
    if not isinstance(value, str | int | float | bool | None):
        raise broken_rule(path, f"of type {type(value).__name__} ({value})", "text; put it in quotes")
    return value
