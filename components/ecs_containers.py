"""The containers of a run's task: the user's own, and what the arguments fill in where those say nothing.

Guarantees: what is written is canonical, so that equal containers are equal bytes in whatever order they were given;
an argument that contradicts what is there is refused; what the user gave is never changed.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from components import ecs_volumes
from components.aws_place import STREAM_PREFIX
from components.canonical_containers import canonical
from components.manifest import mapping, mappings
from components.written_containers import ARGUMENT
from runner.contract import broken_rule, describe
from runner.sections import FLOW_CONTAINER

COMMAND = ("python3", "-P", "-m", "runner")
USER = "65532:65532"
"""That of the runner's image: a user without rights."""
GRACE_SECONDS = 30
RECORDING_SECONDS = 5
"""What is left of `stopTimeout` when the grace is over, to kill the flow and record the outcome."""


def definitions(**options: Any) -> str:
    """The JSON of `containerDefinitions`; what `containers` says holds here."""
    return canonical(containers(**options))


def containers(
    *,
    written: Sequence[Mapping[str, Any]] = (),
    log_group: str,
    region: str,
    image: str | None = None,
    command: Sequence[str] | None = None,
    env: Mapping[str, str] | None = None,
    secrets: Sequence[Mapping[str, str]] = (),
    volumes: Sequence[Mapping[str, Any]] = (),
    mount_points: Sequence[Mapping[str, Any]] = (),
    resources: Mapping[str, Any] | None = None,
    timeouts: Mapping[str, float] | None = None,
) -> list[dict[str, Any]]:
    """The containers of a run's task, the flow's among them.

    Args:
        written: what `read` gives.
        log_group: log group of the run.
        region: its region.
        image: as the arguments of `FargateTaskEnvironment`, like all others.
        command: what the flow's container is started with, before the runner's arguments.
        env: variables.
        secrets: variables whose values AWS keeps.
        volumes: volumes of the task.
        mount_points: where they are in the flow's container.
        resources: the size, of which the GPUs are the container's own.
        timeouts: the clocks, of which the grace is the container's `stopTimeout`.

    Raises:
        ContractError: an argument contradicts what is written.
    """
    made = [json.loads(json.dumps(item)) for item in written]
    if all(item["name"] != FLOW_CONTAINER for item in made):
        made.append({"name": FLOW_CONTAINER})
    for i, container in enumerate(made):
        place = f"{ARGUMENT}[{i}]"
        _secure(container, place)
        container.setdefault("logConfiguration", log_configuration(log_group, region))
        if container["name"] != FLOW_CONTAINER:
            continue
        _put(container, "image", image, "image")
        _put(container, "entryPoint", list(command) if command else None, "command")
        container.setdefault("entryPoint", list(COMMAND))
        container["essential"] = True
        container.setdefault("user", USER)
        container.setdefault("readonlyRootFilesystem", True)
        grace = (timeouts or {}).get("grace_seconds", GRACE_SECONDS)
        container["stopTimeout"] = math.ceil(grace + RECORDING_SECONDS)
        _merge(container, "environment", "env", {name: {"value": value} for name, value in (env or {}).items()})
        values = {item["env"]: {"valueFrom": value_from(item["arn"], item.get("key"))} for item in secrets}
        _merge(container, "secrets", "secrets", values)
        _mount(container, ecs_volumes.mounts(volumes=volumes, mount_points=mount_points), place)
        if gpus := (resources or {}).get("gpu"):
            _put(container, "resourceRequirements", gpu_requirements(gpus), "resources.gpu")
    return made


def gpu_requirements(gpus: int) -> list[dict[str, str]]:
    """A container's `resourceRequirements` for GPUs."""
    return [{"type": "GPU", "value": str(gpus)}]


def log_configuration(log_group: str, region: str) -> dict[str, Any]:
    """How a container's output gets into its own stream of the log group.

    With `blocking`, a flow waits where CloudWatch is slow; otherwise Docker would drop lines, and tell nobody.
    """
    options = {
        "awslogs-group": log_group,
        "awslogs-region": region,
        "awslogs-stream-prefix": STREAM_PREFIX,
        "mode": "blocking",
    }
    return {"logDriver": "awslogs", "options": options}


def value_from(arn: str, key: str | None) -> str:
    """What ECS calls a secret: its ARN, and the key inside it.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
    """
    return arn if key is None else f"{arn}:{key}::"


def secret_references(*, secrets: Sequence[Mapping[str, str]] = ()) -> list[dict[str, str]]:
    """The document's `secrets` from a list of `AwsSecretOptions`.

    Raises:
        ContractError: one is of another service, or a key is inside what has none.
    """
    for i, item in enumerate(secrets):
        service = [*item["arn"].split(":"), "", "", ""][2]
        if service not in {"secretsmanager", "ssm"}:
            expected = "the ARN of a secret of Secrets Manager or a parameter of Systems Manager"
            raise broken_rule(f"secrets[{i}].arn", describe(item["arn"]), expected)
        if service == "ssm" and "key" in item:
            raise broken_rule(f"secrets[{i}].key", "given", "none: a parameter of Systems Manager has no keys")
    return [
        {
            "env": item["env"],
            "source": "aws-secret",
            "id": item["arn"],
            **({"key": item["key"]} if "key" in item else {}),
        }
        for item in secrets
    ]


def _secure(container: dict[str, Any], place: str) -> None:
    """Takes a container's capabilities away, unless it says which it wants."""
    mapping(container, "linuxParameters", place).setdefault("capabilities", {"drop": ["ALL"]})


def _put(container: dict[str, Any], key: str, value: object, argument: str) -> None:
    if value is not None and container.setdefault(key, value) != value:
        raise broken_rule(argument, "given", f"one of both: the container {FLOW_CONTAINER} has {key} of its own")


def _merge(container: dict[str, Any], key: str, argument: str, values: Mapping[str, Mapping[str, str]]) -> None:
    """Adds variables by name; those of the argument win, as everywhere."""
    there = {str(item.get("name")): item for item in mappings(container, key, ARGUMENT)}
    there |= {name: {"name": name, **value} for name, value in values.items()}
    container[key] = list(there.values())
    other = {str(item.get("name")) for item in container.get("environment" if key == "secrets" else "secrets") or ()}
    if twice := sorted(other & set(there)):
        raise broken_rule(argument, f"a second value for {twice[0]}", "each variable once, in env or in secrets")


def _mount(container: dict[str, Any], mounts: list[dict[str, Any]], place: str) -> None:
    there = mappings(container, "mountPoints", place)
    paths = {item.get("containerPath") for item in there}
    for item in mounts:
        if item["containerPath"] not in paths:
            there.append(item)
        elif item["sourceVolume"] != ecs_volumes.TEMPORARY:
            expected = f"a path that nothing else is at; {ARGUMENT} has a mount point there"
            raise broken_rule("mount_points", f'"{item["containerPath"]}"', expected)
