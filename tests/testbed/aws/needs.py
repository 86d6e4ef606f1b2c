"""What each call of AWS' API needs to be allowed: its resources as ARNs, and the values of its condition keys.

Source: "Actions, resources, and condition keys" of each service in the Service Authorization Reference.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote

from moto.ecs.models import ecs_backends
from moto.secretsmanager import secretsmanager_backends

from tests.testbed.aws.permissions import Need

PASSED_TO = "ecs-tasks.amazonaws.com"
LIST_PARAMETERS = {
    *("list-type", "prefix", "delimiter", "max-keys", "continuation-token", "start-after", "encoding-type"),
    *("x-id", "versionId", "fetch-owner"),
}
S3_ACTIONS = {"HeadObject": "GetObject", "ListObjectsV2": "ListBucket", "HeadBucket": "ListBucket"}
"""What IAM calls operations of S3 whose permission has another name."""
SUFFIX = 7
"""Length of what Secrets Manager puts behind a secret's name in its ARN: a hyphen and six characters."""


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
    query: str = ""

    def arn(self, service: str, rest: str) -> str:
        """An ARN in the call's region and account."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"


def action_of(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, query: str) -> str:
    """Name of the operation that a request asks for."""
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if service == "s3":
        return _of_bucket_or_object(method, path, query)
    form = parse_qs(body.decode(errors="replace")) | parse_qs(query)
    return form.get("Action", ["?"])[0]


def _of_bucket_or_object(method: str, path: str, query: str) -> str:
    """Name of S3's operation; IAM's differs for some of them."""
    has_key, about = "/" in path.strip("/"), [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    about = [name for name in about if name not in LIST_PARAMETERS]
    verb = {"GET": "Get", "HEAD": "Head", "PUT": "Put", "DELETE": "Delete"}.get(method, method.title())
    if about:
        return f"{verb}{'Object' if has_key else 'Bucket'}{about[0].title()}"
    if has_key:
        return f"{verb}Object"
    if path.strip("/") == "":
        return "ListBuckets"
    return {"GET": "ListObjectsV2", "PUT": "CreateBucket"}.get(method, f"{verb}Bucket")


def needs(call: Call) -> list[Need]:
    """What has to be allowed for a call."""
    if call.service == "s3":
        arn = f"arn:aws:s3:::{unquote(call.path.strip('/'))}"
        action = S3_ACTIONS.get(call.action, call.action)
        prefix = parse_qs(call.query).get("prefix")
        return [Need(action=f"s3:{action}", resource=arn, conditions={"s3:prefix": prefix[0]} if prefix else {})]
    given: dict[str, Any] = {}
    if call.body.startswith(b"{"):
        given = json.loads(call.body)
    special = {"ecs": _of_ecs, "logs": _of_logs, "ssm": _of_ssm, "secretsmanager": _of_secrets}.get(call.service)
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
        return [
            Need(action=f"ecs:{call.action}", resource=arn, conditions=conditions | _tags_of(arn, call)) for arn in arns
        ]
    if call.action == "ListTasks":
        return [
            Need(
                action="ecs:ListTasks",
                resource=call.arn("ecs", f"container-instance/{name}/*"),
                conditions=conditions,
            )
        ]
    return None


def _tags_of(arn: str, call: Call) -> dict[str, str]:
    cluster = ecs_backends[call.account][call.region].tasks.get(arn.split("/")[-2], {})
    return {f"aws:ResourceTag/{item['key']}": item["value"] for item in getattr(cluster.get(arn), "tags", None) or []}


def _of_run_task(call: Call, given: Mapping[str, Any], name: str, conditions: Mapping[str, str]) -> list[Need]:
    definition = str(given.get("taskDefinition", ""))
    try:
        known = ecs_backends[call.account][call.region].describe_task_definition(definition)
    except Exception:  # noqa: BLE001 there is no such definition: the call itself says so
        known = None
    arn = known.arn if known is not None else call.arn("ecs", f"task-definition/{definition.rpartition('/')[2]}")
    tags = {f"aws:RequestTag/{item['key']}": item.get("value", "") for item in given.get("tags") or []}
    found = [Need(action="ecs:RunTask", resource=arn, conditions={**conditions, **tags})]
    if tags:
        created = {**conditions, **tags, "ecs:CreateAction": "RunTask"}
        found.append(Need(action="ecs:TagResource", resource=call.arn("ecs", f"task/{name}/*"), conditions=created))
    overrides = given.get("overrides", {})
    roles = {
        str(overrides.get(key) or getattr(known, own, None) or "")
        for key, own in (("taskRoleArn", "task_role_arn"), ("executionRoleArn", "execution_role_arn"))
    }
    passed = {"iam:PassedToService": PASSED_TO}
    return found + [Need(action="iam:PassRole", resource=role, conditions=passed) for role in sorted(roles - {""})]


def _of_logs(call: Call, given: Mapping[str, Any]) -> list[Need] | None:
    group, stream = given.get("logGroupName"), given.get("logStreamName")
    if group is None:
        return None
    rest = f"log-stream:{stream}" if stream else "*"
    return [Need(action=f"logs:{call.action}", resource=call.arn("logs", f"log-group:{group}:{rest}"))]


def _of_ssm(call: Call, given: Mapping[str, Any]) -> list[Need] | None:
    names = given.get("Names") or [given[key] for key in ("Name", "Path") if key in given]
    arns = [call.arn("ssm", f"parameter/{str(name).lstrip('/')}") for name in names if not str(name).startswith("arn:")]
    return [Need(action=f"ssm:{call.action}", resource=arn) for arn in arns]


def _of_secrets(call: Call, given: Mapping[str, Any]) -> list[Need] | None:
    if call.action == "CreateSecret":
        return _of_create_secret(call, given)
    asked = given.get("SecretId")
    if asked is None:
        return None
    there = secretsmanager_backends[call.account][call.region].secrets.values()
    secret = next((item for item in there if asked in {item.name, item.arn, item.arn[:-SUFFIX]}), None)
    if secret is not None:
        tags = {f"aws:ResourceTag/{item['Key']}": item["Value"] for item in secret.tags or []}
        return [Need(action=f"secretsmanager:{call.action}", resource=str(secret.arn), conditions=tags)]
    # Of one that is not there, nobody knows the suffix.
    arn = str(asked) if str(asked).startswith("arn:") else call.arn("secretsmanager", f"secret:{asked}")
    return [Need(action=f"secretsmanager:{call.action}", resource=arn)]


def _of_create_secret(call: Call, given: Mapping[str, Any]) -> list[Need]:
    name = str(given.get("Name", ""))
    arn = call.arn("secretsmanager", f"secret:{name}-{'?' * (SUFFIX - 1)}")
    tags = {f"aws:RequestTag/{item['Key']}": item.get("Value", "") for item in given.get("Tags") or []}
    conditions = {"secretsmanager:Name": name, **tags}
    actions = ("CreateSecret", "TagResource") if tags else ("CreateSecret",)
    return [Need(action=f"secretsmanager:{action}", resource=arn, conditions=conditions) for action in actions]
