"""What the test cluster offers to tests, wherever it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.cluster.namespaces import plain_environment
from tools.paths import CHECKOUT
from tools.processes import quiet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Cluster(ABC):
    """The test cluster of this checkout: one node."""

    state: Path
    """The folder of everything that it keeps; gone when there is no cluster."""

    @property
    def kubeconfig(self) -> Path:
        """Full rights, reachable from this machine, and needs no other file."""
        return self.state / "kubeconfig"

    @property
    def lock(self) -> Path:
        """Held while the cluster is made or removed; it stays."""
        return self.state.with_suffix(".lock")

    @property
    @abstractmethod
    def kubectl_program(self) -> Path:
        """A `kubectl` of its version."""

    @abstractmethod
    def up(self) -> None:
        """Makes the cluster, or repairs it; returns when its node is ready. Does nothing to a healthy one.

        Raises:
            CommandError: It cannot be had here.
        """

    @abstractmethod
    def down(self) -> None:
        """Removes the cluster and everything it has left; does nothing when there is none."""

    @abstractmethod
    def load(self, archives: Sequence[Path]) -> None:
        """Makes the images in archives, as `docker save` writes them, known to the node."""

    @property
    @abstractmethod
    def enter(self) -> tuple[str, ...]:
        """What a command begins with that is to run on the node, as root and in its namespaces.

        Raises:
            CommandError: There is no node.
        """

    @abstractmethod
    def stop_component(self, name: str) -> None:
        """Ends a process of the node, `kubelet` for example; returns when it is gone. `up` starts it again."""

    @abstractmethod
    def start_component(self, name: str) -> None:
        """Starts a process of the node that `stop_component` has ended; does nothing when it runs."""

    def run(self, *command: str | Path) -> str:
        """Runs a command on the node.

        Returns:
            What it printed on stdout.

        Raises:
            CommandError: It ended with another code than 0.
        """
        return quiet([*self.enter, *command], cwd=CHECKOUT)

    def kubectl(self, *arguments: str | Path) -> str:
        """Runs `kubectl` with full rights.

        Returns:
            What it printed on stdout.

        Raises:
            CommandError: It ended with another code than 0.
        """
        command = [self.kubectl_program, "--kubeconfig", self.kubeconfig, *arguments]
        # What it finds out about the API is the cluster's, and goes with it.
        env = plain_environment() | {"KUBECACHEDIR": str(self.state / "kubectl-cache")}
        return quiet(command, cwd=CHECKOUT, env=env)

    def status(self) -> str:
        """Asks the API server whether it is well, and says how to reach it and the node.

        Raises:
            CommandError: It does not answer, or is not there.
        """
        enter = " ".join(self.enter)
        self.kubectl("get", "--raw=/readyz", "--request-timeout=5s")
        return f"kubeconfig: {self.kubeconfig}\nkubectl: {self.kubectl_program}\nin the node: {enter} COMMAND"
