"""Renders the RunTask call of a run, and reads back from a task what it was rendered from.

Rendering is a pure function: the same environment and request give the same call. What does not fit into the 8,192
characters that RunTask takes as overrides goes into the environment's bucket, the largest first.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner import contract, environment, fargate, request
from runner.environment import Environment
from runner.errors import ContractError, UsageError
from runner.launch.ecs import names
from runner.launch.size import sized
from runner.request import RunRequest
from runner.sections import (
    ARTIFACTS_PREFIX,
    BUNDLES_PREFIX,
    FLOW_CONTAINER,
    INPUTS_PREFIX,
    SCHEDULER_TASK_CONTAINER,
    WORKER_TASK_CONTAINER,
    FargateTask,
    LaunchType,
)

Object = dict[str, Any]

ENVIRONMENT_VARIABLE = "PENSTOCK_INPUT_ENVIRONMENT"
REQUEST_VARIABLE = "PENSTOCK_INPUT_REQUEST"
BUNDLE_VARIABLE = "PENSTOCK_INPUT_BUNDLE"
CONTAINERS = frozenset((FLOW_CONTAINER, WORKER_TASK_CONTAINER, SCHEDULER_TASK_CONTAINER))
RUN_ID_VARIABLE = "PENSTOCK_RUN_ID"
ATTEMPT_VARIABLE = "PENSTOCK_ATTEMPT"
NAME_VARIABLE = "PENSTOCK_ENVIRONMENT"
"""Variables that the flow sees, too: by them a task is known that has lost its tags."""
LONGEST_OVERRIDES = 8192
"""Most characters of RunTask's `overrides`, as JSON (API reference of RunTask)."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """What it takes to start an attempt."""

    parameters: Object
    """Of RunTask."""
    objects: Mapping[str, bytes]
    """What has to be in the environment's bucket before, by key."""


def render(target: Environment, asked: RunRequest, *, bundle: bytes | None = None, retries: int = 0) -> Call:
    """The call that starts an attempt.

    Args:
        target: the environment.
        asked: the request.
        bundle: the code that the request describes; null where it is in the bucket already, or there is none.
        retries: how many counted retries came before.

    Raises:
        UsageError: the run asks for what its environment cannot give.
    """
    section = target.on_ecs
    assert section is not None  # noqa: S101 the contract demands the section of the kind
    if asked.image is not None:
        raise UsageError(
            "--image is given, expected none: an ECS task has the image of its task definition. "
            "Change `image` of the stack, then `pulumi up` and `penstock env pull`."
        )
    packed = _packed(target, asked, section, bundle)
    parameters: Object = {
        "cluster": section.cluster_arn,
        "taskDefinition": section.task_definition_arn,
        "count": 1,
        "clientToken": names.client_token(target.name, asked.run_id, asked.attempt),
        "startedBy": asked.run_id,
        "enableECSManagedTags": section.enable_ecs_managed_tags,
        "enableExecuteCommand": section.enable_execute_command,
        "overrides": packed.overrides,
        "tags": [
            {"key": names.RUN_ID, "value": asked.run_id},
            {"key": names.ATTEMPT, "value": str(asked.attempt)},
            {"key": names.ENVIRONMENT, "value": target.name},
            {"key": names.REQUEST, "value": request.fingerprint(asked)},
            {"key": names.RETRIES, "value": str(retries)},
        ],
    }
    parameters |= _placing(section)
    return Call(parameters=parameters, objects=packed.objects)


def environment_of(task: Mapping[str, Any], current: Environment) -> Environment:
    """The environment that a task was started with; the current one where it stands in the bucket."""
    text = _variable(task, ENVIRONMENT_VARIABLE)
    return current if text is None else environment.read(text, warn=_ignore)


def request_of(task: Mapping[str, Any]) -> RunRequest | None:
    """The request that a task was started with; null where it stands in the bucket."""
    text = _variable(task, REQUEST_VARIABLE)
    return None if text is None else request.read(text, warn=_ignore)


