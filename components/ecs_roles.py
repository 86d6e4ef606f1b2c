"""The two roles of a run on ECS: the flow's own, and the one by which ECS starts it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from components.aws_place import Names, Place
from components.iam import Statement, canonical
from runner.contract import broken_rule, describe
from runner.sections import ARTIFACTS_PREFIX, BUNDLES_PREFIX, INPUTS_PREFIX

ECR = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<repository>[^:@]+)")
"""A reference of an image in a private registry of AWS'."""


def task(names: Names, *, execute_command: bool = False, volumes: Sequence[Mapping[str, Any]] = ()) -> list[Statement]:
    """What a run itself may call, beside what the user's own statements say.

    Args:
        names: the environment's names.
        execute_command: whether `aws ecs execute-command` works in runs.
        volumes: `TaskVolumeOptions`.
    """
    place = names.place
    statements = [
        Statement(
            sid="ReadOwnCode",
            actions=("s3:GetObject",),
            resources=tuple(place.bucket(names.bucket, f"{prefix}*") for prefix in (BUNDLES_PREFIX, INPUTS_PREFIX)),
            reason="The runner gets the code and the documents that did not fit into the start of the task.",
        ),
        Statement(
            sid="KeepFiles",
            actions=("s3:PutObject",),
            resources=(place.bucket(names.bucket, f"{ARTIFACTS_PREFIX}*"),),
            reason="The runner keeps the files that a run leaves behind.",
        ),
    ]
    if execute_command:
        channels = tuple(
            f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")
        )
        statements.append(
            Statement(
                sid="ExecuteCommand",
                actions=channels,
                resources=("*",),
                reason="`aws ecs execute-command` reaches the task through Session Manager. Only where it is enabled.",
                unbounded="AWS knows no resource of the channels of Session Manager.",
            )
        )
    return [*statements, *mounts(place, volumes)]


def mounts(place: Place, volumes: Sequence[Mapping[str, Any]]) -> list[Statement]:
    """What a task's role needs for those of `volumes` that ask who mounts them."""
    return [_mount(place, item["name"], item["efs"]) for item in volumes if "efs" in item and item["efs"].get("iam")]


def execution(
    names: Names, *, images: Sequence[str] = (), secrets: Sequence[Mapping[str, Any]] = ()
) -> list[Statement]:
    """What ECS may call in order to start a run.

    Args:
        names: the environment's names.
        images: those of all containers.
        secrets: `AwsSecretOptions`.
    """
    place = names.place
    statements = [
        Statement(
            sid="WriteLog",
            actions=("logs:CreateLogStream", "logs:PutLogEvents"),
            resources=(names.streams_arn,),
            reason="What a run prints goes into a stream of its own.",
        )
    ]
    repositories = sorted({repository for image in images for repository in [_repository(place, image)] if repository})
    if repositories:
        statements += [
            Statement(
                sid="LogInToRegistry",
                actions=("ecr:GetAuthorizationToken",),
                resources=("*",),
                reason="The login for the account's registry. Only where an image is in one.",
                unbounded="AWS knows no resource of that call; the login alone pulls nothing.",
            ),
            Statement(
                sid="PullImage",
                actions=("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
                resources=tuple(repositories),
                reason="The image's own repository. Only where it is in such a registry.",
            ),
        ]
    for service, sid, action in (
        ("secretsmanager", "ReadSecrets", "secretsmanager:GetSecretValue"),
        ("ssm", "ReadParameters", "ssm:GetParameters"),
    ):
        arns = sorted({item["arn"] for item in secrets if item["arn"].split(":")[2] == service})
        if arns:
            reason = "The values of the variables that `secrets` names, and no others."
            statements.append(Statement(sid=sid, actions=(action,), resources=tuple(arns), reason=reason))
    keys = sorted({item["kms_key_arn"] for item in secrets if item.get("kms_key_arn")})
    if keys:
        reason = "The keys that those values are encrypted with. Only where a `kms_key_arn` is given."
        statements.append(
            Statement(sid="DecryptSecrets", actions=("kms:Decrypt",), resources=tuple(keys), reason=reason)
        )
    return statements


def users_policy(statements: Sequence[Mapping[str, Any]] = ()) -> str | None:
    """The policy of what the user lets runs do; None for nothing.

    Args:
        statements: `RoleStatementOptions`.

    Raises:
        ContractError: a statement allows or is about nothing, or two have the same name.
    """
    written, names = [], set[str]()
    for i, item in enumerate(statements):
        sid = item.get("sid", f"Own{i + 1}")
        if not re.fullmatch(r"[A-Za-z0-9]+", sid):
            raise broken_rule(f"task_role_statements[{i}].sid", describe(sid), "letters and digits")
        if sid in names:
            raise broken_rule(f"task_role_statements[{i}].sid", describe(sid), "a name that no other statement has")
        names.add(sid)
        for key in ("actions", "resources"):
            if not item[key]:
                raise broken_rule(f"task_role_statements[{i}].{key}", "an empty list", "at least one")
        written.append(
            {
                "Sid": sid,
                "Effect": item.get("effect", "Allow"),
                "Action": sorted(item["actions"]),
                "Resource": sorted(item["resources"]),
                **({"Condition": item["conditions"]} if item.get("conditions") else {}),
            }
        )
    return canonical(written) if written else None


def _mount(place: Place, name: str, file_system: Mapping[str, Any]) -> Statement:
    identity = str(file_system["file_system_id"])
    arn = identity if identity.startswith("arn:") else place.arn("elasticfilesystem", f"file-system/{identity}")
    point = file_system.get("access_point_id")
    conditions = {}
    if point is not None:
        point_arn = place.arn("elasticfilesystem", f"access-point/{point}")
        conditions = {"ArnEquals": {"elasticfilesystem:AccessPointArn": point_arn}}
    return Statement(
        sid=f"Mount{re.sub('[^A-Za-z0-9]', '', name.title())}",
        actions=("elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"),
        resources=(arn,),
        conditions=conditions,
        reason="A file system of `volumes` that asks who mounts it (`iam`).",
    )


def _repository(place: Place, image: str) -> str | None:
    """The ARN of the repository that an image is in; None of one that is not in a private registry of AWS'."""
    found = ECR.match(image)
    if found is None:
        return None
    return f"arn:{place.partition}:ecr:{found['region']}:{found['account']}:repository/{found['repository']}"
