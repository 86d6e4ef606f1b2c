"""Places where the contract of launchers is tested: each a launcher, and an environment of its kind."""

import time
from dataclasses import dataclass

from runner.environment import Environment, Timeouts
from runner.kubernetes.client import Client
from runner.launch.base import Launcher
from runner.launch.kubernetes.launcher import KubernetesLauncher
from runner.launch.local import LocalLauncher
from runner.launch.pack import pack
from runner.request import RunRequest
from runner.sections import Kind, Local
from tests.testbed import ecs_environment, kubernetes_cluster
from tests.testbed.dask_on_kubernetes import dask_environment
from tests.testbed.followed_run import Run
from tests.testbed.runner_process import BEHAVIOURS, FLOWS


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where runs take place. Their code is in place on this machine, and travels to any other."""

    launcher: Launcher
    environment: Environment

    @property
    def _is_here(self) -> bool:
        return self.environment.kind is Kind.LOCAL

    def asked(self, function: str, **parameters: object) -> RunRequest:
        """A request for a flow of `behaviours.py`, as the run `the-run`."""
        flow = f"{BEHAVIOURS if self._is_here else BEHAVIOURS.name}:{function}"
        bundle = None if self._is_here else pack(FLOWS, flow=flow).bundle
        return RunRequest(run_id="the-run", accepted_at=time.time(), flow=flow, parameters=parameters, bundle=bundle)

    def submit(self, request: RunRequest) -> bool:
        """Submit a request."""
        data = None if request.bundle is None else pack(FLOWS, flow=request.flow).data
        return self.launcher.submit(self.environment, request, bundle=data)

    def start(self, function: str, **parameters: object) -> Run:
        """Submit a flow."""
        assert self.submit(self.asked(function, **parameters))
        return Run(self.launcher, "the-run")


def ecs(place: ecs_environment.Place) -> Place:
    """A cluster of ECS."""
    return Place(launcher=place.launcher(), environment=place.environment)


def local() -> Place:
    """This machine."""
    environment = Environment(kind=Kind.LOCAL, name="test", local=Local(), timeouts=Timeouts(grace_seconds=5))
    return Place(launcher=LocalLauncher(), environment=environment)


def kubernetes(client: Client, namespace: str) -> Place:
    """A namespace of a cluster."""
    environment = kubernetes_cluster.environment(namespace)
    return Place(launcher=KubernetesLauncher(environment, client), environment=environment)


def dask(client: Client, namespace: str) -> Place:
    """A namespace of a cluster in which each run opens a cluster of one Dask worker."""
    environment = dask_environment(namespace, 1)
    return Place(launcher=KubernetesLauncher(environment, client), environment=environment)
