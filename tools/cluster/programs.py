"""The programs of the node: Kubernetes and etcd built from their Go modules, the rest from Debian's packages."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from tools import go_tools, tool_cache
from tools.errors import CommandError
from tools.paths import CHECKOUT
from tools.processes import quiet
from tools.progress import step

if TYPE_CHECKING:
    from pathlib import Path

KUBERNETES_VERSION = "1.36.3"
ETCD_VERSION = "3.6.5"
_VERSION_FLAGS = " ".join(
    f"-X {package}.{variable}={value}"
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    for variable, value in (
        ("gitVersion", f"v{KUBERNETES_VERSION}"),
        ("gitMajor", "1"),
        ("gitMinor", "36"),
        ("gitTreeState", "archive"),
    )
)
KUBERNETES = go_tools.GoTool("kubernetes", link=_VERSION_FLAGS)
ETCD = go_tools.GoTool("etcd")
PAUSE_IMAGE = "penstock.local/pause:1"
# What is looked for on PATH, or at its place, and the Debian package that has it.
PACKAGES = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "openssl": "openssl",
    "unshare": "util-linux",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
}


def obtain() -> Path:
    """Gets everything that the node runs.

    Returns:
        The folder with the programs that were built.

    Raises:
        CommandError: Something is missing and cannot be had.
    """
    _install_packages()
    return tool_cache.obtain(folder(), _build)


def kubectl() -> Path:
    """Names the `kubectl` that `obtain` builds."""
    return folder() / "kubectl"


def folder() -> Path:
    """Names the folder that `obtain` returns."""
    return tool_cache.folder_for("kubernetes", [*KUBERNETES.pins, *ETCD.pins])


def _build(folder: Path) -> None:
    if reason := go_tools.missing():
        raise CommandError(
            f"Kubernetes is to be built, and {reason}. Install Go {'.'.join(map(str, go_tools.MINIMUM_GO))} or newer, "
            "or Docker and kind."
        )
    with step(f"Building etcd {ETCD_VERSION} (about 30 s, unless Go has compiled it before)"):
        ETCD.build(folder)
        (folder / "server").rename(folder / "etcd")
    with step(f"Building Kubernetes {KUBERNETES_VERSION} (about 5 min, unless Go has compiled it before)"):
        KUBERNETES.build(folder)


def _install_packages() -> None:
    missing = sorted({package for program, package in PACKAGES.items() if not shutil.which(program)})
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise CommandError(
            f"Programs of these Debian packages were not found: {', '.join(missing)}. "
            "Install them, or Docker and kind, then run this again."
        )
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"Installing Debian's {', '.join(missing)}"):
        quiet(["apt-get", "update", "-q"], cwd=CHECKOUT, env=env)
        quiet(["apt-get", "install", "-q", "-y", "--no-install-recommends", *missing], cwd=CHECKOUT, env=env)
