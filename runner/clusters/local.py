"""A Dask cluster of processes on this machine that lives as long as the run."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import dask
from distributed import Client, LocalCluster, Security

from runner.channel import Reports
from runner.environment import Executor
from runner.errors import UnavailableError
from runner.sections import DASHBOARD_PORT


@contextmanager
def local_cluster(executor: Executor, reports: Reports, *, is_in_pod: bool) -> Iterator[Client]:
    """Open a cluster on 127.0.0.1 and connect to it; close it afterwards.

    Its connections use certificates that are made for this run and exist in memory only, since every user of the
    machine can reach its loopback addresses.

    Args:
        executor: the executor in force.
        reports: tells the supervisor what is to be removed.
        is_in_pod: whether the dashboard is looked for at the port that clients know, rather than at a free one.
    """
    if find_spec("cryptography") is None:
        raise UnavailableError(
            "A local Dask cluster makes its certificates with cryptography, which is not installed. "
            "Run `pip install 'penstock[dask]'` where the flow runs."
        )
    # The supervisor removes the folder too: workers that are killed cannot.
    with tempfile.TemporaryDirectory(prefix="penstock-dask-", ignore_cleanup_errors=True) as scratch:
        reports.send("scratch", path=scratch)
        limit = {} if executor.memory_limit_mib is None else {"memory_limit": f"{executor.memory_limit_mib}MiB"}
        # Without the dashboard the scheduler would still serve its state over HTTP, to everyone on the machine.
        settings: dict[str, list[str]] = (
            {}
            if executor.dashboard
            else {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
        )
        with dask.config.set({**settings, "temporary-directory": scratch}):
            try:
                cluster = LocalCluster(
                    n_workers=executor.workers,
                    threads_per_worker=executor.threads_per_worker,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address=f"127.0.0.1:{DASHBOARD_PORT if is_in_pod and executor.dashboard else 0}",
                    scheduler_kwargs={"dashboard": executor.dashboard},
                    security=Security.temporary(),
                    local_directory=scratch,
                    **limit,
                )
            except (OSError, RuntimeError, TimeoutError, ValueError) as error:
                raise UnavailableError(
                    f"The local Dask cluster could not be started ({error}). "
                    "Look above for what its processes said, and check the executor's workers and memory."
                ) from None
            with cluster, Client(cluster) as client:
                if executor.dashboard and not is_in_pod:  # the pod's own address means nothing to a reader of its log
                    print(f"penstock: Dask dashboard at {cluster.dashboard_link}", flush=True)
                yield client