def request_key_of(task: Mapping[str, Any]) -> str | None:
    """Key of the object that holds the request of a task; null where the task itself does."""
    command = _override(task).get("command", [])
    place = command[command.index("--request") + 1] if "--request" in command else ""
    return place.partition("/")[2] if place.startswith("s3:") else None


def bundle_of(task: Mapping[str, Any]) -> bytes | None:
    """The code that travelled in the call itself; null where there was none, or the bucket holds it."""
    text = _variable(task, BUNDLE_VARIABLE)
    return None if text is None else b64decode(text)


def tag(task: Mapping[str, Any], name: str) -> str:
    """A tag of a task; empty when it has none of that name.

    StopTask takes all tags away (its API reference); then it is what the task was started with that tells the same.
    """
    tags = {item["key"]: item["value"] for item in task.get("tags", [])}
    return str(tags.get(name, "") if tags else _told(task).get(name, ""))


def _told(task: Mapping[str, Any]) -> Mapping[str, str]:
    """What a task without tags was started with, by the names of the tags."""
    asked = request_of(task)
    return {
        names.RUN_ID: _variable(task, RUN_ID_VARIABLE) or "",
        names.ATTEMPT: _variable(task, ATTEMPT_VARIABLE) or "",
        names.ENVIRONMENT: _variable(task, NAME_VARIABLE) or "",
        names.REQUEST: "" if asked is None else request.fingerprint(asked),
    }


def attempt_of(task: Mapping[str, Any]) -> int:
    """Number of the attempt that a task is."""
    return int(tag(task, names.ATTEMPT) or 1)


def accepted_at(task: Mapping[str, Any]) -> float:
    """When the client accepted the attempt, in seconds since 1970; when ECS did, where the request is elsewhere."""
    asked = request_of(task)
    return float(task.get("createdAt", 0.0)) if asked is None else asked.accepted_at


@dataclass(kw_only=True)
class _Packed:
    overrides: Object
    objects: dict[str, bytes]


def _packed(target: Environment, asked: RunRequest, section: FargateTask, bundle: bytes | None) -> _Packed:
    """The overrides, with as much in them as there is room for."""
    document, wanted = contract.to_bytes(target), contract.to_bytes(asked)
    steps: list[set[str]] = [set(), {"bundle"}, {"bundle", "environment"}, {"bundle", "environment", "request"}]
    if bundle is None:
        steps = steps[1:]
    packed = _Packed(overrides={}, objects={})
    for outside in steps:
        packed = _pack(target, asked, section, document, wanted, bundle, outside)
        if len(json.dumps(packed.overrides)) <= LONGEST_OVERRIDES:
            break
    if packed.objects and section.bucket is None:
        raise UsageError(
            f"The run's code and inputs take more than the {LONGEST_OVERRIDES:,} characters that ECS takes, and "
            f"{target.name} has no bucket. Put the code into the image, or give the stack a bucket."
        )
    return packed


def _pack(  # noqa: PLR0917 one place calls it
    target: Environment,
    asked: RunRequest,
    section: FargateTask,
    document: bytes,
    wanted: bytes,
    bundle: bytes | None,
    outside: set[str],
) -> _Packed:
    variables = {
        RUN_ID_VARIABLE: asked.run_id,
        ATTEMPT_VARIABLE: str(asked.attempt),
        NAME_VARIABLE: target.name,
    }
    objects: dict[str, bytes] = {}
    command: list[str] = []

    def give(name: str, variable: str, data: bytes) -> None:
        if name in outside:
            key = f"{INPUTS_PREFIX}{hashlib.sha256(data).hexdigest()}.json"
            objects[key] = data
            command.extend((f"--{name}", f"s3:{section.region}:{section.bucket}/{key}"))
        else:
            variables[variable] = data.decode()
            command.extend((f"--{name}", f"env:{variable}"))

    give("environment", ENVIRONMENT_VARIABLE, document)
    give("request", REQUEST_VARIABLE, wanted)
    command += ["--trailer", "awslogs", "--artifacts", "auto"]
    if section.bucket is not None:
        place = f"s3:{section.region}:{section.bucket}/{artifacts_prefix(asked.run_id, asked.attempt)}"
        command += ["--artifacts-to", place]
    if asked.bundle is not None and "bundle" in outside:
        key = bundle_key(asked.bundle.sha256)
        command += ["--bundle", f"s3:{section.region}:{section.bucket}/{key}"]
        if bundle is not None:
            objects[key] = bundle
    elif bundle is not None:
        variables[BUNDLE_VARIABLE] = b64encode(bundle).decode()
        command += ["--bundle", f"env:{BUNDLE_VARIABLE}"]
    container: Object = {
        "name": FLOW_CONTAINER,
        "command": command,
        "environment": [{"name": name, "value": value} for name, value in sorted(variables.items())],
    }
    overrides: Object = {"containerOverrides": [container], **_size(target, asked, section)}
    return _Packed(overrides=overrides, objects=objects)


