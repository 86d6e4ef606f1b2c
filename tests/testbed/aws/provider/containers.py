"""Container definitions: which texts mean the same to AWS, and which ones Fargate refuses."""

import json
from collections.abc import Iterator
from typing import Any

from runner.fargate import SIZES
from tests.testbed.aws.provider.errors import BadValueError, Problem
from tests.testbed.aws.provider.shaping import input_shape, shaped
from tests.testbed.aws.provider.values import Unknown, Values

INPUT = "containerDefinitions"
SORTED = {"environment": "name", "secrets": "name"}
"""Lists whose order does not matter, by what they are sorted."""
LONGEST_STOP = 120
"""Seconds that Fargate gives a container to stop, at most."""


def parse(text: Any) -> list[dict[str, Any]]:
    """Container definitions of a program.

    Raises:
        BadValueError: they are no list of objects.
    """
    try:
        containers = json.loads(text)
    except (TypeError, ValueError) as error:
        raise BadValueError(INPUT, f"expected a list of containers as JSON, got a text that is none: {error}") from None
    if not isinstance(containers, list) or not containers or not all(isinstance(item, dict) for item in containers):
        raise BadValueError(INPUT, "expected a list of containers, each an object")
    return containers


def canonical(text: Any, values: Values) -> Any:
    """Container definitions without what AWS fills in or sorts itself, as far as it is known.

    Modelled after the real provider's comparison: containers, environment and secrets by name, `essential` true,
    protocol tcp and host port 0 as when not given, the host port of `awsvpc` that of the container, cpu 0 and whatever
    is empty left out.
    """
    try:
        containers = parse(text)
    except BadValueError:
        return text
    plain = [_plain(container, awsvpc=values.get("networkMode") == "awsvpc") for container in containers]
    return sorted(plain, key=lambda container: str(container.get("name")))


def _plain(container: dict[str, Any], *, awsvpc: bool) -> dict[str, Any]:
    given = {"essential": True, **container}
    if given.get("cpu") == 0:
        del given["cpu"]
    for key, by in SORTED.items():
        if isinstance(given.get(key), list):
            given[key] = sorted(given[key], key=lambda item: str(item.get(by)) if isinstance(item, dict) else "")
    if isinstance(given.get("portMappings"), list):
        given["portMappings"] = [_plain_port(port, awsvpc=awsvpc) for port in given["portMappings"]]
    return {key: value for key, value in given.items() if value not in (None, [], {})}


def _plain_port(port: dict[str, Any], *, awsvpc: bool) -> dict[str, Any]:
    plain = {"protocol": "tcp", **port}
    host = port.get("hostPort") or (port.get("containerPort") if awsvpc else None)
    return {key: value for key, value in {**plain, "hostPort": host}.items() if value is not None}


def refused(values: Values) -> Iterator[Problem]:
    """What is wrong with a task definition; what is unknown is not judged."""
    containers: list[dict[str, Any]] = []
    if not isinstance(values.get(INPUT), Unknown | None):
        try:
            containers = parse(values[INPUT])
            shaped(input_shape("ecs", "register_task_definition").members[INPUT], containers, INPUT)
        except BadValueError as error:
            yield error.problem
            return
    for i, container in enumerate(containers):
        for key in ("name", "image"):
            if not container.get(key):
                yield Problem(f"{INPUT}[{i}]", f"a container needs `{key}`")
    found = [container.get("name") for container in containers]
    if len(set(found)) < len(found):
        yield Problem(INPUT, f"expected a name of its own for each container, got {', '.join(map(str, found))}")
    if containers and not any(container.get("essential", True) for container in containers):
        yield Problem(INPUT, "expected at least one essential container")
    compatible = values.get("requiresCompatibilities") or []
    if isinstance(compatible, list) and "FARGATE" in compatible:
        yield from _refused_by_fargate(values, containers)
    elif "memory" not in values:
        for i, container in enumerate(containers):
            if not container.keys() & {"memory", "memoryReservation"}:
                yield Problem(f"{INPUT}[{i}]", "expected `memory` or `memoryReservation`, as the task has no memory")


def _refused_by_fargate(values: Values, containers: list[dict[str, Any]]) -> Iterator[Problem]:
    if not isinstance(values.get("networkMode"), Unknown) and values.get("networkMode") != "awsvpc":
        yield Problem("networkMode", f"Fargate has awsvpc only, got {values.get('networkMode')!r}")
    cpu, memory = _amount(values.get("cpu"), "vcpu"), _amount(values.get("memory"), "gb")
    if cpu is not None and cpu not in SIZES:
        yield Problem("cpu", f"Fargate has {', '.join(map(str, SIZES))} CPU units, got {values.get('cpu')!r}")
    elif cpu is not None and memory is not None and memory not in SIZES[int(cpu)]:
        sizes = SIZES[int(cpu)]
        yield Problem(
            "memory",
            f"with {cpu} CPU units Fargate has {', '.join(f'{size:,}' for size in sizes)} MiB, "
            f"got {values.get('memory')!r}",
        )
    for i, container in enumerate(containers):
        yield from _container_refused_by_fargate(f"{INPUT}[{i}]", container, values, memory)


def _container_refused_by_fargate(at: str, container: dict[str, Any], values: Values, task: Any) -> Iterator[Problem]:
    driver = container.get("logConfiguration", {}).get("logDriver")
    for need, is_there in (("the log driver awslogs", driver == "awslogs"), ("secrets", container.get("secrets"))):
        if is_there and not values.get("executionRoleArn"):
            yield Problem("executionRoleArn", f"Fargate needs one for {need} of a container")
    if container.get("privileged"):
        yield Problem(at, "Fargate has no privileged containers")
    if int(container.get("stopTimeout", 0)) > LONGEST_STOP:
        yield Problem(at, f"Fargate gives at most {LONGEST_STOP} s to stop, got {container['stopTimeout']}")
    if task and int(container.get("memory", 0)) > task:
        yield Problem(at, f"expected at most the task's {task:,} MiB, got {container['memory']:,}")


def _amount(text: Any, unit: str) -> int | None:
    """CPU units or MiB; None when unknown, -1 when there is none or it is no amount."""
    if isinstance(text, Unknown):
        return None
    plain = str(text).lower().replace(" ", "")
    try:
        return round(float(plain.removesuffix(unit)) * 1024) if plain.endswith(unit) else int(plain)
    except ValueError:
        return -1
