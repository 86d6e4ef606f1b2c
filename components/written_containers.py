"""Reads the containers of a task definition that the user wrote, and refuses what a run cannot be made from."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.manifest import from_file, mappings, plain
from runner.contract import broken_rule, describe
from runner.sections import FLOW_CONTAINER

ARGUMENT = "container_definitions"

# fmt: off
KEYS = frozenset((
    "command", "cpu", "credentialSpecs", "dependsOn", "disableNetworking", "dnsSearchDomains", "dnsServers",
    "dockerLabels", "dockerSecurityOptions", "entryPoint", "environment", "environmentFiles", "essential",
    "extraHosts", "firelensConfiguration", "healthCheck", "hostname", "image", "interactive", "links",
    "linuxParameters", "logConfiguration", "memory", "memoryReservation", "mountPoints", "name",
    "portMappings", "privileged", "pseudoTerminal", "readonlyRootFilesystem", "repositoryCredentials",
    "resourceRequirements", "restartPolicy", "secrets", "startTimeout", "stopTimeout", "systemControls",
    "ulimits", "user", "versionConsistency", "volumesFrom", "workingDirectory",
))
# fmt: on
"""What a container has. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"""


def read(container_definitions: object = None, *, folder: Path) -> list[dict[str, Any]]:
    """The user's containers, as mappings of their own.

    Args:
        container_definitions: a list, or the path of a file with one, YAML or JSON.
        folder: what a relative path is relative to.

    Raises:
        ContractError: they are not what a task definition has, or have what is not their business.
    """
    value = container_definitions
    if isinstance(value, str):
        value = from_file(folder / value, argument=ARGUMENT, what="list of containers")
    if value is None:
        return []
    if not isinstance(value, list):
        raise broken_rule(ARGUMENT, describe(value), "a list of containers, or the path of a file with one")
    written = plain(value, ARGUMENT)
    names: list[object] = []
    for i, container in enumerate(written):
        place = f"{ARGUMENT}[{i}]"
        if not isinstance(container, dict):
            raise broken_rule(place, describe(container), "a mapping")
        _check_container(container, place)
        if container["name"] in names:
            raise broken_rule(f"{place}.name", describe(container["name"]), "a name that no other container has")
        names.append(container["name"])
    return written  # type: ignore[no-any-return]


def image(*, image: str | None = None, written: Sequence[Mapping[str, Any]] = ()) -> str | None:
    """The image of runs: the argument's, or that of the flow's container in `container_definitions`.

    Raises:
        ContractError: they are two different ones.
    """
    own = next((item.get("image") for item in written if item["name"] == FLOW_CONTAINER), None)
    if image is not None and own is not None and image != own:
        raise broken_rule("image", describe(image), f"{describe(own)}, which {ARGUMENT} names, or only one of both")
    return image if own is None else own


def _check_container(container: dict[str, Any], place: str) -> None:
    for key in container:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1)
            expected = f"{near[0]}, the nearest known key" if near else "a key of a container definition, such as image"
            raise broken_rule(f"{place}.{key}", "unknown", expected)
    if not isinstance(container.get("name"), str):
        raise broken_rule(f"{place}.name", describe(container.get("name")), f"text; {FLOW_CONTAINER} is the flow's")
    if container["name"] != FLOW_CONTAINER:
        if not container.get("image"):
            raise broken_rule(f"{place}.image", "missing", "the image of that container")
        return
    for key, expected in (
        ("command", "none: they are the runner's own arguments; a wrapper goes into entryPoint"),
        ("stopTimeout", "none: it follows from timeouts.grace_seconds"),
        ("essential", "none: with the flow's container the task ends"),
    ):
        if container.get(key) is not None:
            raise broken_rule(f"{place}.{key}", "given", expected)
    for key in ("environment", "secrets"):
        for j, variable in enumerate(mappings(container, key, place) if container.get(key) else ()):
            if str(variable.get("name")).startswith("PENSTOCK_"):
                expected = "another name: those with PENSTOCK_ are the runner's own"
                raise broken_rule(f"{place}.{key}[{j}].name", describe(variable["name"]), expected)
