"""The values that a container's `secrets` refer to, pulled with the task's execution role.

Source: "Pass sensitive data to an Amazon ECS container" in the ECS Developer Guide.
"""

import json
from typing import Any

from moto.secretsmanager import secretsmanager_backends
from moto.ssm import ssm_backends

from tests.testbed.aws.roles import refusal

PULL = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
MANAGER = f"{PULL}unable to retrieve secret from asm: service call has been retried 1 time(s): "
PARAMETERS = f"{PULL}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "


def value(reference: str, *, account: str, region: str, role: str | None) -> str:
    """The value of one secret.

    Args:
        reference: the `valueFrom`: ARN of a secret with `:key:stage:version` behind it if need be, or ARN or name of a
            parameter.
        account: the account's id.
        region: the task's region.
        role: ARN of the execution role.

    Raises:
        RuntimeError: it cannot be pulled.
    """
    if reference.startswith("arn:aws:secretsmanager:"):
        return _of_manager(reference, account, role)
    return _of_parameters(reference, account, region, role)


def _of_manager(reference: str, account: str, role: str | None) -> str:
    parts = reference.split(":")
    arn, region = ":".join(parts[:7]), parts[3]
    key, stage, version = [*parts[7:], "", "", ""][:3]
    if said := refusal(role, "secretsmanager:GetSecretValue", arn):
        raise RuntimeError(f"{MANAGER}failed to fetch secret {arn} from secrets manager: {said}")
    backend = secretsmanager_backends[account][region]
    try:
        found = backend.get_secret_value(arn, version, "" if version else stage or "AWSCURRENT")["SecretString"]
    except Exception as error:
        raise RuntimeError(
            f"{MANAGER}failed to fetch secret {arn} from secrets manager: ResourceNotFoundException: Secrets Manager "
            "can't find the specified secret."
        ) from error
    if not key:
        return str(found)
    try:
        return str(json.loads(found)[key])
    except (ValueError, KeyError, TypeError) as error:
        raise RuntimeError(
            f"{PULL}unable to retrieve secret from asm: retrieved secret from Secrets Manager did not contain json key "
            f"{key}"
        ) from error


def _of_parameters(reference: str, account: str, region: str, role: str | None) -> str:
    if reference.startswith("arn:"):
        region, rest = reference.split(":")[3], reference.partition(":parameter/")[2]
    else:
        rest = reference.lstrip("/")
    arn = f"arn:aws:ssm:{region}:{account}:parameter/{rest}"
    if said := refusal(role, "ssm:GetParameters", arn):
        raise RuntimeError(f"{PARAMETERS}{said}")
    backend: Any = ssm_backends[account][region]
    found = backend.get_parameter(f"/{rest}") or backend.get_parameter(rest)
    if found is None:
        raise RuntimeError(f"{PULL}unable to retrieve secrets from ssm: invalid parameters: {rest}")
    return str(found.response_object(decrypt=True)["Value"])
