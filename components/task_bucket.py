"""The bucket in which code and documents travel to runs that are too long for the start of a task.

Nobody but the account reaches it, only through TLS, and what is in it goes by itself.
"""

from typing import Any

import pulumi
import pulumi_aws as aws

from components.iam import canonical
from runner.contract import broken_rule
from runner.sections import BUNDLES_PREFIX, INPUTS_PREFIX

RETENTION_DAYS = 35
"""Longer than a document's `retention` keeps what is known of a failed run, so that `penstock retry` finds its code."""
UPLOAD_DAYS = 1
"""When parts of an upload that was never finished go."""


def retention_days(*, input_retention_days: int = RETENTION_DAYS) -> int:
    """The same number of days.

    Raises:
        ContractError: S3 does not take it.
    """
    if input_retention_days < 1:
        raise broken_rule("input_retention_days", str(input_retention_days), "at least 1")
    return input_retention_days


def only_by_tls(bucket_arn: str) -> str:
    """The bucket's policy: nothing over a connection that others can read.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    """
    return canonical(
        [
            {
                "Sid": "OnlyByTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [bucket_arn, f"{bucket_arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ]
    )


def create_bucket(
    name: str, *, bucket_name: Any, bucket_arn: Any, days: Any, tags: Any, parent: Any
) -> pulumi.Resource:
    """Creates the bucket with its settings.

    Args:
        name: name of the resources.
        bucket_name: the bucket's own name.
        bucket_arn: its ARN.
        days: how long what is in it stays.
        tags: tags of it.
        parent: the component that it belongs to.
    """
    child = pulumi.ResourceOptions(parent=parent)
    # All that is in it are copies, which a destroy must not stop at.
    bucket = aws.s3.Bucket(name, bucket=bucket_name, force_destroy=True, tags=tags, opts=child)
    aws.s3.BucketPublicAccessBlock(
        name,
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=child,
    )
    aws.s3.BucketOwnershipControls(
        name, bucket=bucket.bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=child
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        name,
        bucket=bucket.bucket,
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
        opts=child,
    )
    expiring: list[Any] = [
        {
            "id": prefix.strip("/"),
            "status": "Enabled",
            "filter": {"prefix": prefix},
            "expiration": {"days": days},
        }
        for prefix in (BUNDLES_PREFIX, INPUTS_PREFIX)
    ]
    unfinished: Any = {
        "id": "uploads",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "abort_incomplete_multipart_upload": {"days_after_initiation": UPLOAD_DAYS},
    }
    aws.s3.BucketLifecycleConfiguration(name, bucket=bucket.bucket, rules=[*expiring, unfinished], opts=child)
    aws.s3.BucketPolicy(
        name, bucket=bucket.bucket, policy=pulumi.Output.from_input(bucket_arn).apply(only_by_tls), opts=child
    )
    return bucket
