"""The bucket in which code and documents travel to runs that are too long for the start of a task, and files back.

Nobody but the account reaches it, only through TLS, and what is in it goes by itself.
"""

from typing import Any

import pulumi
import pulumi_aws as aws

from components.bucket_rules import only_by_tls
from runner.sections import ARTIFACTS_PREFIX, BUNDLES_PREFIX, INPUTS_PREFIX

UPLOAD_DAYS = 1
"""When parts of an upload that was never finished go."""


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
        for prefix in (BUNDLES_PREFIX, INPUTS_PREFIX, ARTIFACTS_PREFIX)
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
