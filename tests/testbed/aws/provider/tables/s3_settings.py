"""S3: what is set on a bucket, each kind of setting a resource whose id is the bucket's name."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.testbed.aws.provider import policies
from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.errors import Problem
from tests.testbed.aws.provider.resource import ResourceType, Update
from tests.testbed.aws.provider.values import Unknown, Values

BLOCKS = "blockPublicAcls blockPublicPolicy ignorePublicAcls restrictPublicBuckets"


def _setting(
    inputs: str,
    put: Callable[[Item], object],
    read: Callable[[Item], Values | None],
    delete: Callable[[Item], object],
    gone: str,
    **more: Any,
) -> ResourceType:
    def create(it: Item) -> str:
        put(it)
        return str(it["bucket"])

    return ResourceType(
        service="s3",
        create=create,
        read=lambda it: (found := read(it)) and {"bucket": it.id, **found},
        delete=delete,
        fixed="bucket",
        updates=(Update(inputs=inputs, apply=put),),
        gone=frozenset({gone, "NoSuchBucket"}),
        **more,
    )


def _first_upper(name: str) -> str:
    return name[0].upper() + name[1:]


def _lower_keys(value: Any) -> Any:
    """An answer of S3 as the SDK has it."""
    if isinstance(value, dict):
        renamed = {"ID": "id", "SSEAlgorithm": "sseAlgorithm", "KMSMasterKeyID": "kmsMasterKeyId"}
        return {renamed.get(key, key[0].lower() + key[1:]): _lower_keys(item) for key, item in value.items()}
    return [_lower_keys(item) for item in value] if isinstance(value, list) else value


def _block(it: Item) -> None:
    blocks = {_first_upper(name): bool(it[name]) for name in BLOCKS.split()}
    it.call("put_public_access_block", Bucket=it["bucket"], PublicAccessBlockConfiguration=blocks)


def _read_block(it: Item) -> Values:
    blocks = it.call("get_public_access_block", Bucket=it.id)["PublicAccessBlockConfiguration"]
    return {name: blocks[_first_upper(name)] for name in BLOCKS.split()}


def _encrypt(it: Item) -> None:
    rules = it["rules"] if isinstance(it["rules"], Unknown) else [_encryption(rule) for rule in it["rules"] or []]
    it.call("put_bucket_encryption", Bucket=it["bucket"], ServerSideEncryptionConfiguration={"Rules": rules})


def _encryption(rule: Any) -> Any:
    if isinstance(rule, dict) and isinstance(rule.get("applyServerSideEncryptionByDefault"), dict):
        default = dict(rule["applyServerSideEncryptionByDefault"])
        if "kmsMasterKeyId" in default:
            default["KMSMasterKeyID"] = default.pop("kmsMasterKeyId")
        return {**rule, "applyServerSideEncryptionByDefault": default}
    return rule


def _read_encryption(it: Item) -> Values:
    answer = it.call("get_bucket_encryption", Bucket=it.id)["ServerSideEncryptionConfiguration"]
    return {"rules": _lower_keys(answer["Rules"])}


def _expire(it: Item) -> None:
    rules = it["rules"]
    if not isinstance(rules, Unknown):
        rules = [{**rule, "filter": rule.get("filter", {"prefix": ""})} for rule in rules or []]
    it.call("put_bucket_lifecycle_configuration", Bucket=it["bucket"], LifecycleConfiguration={"Rules": rules})


def _read_lifecycle(it: Item) -> Values:
    return {"rules": _lower_keys(it.call("get_bucket_lifecycle_configuration", Bucket=it.id)["Rules"])}


def _check_lifecycle(values: Values) -> Iterator[Problem]:
    rules = values.get("rules")
    if not isinstance(rules, list):
        yield from () if isinstance(rules, Unknown) else (Problem("rules", "a lifecycle needs at least one rule"),)
        return
    for i, rule in enumerate(rules):
        if not isinstance(rule, dict):
            continue
        actions = rule.keys() - {"id", "status", "filter", "prefix"}
        if not actions:
            yield Problem(f"rules[{i}]", "a rule needs at least one action, such as `expiration`")
        expiration = rule.get("expiration")
        if isinstance(expiration, dict) and isinstance(expiration.get("days"), int) and expiration["days"] < 1:
            yield Problem(f"rules[{i}].expiration.days", f"expected at least 1 day, got {expiration['days']}")


def _put_policy(it: Item) -> None:
    it.call("put_bucket_policy", Bucket=it["bucket"], Policy=it["policy"])


def _read_policy(it: Item) -> Values:
    return {"policy": json.dumps(json.loads(it.call("get_bucket_policy", Bucket=it.id)["Policy"]))}


def _own(it: Item) -> None:
    it.call("put_bucket_ownership_controls", Bucket=it["bucket"], OwnershipControls={"Rules": [it["rule"]]})


def _read_ownership(it: Item) -> Values:
    rules = it.call("get_bucket_ownership_controls", Bucket=it.id)["OwnershipControls"]["Rules"]
    return {"rule": _lower_keys(rules[0])}


def _version(it: Item) -> None:
    it.call("put_bucket_versioning", Bucket=it["bucket"], VersioningConfiguration=it["versioningConfiguration"])


def _read_versioning(it: Item) -> Values | None:
    status = it.call("get_bucket_versioning", Bucket=it.id).get("Status")
    return {"versioningConfiguration": {"status": status}} if status else None


def _suspend(it: Item) -> None:
    it.call("put_bucket_versioning", Bucket=it.id, VersioningConfiguration={"Status": "Suspended"})


TYPES = {
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _setting(
        BLOCKS,
        _block,
        _read_block,
        lambda it: it["skipDestroy"] or it.call("delete_public_access_block", Bucket=it.id),
        "NoSuchPublicAccessBlockConfiguration",
        local="skipDestroy",
        defaults=dict.fromkeys(BLOCKS.split(), False),
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _setting(
        "rules",
        _encrypt,
        _read_encryption,
        lambda it: it.call("delete_bucket_encryption", Bucket=it.id),
        "ServerSideEncryptionConfigurationNotFoundError",
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _setting(
        "rules",
        _expire,
        _read_lifecycle,
        lambda it: it.call("delete_bucket_lifecycle", Bucket=it.id),
        "NoSuchLifecycleConfiguration",
        check=_check_lifecycle,
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _setting(
        "policy",
        _put_policy,
        _read_policy,
        lambda it: it.call("delete_bucket_policy", Bucket=it.id),
        "NoSuchBucketPolicy",
        compared={"policy": policies.canonical},
        check=lambda values: policies.refused("policy", values.get("policy"), principal=True),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _setting(
        "rule",
        _own,
        _read_ownership,
        lambda it: it.call("delete_bucket_ownership_controls", Bucket=it.id),
        "OwnershipControlsNotFoundError",
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _setting(
        "versioningConfiguration", _version, _read_versioning, _suspend, "NoSuchVersioning"
    ),
}
