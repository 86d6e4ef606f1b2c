"""Secrets Manager's own operations: who may do what with which secret, and its words for what is not there."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.aws.conftest import Bed, policy

pytestmark = pytest.mark.aws


@pytest.fixture
def prefix(bed: Bed) -> Iterator[str]:
    """Begins the names of secrets that are gone after the test."""
    manager = bed.aws.client("secretsmanager")
    yield f"penstock/{bed.name}/"
    filters = [{"Key": "name", "Values": [f"penstock/{bed.name}/"]}]
    for secret in manager.list_secrets(Filters=filters, IncludePlannedDeletion=True)["SecretList"]:
        manager.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)


def arn(bed: Bed, name: str) -> str:
    return f"arn:aws:secretsmanager:{bed.aws.region}:123456789012:secret:{name}"


def client(bed: Bed, who: str, *statements: dict[str, Any]) -> Any:
    """Secrets Manager as a new user uses it."""
    env = bed.aws.user(f"{bed.name}-{who}", policy(*statements))
    return boto3.client(
        "secretsmanager",
        endpoint_url=bed.aws.endpoint,
        region_name=bed.aws.region,
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )


def refusal(ask: Any, **given: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        ask(**given)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_prefix_allows_all_secrets_below_it_and_no_others(bed: Bed, prefix: str) -> None:
    actions = [f"secretsmanager:{verb}" for verb in ("CreateSecret", "TagResource", "GetSecretValue", "DeleteSecret")]
    manager = client(bed, "a", {"Action": actions, "Resource": arn(bed, f"{prefix}*")})
    tags = [{"Key": "penstock.dev/run-id", "Value": "r-1"}]

    made = manager.create_secret(Name=f"{prefix}one", SecretString="keys", Tags=tags)

    assert made["ARN"].startswith(arn(bed, f"{prefix}one-"))
    assert len(made["ARN"]) == len(arn(bed, f"{prefix}one")) + 7
    for known_as in (f"{prefix}one", made["ARN"], arn(bed, f"{prefix}one")):
        assert manager.get_secret_value(SecretId=known_as)["SecretString"] == "keys"
    told = bed.aws.client("secretsmanager").describe_secret(SecretId=f"{prefix}one")
    assert told["Tags"] == tags
    other = f"penstock/{bed.name}-other/one"
    for ask, given in (
        (manager.create_secret, {"Name": other, "SecretString": "x"}),
        (manager.get_secret_value, {"SecretId": other}),
        (manager.delete_secret, {"SecretId": other, "ForceDeleteWithoutRecovery": True}),
        (manager.list_secrets, {}),
        (manager.describe_secret, {"SecretId": f"{prefix}one"}),
    ):
        assert refusal(ask, **given)[0] == "AccessDeniedException"
    manager.delete_secret(SecretId=f"{prefix}one", ForceDeleteWithoutRecovery=True)
    assert (
        bed.aws.client("secretsmanager").list_secrets(Filters=[{"Key": "name", "Values": [prefix]}])["SecretList"] == []
    )


def test_what_is_needed_is_told_with_the_name_and_the_tags(bed: Bed, prefix: str) -> None:
    manager = client(bed, "b", {"Action": "secretsmanager:*", "Resource": "*"})

    made = manager.create_secret(Name=f"{prefix}one", SecretString="x", Tags=[{"Key": "run", "Value": "r"}])
    manager.get_secret_value(SecretId=f"{prefix}one")
    manager.list_secrets()
    manager.create_secret(Name=f"{prefix}two", SecretString="x")

    needed = [(need.action, need.resource, need.conditions) for need in bed.aws.needed(f"user/{bed.name}-b")]
    created = {"secretsmanager:Name": f"{prefix}one", "aws:RequestTag/run": "r"}
    assert needed == [
        ("secretsmanager:CreateSecret", arn(bed, f"{prefix}one-??????"), created),
        ("secretsmanager:TagResource", arn(bed, f"{prefix}one-??????"), created),
        ("secretsmanager:GetSecretValue", made["ARN"], {"aws:ResourceTag/run": "r"}),
        ("secretsmanager:ListSecrets", "*", {}),
        ("secretsmanager:CreateSecret", arn(bed, f"{prefix}two-??????"), {"secretsmanager:Name": f"{prefix}two"}),
    ]


def test_a_secret_with_tags_needs_the_right_to_tag(bed: Bed, prefix: str) -> None:
    manager = client(bed, "c", {"Action": "secretsmanager:CreateSecret", "Resource": arn(bed, f"{prefix}*")})

    code, said = refusal(
        manager.create_secret, Name=f"{prefix}one", SecretString="x", Tags=[{"Key": "a", "Value": "b"}]
    )

    assert code == "AccessDeniedException"
    assert "secretsmanager:TagResource" in said
    manager.create_secret(Name=f"{prefix}one", SecretString="x")


def test_a_secret_that_is_not_there_is_told_in_aws_words(bed: Bed, prefix: str) -> None:
    manager = client(bed, "d", {"Action": "secretsmanager:*", "Resource": arn(bed, f"{prefix}*")})
    expected = ("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")

    for ask in (manager.get_secret_value, manager.describe_secret, manager.delete_secret):
        assert refusal(ask, SecretId=f"{prefix}none") == expected
        assert refusal(ask, SecretId=arn(bed, f"{prefix}none-AbCdEf")) == expected
    assert manager.delete_secret(SecretId=f"{prefix}none", ForceDeleteWithoutRecovery=True)["Name"] == f"{prefix}none"


def test_a_secret_to_be_deleted_keeps_its_name_and_gives_no_value(bed: Bed, prefix: str) -> None:
    manager = bed.aws.client("secretsmanager")
    name = f"{prefix}one"
    manager.create_secret(Name=name, SecretString="x")
    manager.delete_secret(SecretId=name)
    marked = (
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
    )

    assert refusal(manager.get_secret_value, SecretId=name) == marked
    assert refusal(manager.delete_secret, SecretId=name) == marked
    code, said = refusal(manager.create_secret, Name=name, SecretString="y")
    assert code == "InvalidRequestException"
    assert said.endswith("a secret with this name is already scheduled for deletion.")
    assert "DeletedDate" in manager.describe_secret(SecretId=name)
    filters = [{"Key": "name", "Values": [prefix]}]
    assert manager.list_secrets(Filters=filters)["SecretList"] == []
    manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    manager.create_secret(Name=name, SecretString="y")


def test_one_token_creates_one_secret_and_a_name_is_there_once(bed: Bed, prefix: str) -> None:
    manager = bed.aws.client("secretsmanager")
    once = "0123456789abcdef0123456789abcdef"
    first = manager.create_secret(Name=f"{prefix}one", SecretString="x", ClientRequestToken=once)
    again = manager.create_secret(Name=f"{prefix}one", SecretString="x", ClientRequestToken=once)

    assert first["ARN"] == again["ARN"]
    expected = ("ResourceExistsException", f"The operation failed because the secret {prefix}one already exists.")
    assert refusal(manager.create_secret, Name=f"{prefix}one", SecretString="x") == expected
    assert refusal(manager.create_secret, Name=f"{prefix}two", SecretString="x" * 65_537)[0] == "ValidationException"


FETCHES = """
import botocore.session, os
manager = botocore.session.get_session().create_client("secretsmanager")
for name in (os.environ["PREFIX"] + "one", os.environ["PREFIX"] + "none", "penstock/other"):
    try:
        print(manager.get_secret_value(SecretId=name)["SecretString"])
    except Exception as error:
        print(error.response["Error"]["Code"])
"""


def test_a_task_gets_what_its_role_may_get(bed: Bed, prefix: str) -> None:
    bed.aws.client("secretsmanager").create_secret(Name=f"{prefix}one", SecretString="keys")
    granted = policy({"Action": "secretsmanager:GetSecretValue", "Resource": arn(bed, f"{prefix}*")})
    bed.aws.client("iam").put_role_policy(
        RoleName=f"{bed.name}-task", PolicyName="keys", PolicyDocument=json.dumps(granted)
    )

    task = bed.run(FETCHES, environment=[{"name": "PREFIX", "value": prefix}])
    bed.until(task)

    assert bed.lines(task) == ["keys", "ResourceNotFoundException", "AccessDeniedException"]
