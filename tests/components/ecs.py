"""What tests of components for ECS share."""

import json
from typing import Any

from components.aws_place import Names, Place, names

PLACE = {"partition": "aws", "region": "eu-west-1", "account": "123456789012"}
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/flows@sha256:" + "a" * 64
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:api-AbCdEf"  # noqa: S105 an ARN
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/flows/token"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def named(environment: str = "flights", **more: Any) -> Names:
    return names(environment, place=PLACE, **more)


def here() -> Place:
    return Place(**PLACE)


def statements(policy: str) -> dict[str, dict[str, Any]]:
    """The statements of a policy by name."""
    return {item["Sid"]: item for item in json.loads(policy)["Statement"]}
