"""Dask's dashboard of a run: who can have one, whatever platform it is on."""

from dataclasses import replace

from runner.environment import Executor, ExecutorType
from runner.errors import UsageError


def switched_on(executor: Executor) -> Executor:
    """The executor with the dashboard.

    Raises:
        UsageError: with it a run opens no Dask cluster.
    """
    if executor.type is not ExecutorType.DASK:
        raise UsageError(
            "--dashboard is given, expected none: the run's executor is inline, and the dashboard is Dask's. "
            "Leave it out, or give --executor dask as well."
        )
    if executor.address is not None:
        raise UsageError(
            f"--dashboard is given, expected none: the run uses the Dask cluster at {executor.address}. "
            "Leave it out, and open the dashboard of that cluster where its scheduler serves it."
        )
    return replace(executor, dashboard=True)


def require(run_id: str, executor: Executor) -> None:
    """Make sure that a run has a dashboard.

    Args:
        run_id: the run.
        executor: the executor in force.

    Raises:
        UsageError: it has none.
    """
    if not executor.dashboard or executor != switched_on(executor):
        raise UsageError(
            f"The run {run_id} serves no dashboard, since it was started without. "
            "Follow it without --dashboard, or start another with `penstock run --dashboard`."
        )
