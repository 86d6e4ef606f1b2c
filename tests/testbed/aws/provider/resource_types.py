"""All types of resources that the provider knows, by the token that the SDK sends."""

from tests.testbed.aws.provider.resource import ResourceType
from tests.testbed.aws.provider.tables import (
    databases,
    ecs,
    gateways,
    iam,
    logs,
    routing,
    s3,
    s3_settings,
    secrets_manager,
    security_groups,
    ssm,
    vpc,
)

TABLES = (databases, ecs, gateways, iam, logs, routing, s3, s3_settings, secrets_manager, security_groups, ssm, vpc)
TYPES: dict[str, ResourceType] = {token: kind for table in TABLES for token, kind in table.TYPES.items()}
