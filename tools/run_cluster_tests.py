"""Runs the tests that need Kubernetes: `python3 -m tools.run_cluster_tests [PYTEST ARGUMENTS]`.

They get a real cluster, the Pulumi CLI with the real Kubernetes provider, and the images of this checkout. A cluster
that was up before stays up.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tools import cluster, image, kubernetes_provider, pulumi_cli, setup
from tools.errors import EXIT_UNAVAILABLE, CommandError, ToolError
from tools.paths import PRIVATE
from tools.progress import note, step
from tools.pulumi_env import search_path
from tools.run_tests import measured_pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = PRIVATE / "cluster-test-results.xml"
# The tests marked `cluster` use the cluster of this kubeconfig, and skip without.
KUBECONFIG = "PENSTOCK_TEST_KUBECONFIG"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Returns:
        pytest's exit code.
    """
    chosen = list(sys.argv[1:] if arguments is None else arguments)
    note("Sets up what is missing, starts a Kubernetes cluster and runs the tests that need one: about 10 min.")
    here = cluster.current()
    try:
        setup.prepare()
        folders = [kubernetes_provider.obtain(), pulumi_cli.obtain()]
        archives = image.archives()
        was_up = _is_up(here)
        with step("Starting the cluster", own_output=True):
            here.up()
            here.load(list(archives.values()))
    except ToolError as error:
        note(str(error))
        return EXIT_UNAVAILABLE
    path = os.environ.get("PATH", os.defpath)
    for folder in folders:
        path = search_path(folder, path)
    # There is a cluster now, so a test that skips has not been run where it should have been.
    env = dict(os.environ) | {"PATH": path, KUBECONFIG: str(here.kubeconfig), "PENSTOCK_REQUIRE": "cluster"}
    try:
        return measured_pytest(["-m", "cluster", "--timeout", "180", *chosen], env, results=RESULTS, suite="cluster")
    finally:
        if not was_up:
            here.down()


def _is_up(here: cluster.Cluster) -> bool:
    try:
        here.status()
    except CommandError:
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(main())
