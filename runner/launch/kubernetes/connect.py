"""Makes launchers for environments on Kubernetes; those in one cluster share one client."""

from functools import lru_cache

from runner.environment import Environment
from runner.kubernetes.client import Client
from runner.kubernetes.config import load
from runner.launch.base import Reach
from runner.launch.kubernetes.launcher import KubernetesLauncher

BUDGET_SECONDS = 10.0
"""How long a command tries to reach a cluster: somebody is waiting for it."""


def launcher(environment: Environment, reach: Reach) -> KubernetesLauncher:
    """The launcher of an environment whose runs are Jobs."""
    return KubernetesLauncher(environment, client(reach))


@lru_cache
def client(reach: Reach, *, budget_seconds: float = BUDGET_SECONDS) -> Client:
    """The client of a cluster."""
    return Client(load(kubeconfig=reach.kubeconfig, context=reach.context), budget_seconds=budget_seconds)
