"""The server's own paths: metadata and credentials of tasks, and the door by which tests control it."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.testbed.aws import metadata
from tests.testbed.aws import task as tasks
from tests.testbed.aws.container import Image
from tests.testbed.aws.door import Door, Environ, json_reply
from tests.testbed.aws.ecs_api import faults
from tests.testbed.aws.errors import Reply
from tests.testbed.aws.faults import Fault, Kind
from tests.testbed.aws.roles import ACCOUNT


def answer(door: Door, environ: Environ, body: bytes) -> Reply:
    """Answer a request for one of these paths."""
    _, what, *rest = str(environ["PATH_INFO"]).strip("/").split("/")
    if what == "metadata":
        return _metadata(*rest)
    if what == "credentials":
        return _credentials(door, rest[0])
    return json_reply(CONTROLS[what](door, json.loads(body or b"{}")))


def _inject(_: Door, given: dict[str, Any]) -> None:
    faults.add(Fault(**{**given, "kind": Kind(given["kind"])}))


def _clear(_: Door, __: dict[str, Any]) -> None:
    faults.waiting.clear()
    tasks.world.delays.update(tasks.USUAL_DELAYS)
    tasks.world.log_delay = 0.0


def _calls(door: Door, given: dict[str, Any]) -> list[dict[str, Any]]:
    found = list(door.calls)
    if given["clear"]:
        door.calls.clear()
    return found


def _user(door: Door, given: dict[str, Any]) -> dict[str, str]:
    made = door.principals.user(given["name"], given["policies"])
    return {"access_key": made.access_key, "secret_key": made.secret_key}


def _image(_: Door, given: dict[str, Any]) -> None:
    tasks.world.images[given["name"]] = Image(bin=given["bin"], folder=given["folder"])


def _delays(_: Door, given: dict[str, Any]) -> None:
    tasks.world.log_delay = given.pop("log", tasks.world.log_delay)
    tasks.world.delays.update(given)


def _processes(_: Door, __: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {item.id: {name: box.pid for name, box in item.running.items()} for item in tasks.all_tasks()}


def _hit(_: Door, given: dict[str, Any]) -> None:
    found = next(item for item in tasks.all_tasks() if item.id == given["task"])
    found.hit(Kind(given["kind"]), given["container"])


def _await_stopped(_: Door, given: dict[str, Any]) -> None:
    until = time.monotonic() + given["seconds"]
    for item in tasks.all_tasks():
        if item.cluster_arn == given["cluster"]:
            item.ended.wait(max(0.0, until - time.monotonic()))


CONTROLS: Mapping[str, Callable[[Door, dict[str, Any]], Any]] = {
    "inject": _inject,
    "hit": _hit,
    "clear": _clear,
    "calls": _calls,
    "user": _user,
    "image": _image,
    "forget": lambda _, __: tasks.forget(),
    "delays": _delays,
    "processes": _processes,
    "await-stopped": _await_stopped,
}


def _metadata(task_id: str, container: str, *rest: str) -> Reply:
    found = next((item for item in tasks.all_tasks() if item.id == task_id), None)
    if found is None:
        return json_reply({}, "404 Not Found")
    return json_reply(metadata.of_task(found) if rest == ("task",) else metadata.of_container(found, container))


def _credentials(door: Door, task_id: str) -> Reply:
    found = next((item for item in tasks.all_tasks() if item.id == task_id), None)
    if found is None:
        return json_reply({}, "404 Not Found")
    keys = door.principals.of_task(found)
    return json_reply(
        {
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{keys.role}",
            "AccessKeyId": keys.access_key,
            "SecretAccessKey": keys.secret_key,
            "Token": keys.token,
            "Expiration": "2099-01-01T00:00:00Z",
        }
    )
