"""The keys of one run's Dask cluster in Secrets Manager, where the run's workers find them by name."""

import contextlib
import time
import uuid
from collections.abc import Mapping

from runner.aws.client import Client
from runner.aws.errors import ApiError, NotFound
from runner.errors import ContractError

LATE_SECONDS = 5.0
"""So long a secret may be missing that was created just now: Secrets Manager is consistent in the end."""
PAUSE_SECONDS = 0.5


def store(client: Client, name: str, keys: str, tags: Mapping[str, str]) -> None:
    """Create the secret; doing so again is the same.

    Args:
        client: of Secrets Manager.
        name: the secret's name.
        keys: as `tls.make` makes them.
        tags: whose they are.

    Raises:
        UnavailableError: AWS does not take it.
    """
    client.call(
        "CreateSecret",
        Name=name,
        Description="Keys of one run of Penstock, deleted with its end",
        SecretString=keys,
        ClientRequestToken=str(uuid.uuid4()),
        Tags=[{"Key": key, "Value": value} for key, value in sorted(tags.items())],
    )


def fetch(client: Client, name: str) -> str:
    """The keys.

    Raises:
        ContractError: there is no such secret.
        UnavailableError: AWS does not give it.
    """
    deadline = time.monotonic() + LATE_SECONDS
    while True:
        try:
            return str(client.call("GetSecretValue", SecretId=name)["SecretString"])
        except NotFound:
            if time.monotonic() > deadline:
                raise _missing(name) from None
        except ApiError as error:
            if error.code != "InvalidRequestException":  # it is marked for deletion
                raise
            raise _missing(name) from None
        time.sleep(PAUSE_SECONDS)


def remove(client: Client, name: str) -> None:
    """Delete the secret at once, without the days in which it could be restored; one that is gone stays gone.

    Raises:
        UnavailableError: AWS does not do it.
    """
    with contextlib.suppress(NotFound):
        client.call("DeleteSecret", SecretId=name, ForceDeleteWithoutRecovery=True)


def _missing(name: str) -> ContractError:
    return ContractError(
        path="",
        found=f"not in Secrets Manager as {name}",
        expected="there for as long as the run goes on",
        subject="the secret with the run's keys",
        next_step="Start the run again; it has ended, or somebody has deleted it.",
    )
