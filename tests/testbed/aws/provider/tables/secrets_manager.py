"""Secrets Manager: secrets, without their values."""

from collections.abc import Iterator
from typing import Any

from tests.testbed.aws.provider import policies
from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.errors import Problem
from tests.testbed.aws.provider.resource import Autoname, ResourceType, Tagging, Update
from tests.testbed.aws.provider.tables.forms import keyed, listed, renamed
from tests.testbed.aws.provider.values import Values


def _create(it: Item) -> str:
    answer = it.call("create_secret", Name=it["name"], Description=it["description"], KmsKeyId=it["kmsKeyId"])
    return str(answer["ARN"])


def _secret(it: Item) -> Any:
    return it.call("describe_secret", SecretId=it.id)


def _read(it: Item) -> Values | None:
    secret = _secret(it)
    if secret.get("DeletedDate"):
        return None
    form = {"arn": "ARN", "name": "Name", "description": "Description", "kmsKeyId": "KmsKeyId"}
    policy = it.call("get_resource_policy", SecretId=it.id).get("ResourcePolicy")
    return {**renamed(secret, form), "policy": policy}


def _update(it: Item) -> None:
    it.call("update_secret", SecretId=it.id, Description=it["description"] or "", KmsKeyId=it["kmsKeyId"])


def _set_policy(it: Item) -> None:
    if it["policy"]:
        it.call("put_resource_policy", SecretId=it.id or it["name"], ResourcePolicy=it["policy"])
    else:
        it.call("delete_resource_policy", SecretId=it.id)


def _delete(it: Item) -> None:
    days = it["recoveryWindowInDays"]
    window = {"ForceDeleteWithoutRecovery": True} if days == 0 else {"RecoveryWindowInDays": days}
    it.call("delete_secret", SecretId=it.id, **window)


def _check(values: Values) -> Iterator[Problem]:
    days = values.get("recoveryWindowInDays")
    if isinstance(days, int) and days != 0 and not 7 <= days <= 30:
        yield Problem("recoveryWindowInDays", f"expected 0, or 7 to 30 days, got {days}")
    yield from policies.refused("policy", values.get("policy"), principal=True)


TYPES = {
    "aws:secretsmanager/secret:Secret": ResourceType(
        service="secretsmanager",
        create=_create,
        read=_read,
        delete=_delete,
        fixed="name",
        updates=(
            Update(inputs="description kmsKeyId", apply=_update),
            Update(inputs="policy", apply=_set_policy, on_create=True),
        ),
        local="recoveryWindowInDays forceOverwriteReplicaSecret",
        computed="policy",
        defaults={"recoveryWindowInDays": 30, "forceOverwriteReplicaSecret": False},
        autoname=Autoname(input="name", longest=255),
        tagging=Tagging(
            read=lambda it: keyed(_secret(it).get("Tags") or []),
            add=lambda it, tags: it.call("tag_resource", SecretId=it.id, Tags=listed(tags)),
            remove=lambda it, tags: it.call("untag_resource", SecretId=it.id, TagKeys=sorted(tags)),
        ),
        compared={"policy": policies.canonical},
        check=_check,
        gone=frozenset({"ResourceNotFoundException"}),
    )
}
