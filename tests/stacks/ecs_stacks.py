"""What tests of stacks for ECS share: where they are, and what an edit or a preview does."""

import json

from components.aws_place import Names, names
from tests.testbed.aws.handle import Aws
from tests.testbed.pulumi_kubernetes import Stack

DEFINITION, PARAMETER = "aws:ecs/taskDefinition:TaskDefinition", "aws:ssm/parameter:Parameter"
PLACE = {"partition": "aws", "region": "eu-west-1", "account": "123456789012"}

S3_ACTIONS = {
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketOwnershipcontrols": "GetBucketOwnershipControls",
    "GetBucketPublicaccessblock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
}
"""Actions of IAM that have another name than what the test AWS calls the request."""


def named(environment: str) -> Names:
    """The names of an environment on the test AWS."""
    return names(environment, place=PLACE)


def changed(stack: Stack, path: str, value: str) -> dict[tuple[str, str], str]:
    """What an edit of one property would do, by type and name of the resource; the stack's file is as before."""
    before = stack.file.read_text()
    stack.set(path, value)
    try:
        preview = json.loads(stack.do("preview", "--json"))
    finally:
        stack.file.write_text(before)
    return {
        (urn[2].rpartition("$")[2], urn[3].removeprefix(stack.name).lstrip("-")): step["op"]
        for step in preview["steps"]
        if step["op"] != "same"
        for urn in [step["urn"].split("::")]
    }


def steps(stack: Stack, path: str, value: str) -> dict[str, set[str]]:
    """What an edit of one property would do to resources, by type."""
    found: dict[str, set[str]] = {}
    for (kind, _), step in changed(stack, path, value).items():
        found.setdefault(kind, set()).add(step)
    return found


def called(aws: Aws) -> set[str]:
    """What was called, as actions of IAM."""
    calls = {(call["service"], call["action"]) for call in aws.calls()}
    return {f"{service}:{S3_ACTIONS.get(action, action) if service == 's3' else action}" for service, action in calls}
