"""Dask clusters that the runner connects a flow to, one file per place.

Each is a context manager: on entering, the cluster takes work and its client is the process's default client, so that
`dask.compute` and `distributed.get_client()` use it; on leaving, everything that entering started is gone.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from runner.attempt import Attempt
from runner.channel import Reports
from runner.environment import Executor
from runner.errors import PenstockError, UnavailableError
from runner.request import WorkerCount

if TYPE_CHECKING:
    from distributed import Client


@contextmanager
def connect(
    attempt: Attempt,
    executor: Executor,
    workers: WorkerCount | None,
    reports: Reports,
    abort: Callable[[PenstockError], object],
) -> "Iterator[Client]":
    """A Dask client for the executor: of the cluster at its address, of workers of its own, or of local processes.

    Args:
        attempt: the attempt.
        executor: the executor in force, of type dask.
        workers: how many workers the cluster has that the environment provisions; null where it provisions none.
        reports: tells the supervisor what is to be removed.
        abort: ends the flow from another thread, when the cluster cannot go on.

    Raises:
        UnavailableError: distributed is not installed, or the cluster cannot be had.
    """
    try:
        if workers is None:
            import distributed  # noqa: F401 only to tell that it is missing
        elif find_spec("distributed") is None:  # imported later: workers can be on their way meanwhile
            raise ImportError
    except ImportError:
        raise UnavailableError(
            "The executor is dask, and distributed is not installed where the flow runs. "
            "Run `pip install 'penstock[dask]'` there."
        ) from None
    cluster: AbstractContextManager[Client]
    if workers is not None and attempt.environment.on_kubernetes is not None:
        from runner.clusters.kubernetes import kubernetes_cluster

        cluster = kubernetes_cluster(attempt, executor, workers, abort)
    elif workers is not None:
        from runner.clusters.ecs import ecs_cluster

        cluster = ecs_cluster(attempt, executor, workers, abort)
    elif executor.address is None:
        from runner.clusters.local import local_cluster

        cluster = local_cluster(executor, reports, is_in_pod=attempt.environment.on_kubernetes is not None)
    else:
        from runner.clusters.address import cluster_at

        cluster = cluster_at(executor.address, executor.tls)
    client = cluster.__enter__()
    try:
        yield client
    except BaseException as error:
        _leave(cluster, error)
        raise
    _leave(cluster, None)


def _leave(cluster: AbstractContextManager[object], error: BaseException | None) -> None:
    """Close the cluster; the error of the flow is not lost to one of that."""
    try:
        cluster.__exit__(None if error is None else type(error), error, None)
    except Exception as trouble:  # noqa: BLE001 how the flow ended stays as it was; the supervisor ends what is left
        print(
            f"penstock: the Dask cluster did not close cleanly ({type(trouble).__name__}: {trouble})", file=sys.stderr
        )
