"""Reads a Job that the user wrote, and refuses what a run cannot be made from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.contract import broken_rule, describe
from runner.sections import FLOW_CONTAINER

ARGUMENT = "job_spec"


def read(job_spec: object = None, *, folder: Path) -> dict[str, Any] | None:
    """The Job as a mapping of its own; None without one.

    Args:
        job_spec: the mapping, or the path of a file with it, YAML or JSON.
        folder: what a relative path is relative to.

    Raises:
        ContractError: it is not one Job, or has what is not its business.
    """
    if job_spec is None:
        return None
    if isinstance(job_spec, str):
        job_spec = _from_file(folder / job_spec)
    if not isinstance(job_spec, Mapping):
        raise broken_rule(ARGUMENT, describe(job_spec), "a Job, or the path of a file with one")
    job: dict[str, Any] = _plain(job_spec, ARGUMENT)
    for key, value in (("apiVersion", "batch/v1"), ("kind", "Job")):
        if job.setdefault(key, value) != value:
            raise broken_rule(f"{ARGUMENT}.{key}", describe(job[key]), value)
    spec = mapping(job, "spec", ARGUMENT)
    pod = mapping(mapping(spec, "template", f"{ARGUMENT}.spec"), "spec", f"{ARGUMENT}.spec.template")
    _refuse_what_is_not_one_run(spec, pod)
    _refuse_what_the_launcher_adds(pod)
    return job


def containers(pod: dict[str, Any], key: str = "containers") -> list[dict[str, Any]]:
    """The containers of a pod's spec, or its init containers; the list is the pod's own.

    Raises:
        ContractError: they are no list of mappings.
    """
    return mappings(pod, key, f"{ARGUMENT}.spec.template.spec")


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


def _from_file(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise broken_rule(
            ARGUMENT, f"a file that cannot be read ({path}: {reason})", "the path of a Job's file"
        ) from None
    if path.suffix == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            raise broken_rule(ARGUMENT, f"not JSON ({path.name}: {error})", "a file with one Job") from None
    import yaml

    try:
        documents = list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        reason = getattr(error, "problem", None) or error
        raise broken_rule(ARGUMENT, f"not YAML ({path.name}, line {line}: {reason})", "a file with one Job") from None
    if len(documents) != 1:
        found = f"a file with {len(documents)} documents" if documents else "an empty file"
        raise broken_rule(ARGUMENT, f"{found} ({path.name})", "one document: the Job")
    return documents[0]


def _plain(value: object, path: str) -> Any:
    """The same JSON value as a tree: below an alias, YAML has one mapping in two places.

    Raises:
        ContractError: it is no JSON: YAML also has dates, and keys that are not text.
    """
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise broken_rule(f"a key of {path}", repr(key), "text, in quotes")
        return {key: _plain(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, f"{path}[{i}]") for i, item in enumerate(value)]
    if not isinstance(value, str | int | float | bool | None):
        raise broken_rule(path, f"of type {type(value).__name__} ({value})", "text; put it in quotes")
    return value


def _refuse_what_is_not_one_run(spec: dict[str, Any], pod: dict[str, Any]) -> None:
    place = f"{ARGUMENT}.spec"
    for key in ("completions", "parallelism"):
        if spec.get(key) not in {None, 1}:
            raise broken_rule(f"{place}.{key}", describe(spec[key]), "1: a run is one pod")
    if spec.get("completionMode") not in {None, "NonIndexed"}:
        raise broken_rule(f"{place}.completionMode", describe(spec["completionMode"]), "NonIndexed: a run is one pod")
    if pod.get("restartPolicy") not in {None, "Never"}:
        expected = "Never: failure_policy decides what is started again, each time in a new pod"
        raise broken_rule(f"{place}.template.spec.restartPolicy", describe(pod["restartPolicy"]), expected)


def _refuse_what_the_launcher_adds(pod: dict[str, Any]) -> None:
    for i, container in enumerate(containers(pod)):
        place = f"{ARGUMENT}.spec.template.spec.containers[{i}]"
        if container.get("name") != FLOW_CONTAINER:
            continue
        if container.get("args"):
            raise broken_rule(f"{place}.args", "given", "none: they are the runner's own; a wrapper goes into command")
        for j, variable in enumerate(mappings(container, "env", place) if container.get("env") else ()):
            if str(variable.get("name")).startswith("PENSTOCK_"):
                expected = "another name: those with PENSTOCK_ are the runner's own"
                raise broken_rule(f"{place}.env[{j}].name", describe(variable["name"]), expected)
