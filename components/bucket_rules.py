"""What holds for the bucket in which code and documents travel to runs on ECS."""

from components.iam import canonical
from runner.contract import broken_rule

RETENTION_DAYS = 35
"""Longer than a document's `retention` keeps what is known of a failed run, so that `penstock retry` finds its code."""


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
