"""A run's keys in Secrets Manager: stored once, found by name, and gone for good when they are removed."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runner.aws.access import load
from runner.aws.client import Client
from runner.aws.errors import AccessDenied
from runner.clusters import run_keys, tls
from runner.errors import ContractError, UnavailableError
from tests.testbed.aws.faults import Kind
from tests.testbed.aws.handle import Aws

pytestmark = [pytest.mark.aws, pytest.mark.timeout(60)]
TAGS = {"penstock.dev/run-id": "the-run", "penstock.dev/attempt": "2"}


@pytest.fixture
def client(aws: Aws) -> Iterator[Client]:
    client = Client(load(region=aws.region), "secretsmanager", budget_seconds=10)
    yield client
    client.close()


@pytest.fixture
def name(aws: Aws) -> Iterator[str]:
    """The name of a secret that nobody else has; it is gone afterwards."""
    name = f"penstock/keys-{os.urandom(4).hex()}/{os.urandom(16).hex()}"
    yield name
    secrets = aws.client("secretsmanager")
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def known(aws: Aws, name: str) -> list[dict[str, Any]]:
    """The secrets of a name, those that could be restored included."""
    listed = aws.client("secretsmanager").list_secrets(
        Filters=[{"Key": "name", "Values": [name]}], IncludePlannedDeletion=True
    )
    return list(listed["SecretList"])


def test_keys_are_found_as_they_were_stored(aws: Aws, client: Client, name: str) -> None:
    keys = tls.make()
    run_keys.store(client, name, keys, TAGS)

    assert run_keys.fetch(client, name) == keys
    (secret,) = known(aws, name)
    assert secret["Name"] == name
    assert {tag["Key"]: tag["Value"] for tag in secret["Tags"]} == TAGS
    assert secret["Description"] == "Keys of one run of Penstock, deleted with its end"


def test_removed_keys_are_gone_at_once_and_stay_gone(aws: Aws, client: Client, name: str) -> None:
    run_keys.store(client, name, "keys", TAGS)
    run_keys.remove(client, name)
    assert known(aws, name) == []

    run_keys.remove(client, name)


def test_keys_that_never_were_are_gone(client: Client, name: str) -> None:
    run_keys.remove(client, name)


@pytest.mark.parametrize("kind", [Kind.THROTTLE, Kind.UNAVAILABLE, Kind.DROP])
def test_calls_that_fail_are_made_again(aws: Aws, client: Client, name: str, kind: Kind) -> None:
    for action in ("CreateSecret", "GetSecretValue", "DeleteSecret"):
        aws.inject(kind, action=action, times=2)
    run_keys.store(client, name, "keys", TAGS)

    assert run_keys.fetch(client, name) == "keys"
    run_keys.remove(client, name)
    assert known(aws, name) == []


def test_keys_that_come_a_moment_late_are_waited_for(aws: Aws, client: Client, name: str) -> None:
    late = threading.Timer(0.7, run_keys.store, args=(client, name, "keys", TAGS))
    late.start()

    assert run_keys.fetch(client, name) == "keys"
    late.join()


def test_keys_that_do_not_come_are_told_by_their_name(
    client: Client, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_keys, "LATE_SECONDS", 0.2)

    with pytest.raises(ContractError) as error:
        run_keys.fetch(client, name)

    assert str(error.value) == (
        f"the secret with the run's keys is not in Secrets Manager as {name}, expected there for as long as the run "
        "goes on. Start the run again; it has ended, or somebody has deleted it."
    )


def test_keys_that_are_to_be_deleted_are_told_at_once(aws: Aws, client: Client, name: str) -> None:
    run_keys.store(client, name, "keys", TAGS)
    aws.client("secretsmanager").delete_secret(SecretId=name)
    aws.calls(clear=True)

    with pytest.raises(ContractError, match="not in Secrets Manager as penstock/keys-"):
        run_keys.fetch(client, name)

    assert [call["action"] for call in aws.calls()] == ["GetSecretValue"]


def test_a_name_that_another_has_is_not_taken_over(aws: Aws, client: Client, name: str) -> None:
    run_keys.store(client, name, "keys", TAGS)

    with pytest.raises(UnavailableError, match="ResourceExistsException"):
        run_keys.store(client, name, "others", TAGS)

    assert run_keys.fetch(client, name) == "keys"


def test_a_right_that_is_missing_is_named(aws: Aws, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in aws.user(f"nobody-{os.urandom(4).hex()}").items():
        monkeypatch.setenv(variable, value)
    client = Client(load(region=aws.region), "secretsmanager", budget_seconds=5)
    steps: dict[str, Callable[[], object]] = {
        "CreateSecret": lambda: run_keys.store(client, name, "keys", TAGS),
        "GetSecretValue": lambda: run_keys.fetch(client, name),
        "DeleteSecret": lambda: run_keys.remove(client, name),
    }
    for action, step in steps.items():
        with pytest.raises(AccessDenied, match=f"AWS does not allow secretsmanager:{action} "):
            step()
    client.close()