def bundle_key(sha256: str) -> str:
    """Key of the object that holds a bundle."""
    return f"{BUNDLES_PREFIX}{sha256}.zip"


def artifacts_prefix(run_id: str, attempt: int) -> str:
    """What begins the keys of the objects with the files that an attempt leaves behind; the rest is a file's name."""
    return f"{ARTIFACTS_PREFIX}{run_id}/{attempt}/"


def _size(target: Environment, asked: RunRequest, section: FargateTask) -> Object:
    """The task's size, where the run asks for one of its own."""
    wanted = sized(target.resources, asked.size)
    if asked.size is None or wanted is None:
        return {}
    if section.launch_type in {LaunchType.EC2, LaunchType.EXTERNAL}:
        return {"cpu": str(fargate.units(wanted.cpu_millicores)), "memory": str(wanted.memory_mib)}
    try:
        size = fargate.smallest(wanted.cpu_millicores, wanted.memory_mib)
    except ContractError as error:
        option = "--cpu" if error.path == "cpu_millicores" else "--memory"
        raise UsageError(f"{option} is {error.found}, expected {error.expected}. Ask for less.") from None
    return {"cpu": str(size.cpu_units), "memory": str(size.memory_mib)}


def _placing(section: FargateTask) -> Object:
    """Where the task goes."""
    found: Object = {"propagateTags": section.propagate_tags.value} if section.propagate_tags != "NONE" else {}
    if section.launch_type is not None:
        found["launchType"] = section.launch_type.value
    else:
        strategy = [
            {"capacityProvider": item.provider, "weight": item.weight, "base": item.base}
            for item in section.capacity_provider_strategy
        ]
        found["capacityProviderStrategy"] = strategy
    if section.subnets:
        found["networkConfiguration"] = {
            "awsvpcConfiguration": {
                "subnets": list(section.subnets),
                "securityGroups": list(section.security_groups),
                "assignPublicIp": "ENABLED" if section.assign_public_ip else "DISABLED",
            }
        }
    if section.platform_version is not None:
        found["platformVersion"] = section.platform_version
    if section.task_group is not None:
        found["group"] = section.task_group
    if section.placement_strategy:
        rules = [contract.encode(item) for item in section.placement_strategy]
        found["placementStrategy"] = [_without_nulls(rule) for rule in rules]
    if section.run_placement_constraints:
        rules = [contract.encode(item) for item in section.run_placement_constraints]
        found["placementConstraints"] = [_without_nulls(rule) for rule in rules]
    return found


def _without_nulls(value: Any) -> Object:
    return {name: item for name, item in value.items() if item is not None}


def _override(task: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the flow's container was started with, or that of a worker."""
    overrides = task.get("overrides", {}).get("containerOverrides", [])
    return next((item for item in overrides if item.get("name") in CONTAINERS), {})


def _variable(task: Mapping[str, Any], name: str) -> str | None:
    env = _override(task).get("environment", [])
    return next((item["value"] for item in env if item["name"] == name), None)


def _ignore(_: str) -> None:
    """Unknown keys: what started the task may be newer."""
