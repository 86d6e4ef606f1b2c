"""Dask clusters that the runner connects a flow to, one file per place.

Each is a context manager: on entering, the cluster takes work and its client is the process's default client, so that
`dask.compute` and `distributed.get_client()` use it; on leaving, everything that entering started is gone.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner.channel import Reports
from runner.environment import Executor
from runner.errors import UnavailableError

if TYPE_CHECKING:
    from distributed import Client


@contextmanager
def connect(executor: Executor, reports: Reports) -> "Iterator[Client]":
    """A Dask client for the executor: of the cluster at its address, else of one made of local processes.

    Raises:
        UnavailableError: distributed is not installed, or the cluster does not answer.
    """
    # Before the import, which sets up its logging, and for the workers, which inherit it; extra_loggers shows more.
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "warning")
    try:
        import distributed  # noqa: F401 only to tell that it is missing
    except ImportError:
        raise UnavailableError(
            "The executor is dask, and distributed is not installed where the flow runs. "
            "Run `pip install 'penstock[dask]'` there."
        ) from None
    if executor.address is None:
        from runner.clusters.local import local_cluster

        cluster = local_cluster(executor, reports)
    else:
        from runner.clusters.address import cluster_at

        cluster = cluster_at(executor.address, executor.tls)
    client = cluster.__enter__()
    try:
        yield client
    finally:
        try:
            cluster.__exit__(None, None, None)
        except Exception as error:  # noqa: BLE001 how the flow ended stays as it was; the supervisor ends what is left
            print(
                f"penstock: the Dask cluster did not close cleanly ({type(error).__name__}: {error})", file=sys.stderr
            )
