"""Runs the tasks of a Prefect flow on the run's Dask cluster."""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from distributed import Client


def on_cluster(flow: Any, client: Client) -> Callable[..., object]:
    """The flow with a `DaskTaskRunner` on the client's cluster, or as it is when prefect-dask is not installed."""
    if find_spec("prefect_dask") is None:
        print(
            "penstock: the flow's tasks do not use the Dask cluster, since prefect-dask is not installed.",
            file=sys.stderr,
        )
        return flow  # type: ignore[no-any-return]
    from prefect_dask import DaskTaskRunner

    runner = DaskTaskRunner(address=client.scheduler.address, client_kwargs={"security": client.security})
    return flow.with_options(task_runner=runner)  # type: ignore[no-any-return]
