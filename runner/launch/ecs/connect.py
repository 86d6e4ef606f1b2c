"""Makes launchers for environments on ECS; those in one region and of one profile share their clients."""

from functools import lru_cache

from runner.aws.access import Access, load
from runner.aws.client import Client
from runner.environment import Environment
from runner.launch.base import Reach
from runner.launch.ecs.launcher import EcsLauncher

BUDGET_SECONDS = 20.0
"""How long a command tries to reach AWS: somebody is waiting for it, and throttling passes within seconds."""


def launcher(environment: Environment, reach: Reach) -> EcsLauncher:
    """The launcher of an environment whose runs are tasks."""
    section = environment.on_ecs
    assert section is not None  # noqa: S101 the contract demands the section of the kind
    access = _access(section.region, reach.profile)
    return EcsLauncher(environment, access, ecs=_client(access, "ecs"), logs=_client(access, "logs"))


@lru_cache
def _access(region: str, profile: str | None) -> Access:
    return load(region=region, profile=profile)


@lru_cache
def _client(access: Access, service: str) -> Client:
    return Client(access, service, budget_seconds=BUDGET_SECONDS)
