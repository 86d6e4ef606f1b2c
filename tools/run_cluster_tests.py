"""Runs the tests that need Kubernetes: `python3 -m tools.run_cluster_tests [PYTEST ARGUMENTS]`.

They get a real cluster, the Pulumi CLI with the real Kubernetes provider, and the images of this checkout. A cluster
that was up before stays up.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tools import kubernetes_provider, pulumi_cli, ready_cluster, setup
from tools.errors import EXIT_UNAVAILABLE, ToolError
from tools.progress import note
from tools.pulumi_env import search_path
from tools.run_tests import run_pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

# The tests marked `cluster` use the cluster of this kubeconfig, and skip without.
KUBECONFIG = "PENSTOCK_TEST_KUBECONFIG"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Returns:
        pytest's exit code.
    """
    chosen = list(sys.argv[1:] if arguments is None else arguments)
    note("Sets up what is missing, starts a Kubernetes cluster and runs the tests that need one: about 16 min.")
    try:
        setup.prepare()
        folders = [kubernetes_provider.obtain(), pulumi_cli.obtain()]
        was_up = ready_cluster.is_up()
        here = ready_cluster.make()
    except ToolError as error:
        note(str(error))
        return EXIT_UNAVAILABLE
    path = os.environ.get("PATH", os.defpath)
    for folder in folders:
        path = search_path(folder, path)
    # There is a cluster now, so a test that skips has not been run where it should have been.
    env = dict(os.environ) | {"PATH": path, KUBECONFIG: str(here.kubeconfig), "PENSTOCK_REQUIRE": "cluster"}
    try:
        return run_pytest(["-m", "cluster", "--timeout", "180", *chosen], env, suite="cluster")
    finally:
        if not was_up:
            here.down()


if __name__ == "__main__":
    raise SystemExit(main())
