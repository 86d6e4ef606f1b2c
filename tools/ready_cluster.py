"""Starts the Kubernetes cluster of this checkout with its images: `python3 -m tools.ready_cluster`.

Prints the path of the kubeconfig. What is there already is left as it is. Pulumi's plugin for clusters is made, too: a
stack needs it.
"""

from __future__ import annotations

import sys

from tools import cluster, image, kubernetes_provider, setup
from tools.errors import EXIT_UNAVAILABLE, CommandError, ToolError
from tools.progress import note


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


def main() -> int:
    """Runs the command line.

    Returns:
        The exit code.
    """
    try:
        kubernetes_provider.obtain()
        here = make()
    except ToolError as error:
        note(str(error))
        return EXIT_UNAVAILABLE
    print(here.kubeconfig)
    return 0


if __name__ == "__main__":
    sys.exit(main())
