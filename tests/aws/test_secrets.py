"""Secrets by reference: whole, by key, from parameters, and only as far as the execution role may pull them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.aws.conftest import Bed, policy

pytestmark = pytest.mark.aws

SHOWS = "import os; print(os.environ['TOKEN'])"


@pytest.fixture
def secret(bed: Bed) -> Iterator[str]:
    manager = bed.aws.client("secretsmanager")
    arn = manager.create_secret(Name=f"{bed.name}/api", SecretString=json.dumps({"token": "t-1", "user": "u"}))["ARN"]
    yield arn
    manager.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@pytest.fixture
def parameter(bed: Bed) -> Iterator[str]:
    ssm = bed.aws.client("ssm")
    ssm.put_parameter(Name=f"/{bed.name}/token", Value="from-ssm", Type="SecureString")
    yield f"arn:aws:ssm:{bed.aws.region}:123456789012:parameter/{bed.name}/token"
    ssm.delete_parameter(Name=f"/{bed.name}/token")


def allow(bed: Bed, *statements: dict[str, Any]) -> None:
    bed.aws.client("iam").put_role_policy(
        RoleName=f"{bed.name}-execution", PolicyName="secrets", PolicyDocument=json.dumps(policy(*statements))
    )


def shown(bed: Bed, reference: str) -> tuple[list[str], str]:
    """What the container printed, and why it has stopped."""
    arn = bed.run(SHOWS, secrets=[{"name": "TOKEN", "valueFrom": reference}])
    task = bed.until(arn)
    return bed.lines(arn), task["stoppedReason"]


def test_a_secret_comes_whole_or_by_a_key_in_the_version_asked_for(bed: Bed, secret: str) -> None:
    allow(bed, {"Action": "secretsmanager:GetSecretValue", "Resource": secret})
    bed.aws.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=json.dumps({"token": "t-2"}))

    assert json.loads(shown(bed, secret)[0][0]) == {"token": "t-2"}
    assert shown(bed, f"{secret}:token::")[0] == ["t-2"]
    assert shown(bed, f"{secret}:token:AWSPREVIOUS:")[0] == ["t-1"]


def test_a_parameter_comes_by_arn_and_by_name(bed: Bed, parameter: str) -> None:
    allow(bed, {"Action": "ssm:GetParameters", "Resource": parameter})

    assert shown(bed, parameter)[0] == ["from-ssm"]
    assert shown(bed, f"/{bed.name}/token")[0] == ["from-ssm"]


@pytest.mark.parametrize("tail", [":no-such-key::", "x"])
def test_a_secret_or_key_that_is_not_there_keeps_the_task_from_starting(bed: Bed, secret: str, tail: str) -> None:
    allow(bed, {"Action": "secretsmanager:GetSecretValue", "Resource": "*"})

    printed, reason = shown(bed, secret + tail)

    assert printed == []
    assert reason.startswith("ResourceInitializationError: unable to pull secrets or registry auth: ")
    expected = "did not contain json key no-such-key" if tail != "x" else "can't find the specified secret"
    assert expected in reason


def test_what_the_execution_role_may_not_pull_keeps_the_task_from_starting(
    bed: Bed, secret: str, parameter: str
) -> None:
    allow(bed, {"Action": "secretsmanager:GetSecretValue", "Resource": f"{secret}-another"})

    for reference, action in ((secret, "secretsmanager:GetSecretValue"), (parameter, "ssm:GetParameters")):
        printed, reason = shown(bed, reference)
        assert printed == []
        assert f"AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/{bed.name}-execution/" in reason
        assert f"is not authorized to perform: {action} on resource: {reference}" in reason


def test_a_log_that_the_execution_role_may_not_write_keeps_the_task_from_starting(bed: Bed) -> None:
    bed.aws.client("iam").delete_role_policy(RoleName=f"{bed.name}-execution", PolicyName="run")

    reason = bed.until(bed.run("print(1)"))["stoppedReason"]

    assert reason.startswith("ResourceInitializationError: failed to validate logger args")
    assert "is not authorized to perform: logs:CreateLogStream" in reason
