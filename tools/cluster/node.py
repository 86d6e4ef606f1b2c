"""The cluster as plain processes in namespaces of their own, on Linux as root."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster import certificates, cgroups, components, namespaces, programs
from tools.cluster.archive import image_ids, write_image
from tools.cluster.cluster import Cluster
from tools.errors import CommandError
from tools.locking import exclusive
from tools.progress import step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tools.cluster.components import Component
    from tools.cluster.namespaces import Namespaces

START_SECONDS = 120
REPAIR_SECONDS = 20
POLL_SECONDS = 0.1
TAIL = 20
PORTS = range(20000, 30000)
"""Below those that the system gives to connections of its own."""
CTR = ("ctr", "--address=/run/containerd/containerd.sock", "--namespace=k8s.io")


@dataclass(frozen=True, kw_only=True)
class Node(Cluster):
    """See `Cluster`."""

    @property
    def kubectl_program(self) -> Path:
        """See `Cluster.kubectl_program`."""
        return programs.kubectl()

    def up(self) -> None:
        """See `Cluster.up`."""
        if os.geteuid() != 0 or not Path("/proc/self/ns/pid").exists():
            raise CommandError(
                "Neither root on Linux nor a Docker engine with kind and kubectl was found; the cluster needs either. "
                "Run this as root, or install and start those."
            )
        folder = programs.obtain()
        plan = self._plan(folder)
        with exclusive(self.lock, "starting or stopping the test cluster"):
            inside = namespaces.find(self.state)
            if inside and inside.plan == plan and self.kubeconfig.exists():
                with contextlib.suppress(CommandError):
                    self._complete(inside, folder, 0)
                    return
                with contextlib.suppress(CommandError), step("Repairing the test cluster"):
                    self._complete(inside, folder, REPAIR_SECONDS)
                    return
            with step("Starting the test cluster"):
                self._remove()
                self._complete(self._create(folder, plan), folder, START_SECONDS)

    def down(self) -> None:
        """See `Cluster.down`."""
        with exclusive(self.lock, "starting or stopping the test cluster"):
            self._remove()

    def load(self, archives: Sequence[Path]) -> None:
        """See `Cluster.load`."""
        # Name and digest; containerd keeps every image under its id, too.
        rows = [line.split() for line in self.run(*CTR, "images", "list").splitlines()]
        known = {row[0]: row[2] for row in rows}
        for archive in archives:
            images = image_ids(archive)
            if not images or any(known.get(name, "none") != known.get(image) for name, image in images.items()):
                self.run(*CTR, "images", "import", archive.resolve())

    @property
    def enter(self) -> tuple[str, ...]:
        """See `Cluster.enter`."""
        return self._inside().enter

    def stop_component(self, name: str) -> None:
        """See `Cluster.stop_component`."""
        for process in self._inside().running(self._named(name)).values():
            process.kill()

    def start_component(self, name: str) -> None:
        """See `Cluster.start_component`."""
        self._start(self._inside(), self._named(name))

    @property
    def _cgroup(self) -> str:
        return f"penstock-{self._number:08x}"

    @property
    def _number(self) -> int:
        """Tells the clusters of different checkouts apart."""
        return int.from_bytes(hashlib.sha256(os.fsencode(self.state)).digest()[:4], "big")

    def _plan(self, folder: Path) -> str:
        """Sums up how the cluster is made: one that was made otherwise is not this one."""
        parts = [str(folder), *(component.arguments for component in self._components(folder))]
        parts += [file.read_text() for file in (components.DOOR, *sorted(components.CONFIG.iterdir()))]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _components(self, folder: Path) -> tuple[Component, ...]:
        return components.before_api(folder) + components.after_api(folder, self._cgroup)

    def _named(self, name: str) -> list[Component]:
        return [component for component in self._components(programs.folder()) if component.name == name]

    def _inside(self) -> Namespaces:
        inside = namespaces.find(self.state)
        if inside is None:
            raise CommandError(f"No test cluster is running in {self.state}. Start it with `make cluster-up`.")
        return inside

    def _create(self, folder: Path, plan: str) -> Namespaces:
        for name in ("log", "kubelet", "cni"):
            (self.state / name).mkdir(parents=True)
        (self.state / "pki").mkdir(mode=0o700)
        (self.state / "resolv.conf").touch()
        shutil.copy(components.CONFIG / "network.conflist", self.state / "cni")
        certificates.issue(self.state / "pki")
        cgroups.create(self._cgroup)
        return namespaces.create(self.state, folder / "pause", plan)

    def _remove(self) -> None:
        namespaces.destroy(self.state)
        cgroups.remove(self._cgroup)
        if self.state.exists():
            shutil.rmtree(self.state)

    def _complete(self, inside: Namespaces, folder: Path, seconds: float) -> None:
        """Starts what does not run, and waits until everything works.

        Args:
            inside: The namespaces.
            folder: The programs.
            seconds: How long to wait.
        """
        everything = self._components(folder)
        first = components.before_api(folder)
        deadline = time.monotonic() + seconds

        def until(running: Sequence[Component], attempt: Callable[[], object]) -> None:
            # Nothing tells when it is there what the attempt asks for.
            while error := _failure(attempt):
                self._check(inside, running)
                if time.monotonic() > deadline:
                    raise CommandError(
                        f"The test cluster was not ready after {seconds:.0f} s, and its logs in {self.state / 'log'} "
                        f"may tell why. {error}"
                    )
                time.sleep(POLL_SECONDS)

        self._start(inside, first)
        until(first, lambda: self.run(*CTR, "version"))
        if programs.PAUSE_IMAGE not in self.run(*CTR, "images", "list", "--quiet").split():
            archive = self.state / "pause.tar"
            pause = (folder / "pause").read_bytes()
            write_image(archive, name=programs.PAUSE_IMAGE, files={"pause": pause}, entrypoint=["/pause"])
            self.load([archive])
        until(first, lambda: self.kubectl("get", "--raw=/readyz", "--request-timeout=5s"))
        self._start(inside, everything)
        node = f"node/{components.NODE_NAME}"
        # A pod is not admitted without its service account, and does not start without the certificate.
        created = (node, "serviceaccount/default", "configmap/kube-root-ca.crt")
        wait = ("wait", "--timeout=2s", "--request-timeout=5s")
        until(everything, lambda: self.kubectl(*wait, "--for=create", *created))
        until(everything, lambda: self.kubectl(*wait, "--for=condition=Ready", node))
        self._check(inside, everything)

    def _start(self, inside: Namespaces, wanted: Sequence[Component]) -> None:
        running = inside.running(wanted)
        for component in wanted:
            if component in running:
                continue
            if component.name != "door":
                inside.start(component)
                continue
            with self._listen() as listening:
                self._write_kubeconfig("https://{}:{}".format(*listening.getsockname()))
                inside.start(component, stdin=listening.fileno())

    def _write_kubeconfig(self, server: str) -> None:
        partial = self.state / "kubeconfig.partial"
        partial.touch(mode=0o600)
        partial.write_text(certificates.kubeconfig(self.state / "pki", "admin", server))
        partial.replace(self.kubeconfig)

    def _listen(self) -> socket.socket:
        """Returns a socket of this machine, of the same port each time where that is free."""
        try:
            return socket.create_server(("127.0.0.1", PORTS[self._number % len(PORTS)]))
        except OSError:
            return socket.create_server(("127.0.0.1", 0))

    def _check(self, inside: Namespaces, started: Sequence[Component]) -> None:
        running = inside.running(started)
        for component in started:
            if component not in running:
                log = self.state / "log" / f"{component.name}.log"
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-TAIL:])
                raise CommandError(f"{component.name} of the test cluster has ended. The end of {log}:\n{tail}")


def _failure(attempt: Callable[[], object]) -> CommandError | None:
    try:
        attempt()
    except CommandError as error:
        return error
    return None
