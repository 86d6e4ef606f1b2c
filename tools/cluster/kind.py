"""The cluster as kind makes it, in a container of Docker."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.cluster import Cluster
from tools.errors import CommandError
from tools.locking import exclusive
from tools.paths import CHECKOUT
from tools.processes import quiet
from tools.progress import step

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "penstock"
NODE = f"{NAME}-control-plane"
PROGRAMS = ("docker", "kind", "kubectl")


@dataclass(frozen=True, kw_only=True)
class KindCluster(Cluster):
    """See `Cluster`."""

    @staticmethod
    def is_usable() -> bool:
        """Whether kind is there, and a Docker engine that answers."""
        if not all(map(shutil.which, PROGRAMS)):
            return False
        try:
            quiet(["docker", "info"], cwd=CHECKOUT)
        except CommandError:
            return False
        return True

    @property
    def kubectl_program(self) -> Path:
        """See `Cluster.kubectl_program`."""
        return Path(shutil.which("kubectl") or "kubectl")

    def up(self) -> None:
        """See `Cluster.up`."""
        with exclusive(self.lock, "starting or stopping the test cluster"):
            if NAME in _kind("get", "clusters").split():
                try:
                    self._export()
                    self.kubectl("wait", "--for=condition=Ready", "--timeout=10s", f"node/{NODE}")
                except CommandError:
                    self._remove()
                else:
                    return
            with step("Starting the test cluster with kind"):
                self.state.mkdir(parents=True, exist_ok=True)
                _kind("create", "cluster", f"--name={NAME}", "--wait=120s", f"--kubeconfig={self.kubeconfig}")
                self.kubectl("wait", "--for=create", "--timeout=60s", "serviceaccount/default")

    def down(self) -> None:
        """See `Cluster.down`."""
        with exclusive(self.lock, "starting or stopping the test cluster"):
            self._remove()

    def load(self, archives: Sequence[Path]) -> None:
        """See `Cluster.load`."""
        for archive in archives:
            _kind("load", "image-archive", f"--name={NAME}", str(archive))

    @property
    def enter(self) -> tuple[str, ...]:
        """See `Cluster.enter`."""
        return ("docker", "exec", NODE)

    def stop_component(self, name: str) -> None:
        """See `Cluster.stop_component`."""
        self.run("systemctl", "stop", name)

    def start_component(self, name: str) -> None:
        """See `Cluster.start_component`."""
        self.run("systemctl", "start", name)

    def _export(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        _kind("export", "kubeconfig", f"--name={NAME}", f"--kubeconfig={self.kubeconfig}")

    def _remove(self) -> None:
        _kind("delete", "cluster", f"--name={NAME}", f"--kubeconfig={self.kubeconfig}")
        if self.state.exists():
            shutil.rmtree(self.state)


def _kind(*arguments: str) -> str:
    return quiet(["kind", *arguments], cwd=CHECKOUT)
