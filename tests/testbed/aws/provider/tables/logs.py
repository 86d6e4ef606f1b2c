"""CloudWatch Logs: log groups."""

from typing import Any

from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.resource import Autoname, ResourceType, Tagging, Update
from tests.testbed.aws.provider.values import Values


def _create(it: Item) -> str:
    it.call("create_log_group", logGroupName=it["name"], kmsKeyId=it["kmsKeyId"], logGroupClass=it["logGroupClass"])
    return str(it["name"])


def _group(it: Item) -> Any:
    found = it.call("describe_log_groups", logGroupNamePrefix=it.id)["logGroups"]
    return next((group for group in found if group["logGroupName"] == it.id), None)


def _read(it: Item) -> Values | None:
    group = _group(it)
    return group and {
        "arn": group["arn"].removesuffix(":*"),
        "name": group["logGroupName"],
        "retentionInDays": group.get("retentionInDays", 0),
        "kmsKeyId": group.get("kmsKeyId"),
        "logGroupClass": group.get("logGroupClass") or "STANDARD",
    }


def _delete(it: Item) -> None:
    if not it["skipDestroy"]:
        it.call("delete_log_group", logGroupName=it.id)


def _retain(it: Item) -> None:
    if it["retentionInDays"]:
        it.call("put_retention_policy", logGroupName=it["name"], retentionInDays=it["retentionInDays"])
    else:
        it.call("delete_retention_policy", logGroupName=it["name"])


def _encrypt(it: Item) -> None:
    if it["kmsKeyId"]:
        it.call("associate_kms_key", logGroupName=it["name"], kmsKeyId=it["kmsKeyId"])
    else:
        it.call("disassociate_kms_key", logGroupName=it["name"])


TYPES = {
    "aws:cloudwatch/logGroup:LogGroup": ResourceType(
        service="logs",
        create=_create,
        read=_read,
        delete=_delete,
        fixed="name logGroupClass",
        updates=(
            Update(inputs="retentionInDays", apply=_retain, on_create=True),
            Update(inputs="kmsKeyId", apply=_encrypt),
        ),
        local="skipDestroy",
        defaults={"skipDestroy": False},
        autoname=Autoname(input="name", longest=512),
        tagging=Tagging(
            read=lambda it: it.call("list_tags_for_resource", resourceArn=it["arn"])["tags"],
            add=lambda it, tags: it.call("tag_resource", resourceArn=it["arn"], tags=tags),
            remove=lambda it, tags: it.call("untag_resource", resourceArn=it["arn"], tagKeys=sorted(tags)),
        ),
        cloudformation=("AWS::Logs::LogGroup", {"name": "LogGroupName"}),
        gone=frozenset({"ResourceNotFoundException"}),
    )
}
