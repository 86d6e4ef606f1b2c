"""IAM: roles and what they may do."""

import json
from typing import Any

from tests.testbed.aws.provider import policies
from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.resource import Autoname, ResourceType, Tagging, Update
from tests.testbed.aws.provider.tables.forms import keyed, listed, renamed
from tests.testbed.aws.provider.values import Values

GONE = frozenset({"NoSuchEntity"})
MOST_VERSIONS = 5
"""Versions of a policy that IAM keeps."""


def _create_role(it: Item) -> str:
    answer = it.call(
        "create_role",
        RoleName=it["name"],
        AssumeRolePolicyDocument=it["assumeRolePolicy"],
        Path=it["path"],
        Description=it["description"],
        MaxSessionDuration=it["maxSessionDuration"],
        PermissionsBoundary=it["permissionsBoundary"],
    )
    return str(answer["Role"]["RoleName"])


def _role(it: Item) -> Any:
    return it.call("get_role", RoleName=it.id)["Role"]


def _read_role(it: Item) -> Values:
    role = _role(it)
    form = {"arn": "Arn", "name": "RoleName", "path": "Path", "maxSessionDuration": "MaxSessionDuration"}
    return {
        **renamed(role, {**form, "createDate": "CreateDate", "uniqueId": "RoleId", "description": "Description"}),
        "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
        "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
    }


def _trust(it: Item) -> None:
    it.call("update_assume_role_policy", RoleName=it.id, PolicyDocument=it["assumeRolePolicy"])


def _describe_role(it: Item) -> None:
    it.call(
        "update_role",
        RoleName=it.id,
        Description=it["description"] or "",
        MaxSessionDuration=it["maxSessionDuration"],
    )


def _bound_role(it: Item) -> None:
    if it["permissionsBoundary"]:
        it.call("put_role_permissions_boundary", RoleName=it.id, PermissionsBoundary=it["permissionsBoundary"])
    else:
        it.call("delete_role_permissions_boundary", RoleName=it.id)


def _delete_role(it: Item) -> None:
    if it["forceDetachPolicies"]:
        for policy in it.call("list_attached_role_policies", RoleName=it.id)["AttachedPolicies"]:
            it.call("detach_role_policy", RoleName=it.id, PolicyArn=policy["PolicyArn"])
        for name in it.call("list_role_policies", RoleName=it.id)["PolicyNames"]:
            it.call("delete_role_policy", RoleName=it.id, PolicyName=name)
    it.call("delete_role", RoleName=it.id)


def _put_role_policy(it: Item) -> str:
    it.call("put_role_policy", RoleName=it["role"], PolicyName=it["name"], PolicyDocument=it["policy"])
    return f"{it['role']}:{it['name']}"


def _read_role_policy(it: Item) -> Values:
    role, name = it.part(":")
    answer = it.call("get_role_policy", RoleName=role, PolicyName=name)
    return {"role": role, "name": name, "policy": json.dumps(answer["PolicyDocument"])}


def _delete_role_policy(it: Item) -> None:
    role, name = it.part(":")
    it.call("delete_role_policy", RoleName=role, PolicyName=name)


def _attach(it: Item) -> str:
    it.call("attach_role_policy", RoleName=it["role"], PolicyArn=it["policyArn"])
    return f"{it['role']}/{it['policyArn']}"


def _read_attachment(it: Item) -> Values | None:
    role, arn = it.part("/")
    attached = it.call("list_attached_role_policies", RoleName=role)["AttachedPolicies"]
    return {"role": role, "policyArn": arn} if arn in {policy["PolicyArn"] for policy in attached} else None


def _detach(it: Item) -> None:
    role, arn = it.part("/")
    it.call("detach_role_policy", RoleName=role, PolicyArn=arn)


def _create_policy(it: Item) -> str:
    answer = it.call(
        "create_policy",
        PolicyName=it["name"],
        Path=it["path"],
        Description=it["description"],
        PolicyDocument=it["policy"],
    )
    return str(answer["Policy"]["Arn"])


