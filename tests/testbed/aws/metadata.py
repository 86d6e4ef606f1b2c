"""What ECS' agent tells the processes of a task, of the container that they are in and of the whole task.

Source: "Amazon ECS task metadata endpoint version 4 for tasks on Fargate" in the ECS Developer Guide.
"""

import ipaddress
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.testbed.aws.task import ProcessTask

UNITS = 1024
"""CPU units of one processor."""


def of_task(task: ProcessTask) -> dict[str, Any]:
    """The answer to `${ECS_CONTAINER_METADATA_URI_V4}/task`: all containers are in it, the first one first."""
    times = {
        "PullStartedAt": getattr(task, "pull_started_at", None),
        "PullStoppedAt": getattr(task, "pull_stopped_at", None),
    }
    return {
        "Cluster": task.cluster_arn,
        "TaskARN": task.task_arn,
        "Family": task.definition.family,
        "Revision": str(task.definition.revision),
        "DesiredStatus": task.desired_status,
        "KnownStatus": task.last_status,
        "Limits": {"CPU": int(task.cpu) / UNITS, "Memory": int(task.memory)},
        "AvailabilityZone": task.subnet.availability_zone if task.subnet is not None else "",
        "LaunchType": task.launch_type,
        "Containers": [of_container(task, spec["name"]) for spec in task.specs],
        **{name: _time(value) for name, value in times.items() if value is not None},
    }


def of_container(task: ProcessTask, name: str) -> dict[str, Any]:
    """The answer to `${ECS_CONTAINER_METADATA_URI_V4}` itself."""
    spec = next(item for item in task.specs if item["name"] == name)
    known = next(item for item in task.containers if item["name"] == name)
    labels = {
        "cluster": task.cluster_arn,
        "container-name": name,
        "task-arn": task.task_arn,
        "task-definition-family": task.definition.family,
        "task-definition-version": str(task.definition.revision),
    }
    log = spec.get("logConfiguration") or {}
    started_at = getattr(task, "started_at", None)
    return {
        "DockerId": known["runtimeId"],
        "Name": name,
        "DockerName": name,
        "Image": spec["image"],
        "ImageID": "",
        "Labels": {f"com.amazonaws.ecs.{key}": value for key, value in labels.items()},
        "DesiredStatus": task.desired_status,
        "KnownStatus": known["lastStatus"],
        "Limits": {"CPU": spec.get("cpu", 0)},
        "CreatedAt": _time(task.created_at),
        **({"StartedAt": _time(started_at)} if started_at is not None else {}),
        **({"ExitCode": known["exitCode"]} if "exitCode" in known else {}),
        "Type": "NORMAL",
        "ContainerARN": known["containerArn"],
        **({"LogDriver": log["logDriver"], "LogOptions": _log_options(task, name, log)} if log else {}),
        "Networks": [_network(task)],
    }


def _log_options(task: ProcessTask, name: str, log: Mapping[str, Any]) -> dict[str, str]:
    options = log.get("options", {})
    stream = f"{options.get('awslogs-stream-prefix', '')}/{name}/{task.id}"
    known = {key: options[key] for key in ("awslogs-group", "awslogs-region") if key in options}
    return {**known, "awslogs-stream": stream} if log["logDriver"] == "awslogs" else {}


def _network(task: ProcessTask) -> dict[str, Any]:
    if task.subnet is None:
        return {"NetworkMode": task.definition.network_mode, "IPv4Addresses": [task.ip]}
    details = {item["name"]: item["value"] for item in task.attachments[0]["details"]}
    network = ipaddress.ip_network(task.subnet.cidr_block)
    return {
        "NetworkMode": "awsvpc",
        "IPv4Addresses": [task.ip],
        "AttachmentIndex": 0,
        "MACAddress": details["macAddress"],
        "IPv4SubnetCIDRBlock": task.subnet.cidr_block,
        "SubnetGatewayIpv4Address": f"{network[1]}/{network.prefixlen}",
    }


def _time(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")
