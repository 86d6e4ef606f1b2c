"""What moto's S3 leaves out of policies of buckets: their conditions."""

import json
from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from tests.testbed.aws.permissions import Need, matches, statements

OVER_TLS = {"aws:SecureTransport": "true"}
"""This server speaks plain HTTP on loopback; to policies it is AWS, which clients reach over TLS."""


def _permission(bucket: FakeBucket, action: str, resource: str) -> Any:
    """What a bucket's own policy says of a request, of whoever makes it."""
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    need = Need(action=action, resource=resource, conditions=OVER_TLS)
    effects = {str(item["Effect"]) for item in statements([json.loads(bucket.policy)]) if matches(item, need)}
    if "Deny" in effects:
        return PermissionResult.DENIED
    return PermissionResult.PERMITTED if "Allow" in effects else PermissionResult.NEUTRAL


def install() -> None:
    """Have moto heed them."""
    FakeBucket.get_permission = _permission
