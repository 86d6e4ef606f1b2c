"""A Dask worker in a task of ECS: `dask worker`, which asks its scheduler which worker it is, and leaves in peace.

Its exit code says why it ended: 0 when its scheduler closed it, 69 when it lost its scheduler, 143 on SIGTERM, after
what it alone held has been handed to other workers.
"""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from runner.clusters.worker import SCHEDULER_LOST, leave
from runner.outcome import ExitCode
from runner.worker_mark import mark

NUMBER = "penstock_worker_number"
"""What the scheduler is asked: which worker is in a task."""

_told: dict[str, Any] = {}
_reasons: list[str] = []


def work(arguments: Sequence[str], told: Mapping[str, Any], task_id: str) -> int:
    """Be a worker until it is closed; the result is the exit code.

    Args:
        arguments: of `dask worker`.
        told: what the run tells its workers.
        task_id: id of the task that this is in.
    """
    from distributed.cli.dask_worker import main

    _told.update(told, task=task_id)
    try:
        main(list(arguments), standalone_mode=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.FLOW_FAILED
    # A worker that its scheduler closes loses that a moment later.
    return ExitCode.UNAVAILABLE if next(filter(None, _reasons), "") == SCHEDULER_LOST else ExitCode.OK


async def dask_setup(worker: Any) -> None:
    """Called by Dask before the worker connects; in a process of a nanny's there is nothing to do."""
    if not _told:
        return
    if _told["numbered"]:
        worker.name = await getattr(worker.scheduler, NUMBER)(task=_told["task"])
    print(mark(_told["run_id"], _told["attempt"], int(worker.name)), flush=True)
    close = worker.close

    async def noted(*arguments: Any, reason: str = "", **options: Any) -> Any:
        _reasons.append(reason)
        return await close(*arguments, reason=reason, **options)

    worker.close = worker.stream_handlers["close"] = worker.handlers["terminate"] = noted
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, lambda: _leaving.append(asyncio.ensure_future(leave(worker))))


_leaving: list[Any] = []
"""Keeps what runs from being forgotten."""
