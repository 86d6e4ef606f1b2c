"""A Dask cluster of a class that the environment names and Penstock knows nothing of."""

import inspect
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from distributed import Client

from runner.clusters.closing import quietly
from runner.errors import UnavailableError
from runner.request import WorkerCount
from runner.sections import DaskCloudProvider


@contextmanager
def provided_cluster(found: type, section: DaskCloudProvider, workers: WorkerCount) -> Iterator[Client]:
    """Open the cluster, size it and connect to it; close it afterwards.

    Args:
        found: the class; it is given the environment's `provider_kwargs`, and `security` where it takes that.
        section: the environment's section.
        workers: how many workers there are to be.

    Raises:
        UnavailableError: it cannot be opened.
    """
    with ExitStack() as stack:
        try:
            given: dict[str, Any] = dict(section.provider_kwargs)
            if section.tls and "security" in inspect.signature(found).parameters:
                given.setdefault("security", True)
            cluster: Any = found(**given)
            stack.callback(quietly, cluster.close)
            if workers.min_workers == workers.max_workers:
                cluster.scale(workers.max_workers)
            else:
                cluster.adapt(minimum=workers.min_workers, maximum=workers.max_workers)
            client = stack.enter_context(Client(cluster))
        except Exception as error:
            raise UnavailableError(
                f"{section.provider_class} could not be opened ({type(error).__name__}: {error}). "
                "Correct provider_class and provider_kwargs of the stack."
            ) from error
        yield client
