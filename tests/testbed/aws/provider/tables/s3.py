"""S3: buckets; what is set on them is in `s3_settings`."""

from typing import Any

from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.resource import Autoname, ResourceType, Tagging, Update
from tests.testbed.aws.provider.tables.forms import keyed, listed
from tests.testbed.aws.provider.values import Unknown, Values

WITHOUT_CONSTRAINT = "us-east-1"
"""The region that CreateBucket must not be told."""
ZONE = {"eu-west-1": "Z1BKCTXD74EZPE", "us-east-1": "Z3AQBSTGFYJSTF", "eu-central-1": "Z21DNDUVLTQW6Q"}
"""Hosted zones of S3's web sites, from "Amazon S3 endpoints and quotas" in the AWS General Reference."""


def _create(it: Item) -> str:
    elsewhere = {"LocationConstraint": it.region} if it.region != WITHOUT_CONSTRAINT else None
    it.call("create_bucket", Bucket=it["bucket"], CreateBucketConfiguration=elsewhere)
    return str(it["bucket"])


def _read(it: Item) -> Values:
    it.call("head_bucket", Bucket=it.id)
    versioning = it.call("get_bucket_versioning", Bucket=it.id).get("Status")
    return {
        "arn": f"arn:aws:s3:::{it.id}",
        "bucket": it.id,
        "bucketDomainName": f"{it.id}.s3.amazonaws.com",
        "bucketRegion": it.region,
        "bucketRegionalDomainName": f"{it.id}.s3.{it.region}.amazonaws.com",
        "hostedZoneId": ZONE.get(it.region),
        "versioning": {"enabled": versioning == "Enabled"},
    }


def _version(it: Item) -> None:
    enabled = it["versioning"] if isinstance(it["versioning"], Unknown) else (it["versioning"] or {}).get("enabled")
    status = enabled if isinstance(enabled, Unknown) else "Enabled" if enabled else "Suspended"
    it.call("put_bucket_versioning", Bucket=it["bucket"], VersioningConfiguration={"Status": status})


def _delete(it: Item) -> None:
    if it["forceDestroy"]:
        found = it.call("list_object_versions", Bucket=it.id)
        for version in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())):
            it.call("delete_object", Bucket=it.id, Key=version["Key"], VersionId=version["VersionId"])
    it.call("delete_bucket", Bucket=it.id)


def _tags(it: Item) -> dict[str, str]:
    answer = it.found("get_bucket_tagging", "NoSuchTagSet", Bucket=it.id)
    return keyed((answer or {}).get("TagSet") or [])


def _put_tags(it: Item, tags: dict[str, str]) -> Any:
    if not tags:
        return it.call("delete_bucket_tagging", Bucket=it.id)
    return it.call("put_bucket_tagging", Bucket=it.id, Tagging={"TagSet": listed(tags)})


TYPES = {
    "aws:s3/bucket:Bucket": ResourceType(
        service="s3",
        create=_create,
        read=_read,
        delete=_delete,
        fixed="bucket",
        updates=(Update(inputs="versioning", apply=_version, on_create=True),),
        local="forceDestroy",
        computed="versioning",
        defaults={"forceDestroy": False},
        autoname=Autoname(input="bucket", longest=63, lower=True),
        tagging=Tagging(
            read=_tags,
            add=lambda it, tags: _put_tags(it, {**_tags(it), **tags}),
            remove=lambda it, tags: _put_tags(it, {k: v for k, v in _tags(it).items() if k not in tags}),
        ),
        cloudformation=("AWS::S3::Bucket", {"bucket": "BucketName", "versioning": ""}),
        gone=frozenset({"NoSuchBucket", "404"}),
    )
}
