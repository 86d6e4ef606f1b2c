"""What each call of AWS' API needs to be allowed: its resources as ARNs, and the values of its condition keys.

Source: "Actions, resources, and condition keys" of each service in the Service Authorization Reference.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from moto.ecs.models import ecs_backends

from tests.testbed.aws.permissions import Need

PASSED_TO = "ecs-tasks.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of the API."""

    service: str
    action: str
    region: str
    account: str
    method: str
    path: str
    body: bytes

    def arn(self, service: str, rest: str) -> str:
        """An ARN in the call's region and account."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"


def action_of(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, query: str) -> str:
    """Name of the operation that a request asks for."""
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if service == "s3":
        has_key = path.strip("/").count("/") > 0
        sub = query.partition("&")[0].partition("=")[0]
        verb = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "DELETE": "Delete"}.get(method, method.title())
        return f"{verb}{'Object' if has_key else 'Bucket'}{'' if has_key or not sub else f'?{sub}'}"
    form = parse_qs(body.decode(errors="replace")) | parse_qs(query)
    return form.get("Action", ["?"])[0]


def needs(call: Call) -> list[Need]:
    """What has to be allowed for a call."""
    if call.service == "s3":
        key = unquote(call.path.lstrip("/"))
        return [Need(action=f"s3:{call.action}", resource=f"arn:aws:s3:::{key}")]
    given: dict[str, Any] = {}
    if call.body.startswith(b"{"):
        given = json.loads(call.body)
    special = {"ecs": _of_ecs, "logs": _of_logs, "ssm": _of_ssm}.get(call.service)
    found = special(call, given) if special is not None else None
    return found or [Need(action=f"{call.service}:{call.action}", resource="*")]


def _of_ecs(call: Call, given: Mapping[str, Any]) -> list[Need] | None:
    cluster = str(given.get("cluster", "default"))
    name = cluster.rpartition("/")[2]
    conditions = {"ecs:cluster": cluster if cluster.startswith("arn:") else call.arn("ecs", f"cluster/{name}")}
    if call.action == "RunTask":
        return _of_run_task(call, given, name, conditions)
    if call.action in {"DescribeTasks", "StopTask"}:
        tasks = given.get("tasks") or [given.get("task", "")]
        arns = [arn if arn.startswith("arn:") else call.arn("ecs", f"task/{name}/{arn}") for arn in tasks]
        return [Need(action=f"ecs:{call.action}", resource=arn, conditions=conditions) for arn in arns]
    if call.action == "ListTasks":
        return [
            Need(
                action="ecs:ListTasks",
                resource=call.arn("ecs", f"container-instance/{name}/*"),
                conditions=conditions,
            )
        ]
    return None


def _of_run_task(call: Call, given: Mapping[str, Any], name: str, conditions: Mapping[str, str]) -> list[Need]:
    definition = str(given.get("taskDefinition", ""))
    arn = definition if definition.startswith("arn:") else call.arn("ecs", f"task-definition/{definition}")
    found = [Need(action="ecs:RunTask", resource=arn, conditions=conditions)]
    if given.get("tags"):
        created = {**conditions, "ecs:CreateAction": "RunTask"}
        found.append(Need(action="ecs:TagResource", resource=call.arn("ecs", f"task/{name}/*"), conditions=created))
    try:
        known = ecs_backends[call.account][call.region].describe_task_definition(definition)
    except Exception:  # noqa: BLE001 there is no such definition: the call itself says so
        return found
    overrides = given.get("overrides", {})
    roles = {
        overrides.get("taskRoleArn") or getattr(known, "task_role_arn", None),
        overrides.get("executionRoleArn") or getattr(known, "execution_role_arn", None),
    }
    passed = {"iam:PassedToService": PASSED_TO}
    return found + [
        Need(action="iam:PassRole", resource=role, conditions=passed) for role in sorted(roles - {None, ""})
    ]


def _of_logs(call: Call, given: Mapping[str, Any]) -> list[Need] | None:
    group, stream = given.get("logGroupName"), given.get("logStreamName")
    if group is None:
        return None
    rest = f"log-stream:{stream}" if stream else "*"
    return [Need(action=f"logs:{call.action}", resource=call.arn("logs", f"log-group:{group}:{rest}"))]


def _of_ssm(call: Call, given: Mapping[str, Any]) -> list[Need] | None:
    if call.action != "GetParameter":
        return None
    name = str(given["Name"]).lstrip("/")
    return [Need(action="ssm:GetParameter", resource=call.arn("ssm", f"parameter/{name}"))]