def _policy(it: Item) -> Any:
    return it.call("get_policy", PolicyArn=it.id)["Policy"]


def _read_policy(it: Item) -> Values:
    policy = _policy(it)
    version = it.call("get_policy_version", PolicyArn=it.id, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    form = {"arn": "Arn", "name": "PolicyName", "path": "Path", "policyId": "PolicyId", "description": "Description"}
    return {
        **renamed(policy, {**form, "attachmentCount": "AttachmentCount"}),
        "policy": json.dumps(version["Document"]),
    }


def _versions(it: Item) -> Any:
    versions = it.call("list_policy_versions", PolicyArn=it.id)["Versions"]
    old = [version for version in versions if not version["IsDefaultVersion"]]
    return sorted(old, key=lambda version: int(version["VersionId"].removeprefix("v")))


def _new_version(it: Item) -> None:
    old = _versions(it)
    if len(old) >= MOST_VERSIONS - 1:
        it.call("delete_policy_version", PolicyArn=it.id, VersionId=old[0]["VersionId"])
    it.call("create_policy_version", PolicyArn=it.id, PolicyDocument=it["policy"], SetAsDefault=True)


def _delete_policy(it: Item) -> None:
    for version in _versions(it):
        it.call("delete_policy_version", PolicyArn=it.id, VersionId=version["VersionId"])
    it.call("delete_policy", PolicyArn=it.id)


TYPES = {
    "aws:iam/role:Role": ResourceType(
        service="iam",
        create=_create_role,
        read=_read_role,
        delete=_delete_role,
        fixed="name path",
        updates=(
            Update(inputs="assumeRolePolicy", apply=_trust),
            Update(inputs="description maxSessionDuration", apply=_describe_role),
            Update(inputs="permissionsBoundary", apply=_bound_role),
        ),
        local="forceDetachPolicies",
        defaults={"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"},
        autoname=Autoname(input="name", longest=64),
        tagging=Tagging(
            read=lambda it: keyed(_role(it).get("Tags") or []),
            add=lambda it, tags: it.call("tag_role", RoleName=it.id, Tags=listed(tags)),
            remove=lambda it, tags: it.call("untag_role", RoleName=it.id, TagKeys=sorted(tags)),
        ),
        compared={"assumeRolePolicy": policies.canonical},
        check=lambda values: policies.refused(
            "assumeRolePolicy", values.get("assumeRolePolicy"), principal=True, resource=False
        ),
        cloudformation=("AWS::IAM::Role", {"name": "RoleName", "assumeRolePolicy": ""}),
        gone=GONE,
    ),
    "aws:iam/rolePolicy:RolePolicy": ResourceType(
        service="iam",
        create=_put_role_policy,
        read=_read_role_policy,
        delete=_delete_role_policy,
        fixed="role name",
        updates=(Update(inputs="policy", apply=_put_role_policy),),
        autoname=Autoname(input="name", longest=128),
        compared={"policy": policies.canonical},
        check=lambda values: policies.refused("policy", values.get("policy"), principal=False),
        gone=GONE,
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ResourceType(
        service="iam", create=_attach, read=_read_attachment, delete=_detach, fixed="role policyArn", gone=GONE
    ),
    "aws:iam/policy:Policy": ResourceType(
        service="iam",
        create=_create_policy,
        read=_read_policy,
        delete=_delete_policy,
        fixed="name path description",
        updates=(Update(inputs="policy", apply=_new_version),),
        local="delayAfterPolicyCreationInMs",
        defaults={"path": "/"},
        autoname=Autoname(input="name", longest=128),
        tagging=Tagging(
            read=lambda it: keyed(_policy(it).get("Tags") or []),
            add=lambda it, tags: it.call("tag_policy", PolicyArn=it.id, Tags=listed(tags)),
            remove=lambda it, tags: it.call("untag_policy", PolicyArn=it.id, TagKeys=sorted(tags)),
        ),
        compared={"policy": policies.canonical},
        check=lambda values: policies.refused("policy", values.get("policy"), principal=False),
        gone=GONE,
    ),
}
