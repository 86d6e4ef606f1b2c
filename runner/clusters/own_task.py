"""What the task of ECS that this process is in says of itself."""

import contextlib
import http.client
import json
import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from runner.errors import UnavailableError

VARIABLE = "ECS_CONTAINER_METADATA_URI_V4"
"""Where ECS' agent tells it.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html"""
SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class OwnTask:
    """A task of ECS, from inside."""

    arn: str
    """ARN of the task."""
    cluster: str
    """ARN or name of its cluster."""
    address: str
    """Address of its network interface."""

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]


def own_task() -> OwnTask:
    """The task that this process is in.

    Raises:
        UnavailableError: it is in none, or its agent does not answer.
    """
    try:
        said = _said()
        address = said["Containers"][0]["Networks"][0]["IPv4Addresses"][0]
        return OwnTask(arn=said["TaskARN"], cluster=said["Cluster"], address=address)
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as error:
        raise UnavailableError(
            f"ECS' agent does not say which task this is ({type(error).__name__}: {error}). Start the run again."
        ) from None


def has_ended(container: str) -> bool:
    """Whether a container of the task has ended, as far as its agent tells.

    Raises:
        UnavailableError: this process is in no task.
    """
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return any(item["Name"] == container and item["KnownStatus"] == "STOPPED" for item in _said()["Containers"])
    return False


def _said() -> dict[str, Any]:
    """What the agent says of the task."""
    place = os.environ.get(VARIABLE)
    if place is None:
        raise UnavailableError(
            f"The variable {VARIABLE} is not set, which ECS sets in every task. "
            "Start runs with `penstock run`, in an environment that `pulumi up` has provisioned."
        )
    server = urlsplit(f"{place}/task")
    connection = http.client.HTTPConnection(server.hostname or "", server.port, timeout=SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", server.path)
        said: dict[str, Any] = json.loads(connection.getresponse().read())
    return said
