"""Containers of a task definition as JSON, in one form for all that mean the same.

A definition cannot be changed: whatever differs in it, by an order or a null alone, would be a new revision.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

SORTED_BY: Mapping[str, str] = {
    "environment": "name",
    "secrets": "name",
    "mountPoints": "containerPath",
    "volumesFrom": "sourceContainer",
    "dependsOn": "containerName",
    "portMappings": "containerPort",
    "resourceRequirements": "type",
    "ulimits": "name",
    "systemControls": "namespace",
    "extraHosts": "hostname",
}
"""Lists of a container whose order means nothing, and the key that they are sorted by."""


def canonical(containers: Sequence[Mapping[str, Any]]) -> str:
    """Containers as JSON: sorted by name, and in them whatever has no order; nothing that is empty or null."""
    ordered = sorted((_canonical(item) for item in containers), key=lambda item: str(item["name"]))
    return json.dumps(ordered, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _canonical(container: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: _without_nothing(value) for key, value in container.items()}
    for key, by in SORTED_BY.items():
        if isinstance(found.get(key), list):
            found[key] = _sorted(found[key], by)
    return {key: value for key, value in found.items() if value not in (None, [], {})}


def _without_nothing(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nothing(item) for key, item in value.items() if item is not None}
    return [_without_nothing(item) for item in value] if isinstance(value, list) else value


def _sorted(items: list[Mapping[str, Any]], by: str) -> list[Mapping[str, Any]]:
    return sorted(items, key=lambda item: str(item.get(by, "")))
