"""Starts the Kubernetes cluster of this checkout with its images: `python3 -m tools.ready_cluster`.

Prints the path of the kubeconfig. What is there already is left as it is. Pulumi's plugin for clusters is made, too: a
stack needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools import cluster, image, kubernetes_provider, setup
from tools.errors import CommandError, printed

if TYPE_CHECKING:
    from pathlib import Path


def make() -> cluster.Cluster:
    """Starts the cluster when it is not up, and makes the images of this checkout known to it.

    Raises:
        ToolError: It cannot be had here.
    """
    setup.prepare()
    archives = image.archives()
    here = cluster.current()
    here.up()
    here.load(list(archives.values()))
    return here


def is_up() -> bool:
    """Returns whether the cluster is there and answers."""
    try:
        cluster.current().status()
    except CommandError:
        return False
    return True


def kubeconfig() -> Path:
    """Makes it all and returns the path of the kubeconfig.

    Raises:
        ToolError: It cannot be had here.
    """
    kubernetes_provider.obtain()
    return make().kubeconfig


if __name__ == "__main__":
    raise SystemExit(printed(kubeconfig))
