"""`python -m tests.bench.submits CLIENT COUNT`: many submits at once through one client.

CLIENT is `penstock`, or `official` for the `kubernetes` package. The environment document comes on stdin. Its Jobs are
suspended: what is measured is the client. Prints the seconds that the submits took together, and the most memory that
the process has ever had, in MB.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from runner import environment
from runner.request import RunRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.environment import Environment

KUBECONFIG = "PENSTOCK_TEST_KUBECONFIG"


def penstock(target: Environment) -> Callable[[RunRequest], object]:
    """Submits a run through the launcher."""
    from runner.launch.base import Reach
    from runner.launch.kubernetes.connect import launcher

    platform = launcher(target, Reach(kubeconfig=os.environ[KUBECONFIG]))
    return lambda asked: platform.submit(target, asked)


def official(target: Environment) -> Callable[[RunRequest], object]:
    """Creates the same Job through the official client."""
    import kubernetes

    from runner.launch.kubernetes.job import render

    kubernetes.config.load_kube_config(os.environ[KUBECONFIG])
    api = kubernetes.client.BatchV1Api()

    def create(asked: RunRequest) -> object:
        job = render(target, asked)
        return api.create_namespaced_job(job["metadata"]["namespace"], job)

    return create


def main(client: str, count: int) -> None:
    """Submit, and print."""
    target = environment.read(sys.stdin.buffer.read(), warn=print)
    submit = {"penstock": penstock, "official": official}[client](target)
    batch = f"{client}-{os.urandom(3).hex()}"
    requests = [
        RunRequest(run_id=f"{batch}-{number}", accepted_at=time.time(), flow="json:dumps") for number in range(count)
    ]
    with ThreadPoolExecutor(max_workers=count) as pool:
        began = time.perf_counter()
        for _ in pool.map(submit, requests):
            pass
        seconds = time.perf_counter() - began
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
