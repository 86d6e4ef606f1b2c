"""The components as Pulumi's schema inference sees them, for use from other languages and for the API reference."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pulumi
from pulumi.provider.experimental.component import ComponentProvider

from components import ENVIRONMENTS
from components.document import PACKAGE
from components.ecs_cluster import EcsCluster
from components.kubernetes_namespace import KubernetesNamespace
from components.network import Network


def schema() -> dict[str, Any]:
    components = [cast("type[pulumi.ComponentResource]", component) for component in ENVIRONMENTS.values()]
    provider = ComponentProvider([*components, KubernetesNamespace, EcsCluster, Network], PACKAGE)
    return cast("dict[str, Any]", json.loads(provider.schema or ""))


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property of every component and type, with where it stands."""
    for token, resource in schema["resources"].items():
        for place in ("inputProperties", "properties"):
            yield from ((f"{token} {place} {name}", item) for name, item in resource[place].items())
    for token, type_ in schema["types"].items():
        yield from ((f"{token} {name}", item) for name, item in type_.get("properties", {}).items())


def test_the_schema_can_be_inferred_and_is_the_one_checked_in(golden: Any) -> None:
    golden("schema.json", json.dumps(schema(), indent=2, sort_keys=True).encode() + b"\n")


def test_every_property_has_a_description() -> None:
    assert [place for place, item in properties(schema()) if not item.get("description")] == []


def test_every_token_is_of_the_package_and_its_index_module() -> None:
    tokens = [*schema()["resources"], *schema()["types"]]

    assert all(token.startswith("penstock:index:") for token in tokens)
