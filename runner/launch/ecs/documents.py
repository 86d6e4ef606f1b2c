"""Finds environment documents in Systems Manager, where `pulumi up` puts them for clients without Pulumi."""

from runner.aws.access import load
from runner.aws.client import Client
from runner.aws.errors import NotFound
from runner.errors import UsageError
from runner.launch.base import Reach


def parameter(name: str) -> str:
    """Name of the parameter that holds an environment's document."""
    return name if name.startswith("/") else f"/penstock/{name}/environment"


def document(reach: Reach, name: str) -> bytes:
    """The document of an environment.

    Args:
        reach: which account and region are meant.
        name: the environment's name, or the whole name of the parameter.

    Raises:
        UsageError: there is none of that name.
        UnavailableError: AWS does not answer, or does not allow it.
    """
    access = load(region=reach.region, profile=reach.profile)
    client = Client(access, "ssm")
    try:
        found = client.call("GetParameter", Name=parameter(name))
    except NotFound:
        raise UsageError(
            f"There is no parameter {parameter(name)} in {access.region}. "
            "Check --region and --profile, or provision the environment with `pulumi up`."
        ) from None
    finally:
        client.close()
    return str(found["Parameter"]["Value"]).encode()
