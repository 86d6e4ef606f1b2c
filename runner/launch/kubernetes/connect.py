"""Makes launchers for environments on Kubernetes; those in one cluster share one client."""

from functools import lru_cache

from runner.environment import Environment
from runner.kubernetes.client import Client
from runner.kubernetes.config import load
from runner.launch.base import Reach
from runner.launch.kubernetes.launcher import KubernetesLauncher


def launcher(environment: Environment, reach: Reach) -> KubernetesLauncher:
    """The launcher of an environment of kind `kubernetes-job`."""
    return KubernetesLauncher(environment, client(reach))


@lru_cache
def client(reach: Reach) -> Client:
    """The client of a cluster."""
    return Client(load(kubeconfig=reach.kubeconfig, context=reach.context))
