"""A Dask worker of a run: `python3 -m runner.clusters.worker`, started by the run for each of its pods.

What it has to know is in environment variables, which it takes out before anything of the user's can see them. Its exit
code says why it ended: 0 when its scheduler closed it, 65 when it cannot work with this run, 69 when it lost its
scheduler, 143 on SIGTERM, after what it alone held has been handed to other workers.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from typing import Any, NoReturn

from runner import contract, inputs, log
from runner.clusters.garbage import fewer_collections
from runner.clusters.output import Output
from runner.clusters.versions import check_versions
from runner.clusters.worker_pod import INPUT_VARIABLE, KEYS_VARIABLE
from runner.environment import Log
from runner.errors import PenstockError
from runner.outcome import ExitCode
from runner.sections import WORKER_PORT
from runner.temporary import CANDIDATES, temporary_folder

SCHEDULER_LOST = "worker-handle-scheduler-connection-broken"
"""Why a worker closes whose scheduler is gone, in distributed's words."""
LEAVE_SECONDS = 20.0
"""How long a worker that is taken away may hand over what it holds: less than the 30 s that its pod has by default."""


def main() -> int:
    """Be a worker until it is closed; the result is the exit code."""
    try:
        told = json.loads(inputs.read(f"{inputs.VARIABLE}{INPUT_VARIABLE}", "worker's input"))
        keys = inputs.read(f"{inputs.VARIABLE}{KEYS_VARIABLE}", "run's keys").decode()
        check_versions(told["versions"])
    except PenstockError as error:
        print(f"penstock: {error}", file=sys.stderr)
        return error.exit_code
    output = Output()  # before logging takes stderr as it is
    log.configure(contract.decode(Log, told["log"], subject="worker's input", warn=lambda _: None))
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "warning")
    folder = temporary_folder()
    with fewer_collections():
        asyncio.run(_work(told, keys, folder, output))
    raise AssertionError("a worker ends its process itself")


async def _work(told: dict[str, Any], keys: str, folder: str, output: Output) -> NoReturn:
    import dask
    from distributed import Worker
    from distributed.system import MEMORY_LIMIT

    from runner.clusters import tls

    settings: dict[str, Any] = {"distributed.worker.http.routes": [], "temporary-directory": folder}
    if folder != CANDIDATES[0] and folder in CANDIDATES:
        # That is memory, which spilling to it would not free.
        settings |= {"distributed.worker.memory.target": False, "distributed.worker.memory.spill": False}
    dask.config.set(settings)

    class Member(Worker):  # type: ignore[misc]
        """A worker that sends its last lines, and remembers why it closed."""

        close_reason = ""

        async def close(self, *arguments: Any, reason: str = "", **options: Any) -> Any:
            self.close_reason = self.close_reason or reason
            output.flush()
            return await super().close(*arguments, reason=reason, **options)

    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    host = os.environ["PENSTOCK_POD_IP"]
    worker = Member(
        told["scheduler"],
        name=told["number"],
        nthreads=told["threads"],
        memory_limit=MEMORY_LIMIT,
        host=f"[{host}]" if ":" in host else host,
        port=WORKER_PORT,
        security=tls.security(keys),
        death_timeout=told["death_seconds"],
        local_directory=folder,
        dashboard=False,
        dashboard_address="127.0.0.1:0",
    )
    output.send_with(worker)
    up = asyncio.ensure_future(_up(worker))
    stop = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({up, stop}, return_when=asyncio.FIRST_COMPLETED)
    if up.done():
        _exit(up.result())
    await leave(worker)


async def leave(worker: Any) -> NoReturn:
    """End on SIGTERM, after what the worker alone holds has been handed to others."""
    from distributed.core import Status

    if worker.status in (Status.running, Status.paused):  # else it holds nothing
        # Its scheduler may close it at the same time, and Dask logs as an error whichever comes second.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        # Without a scheduler, or another worker, there is nobody to hand anything to.
        with contextlib.suppress(Exception):
            await asyncio.wait_for(worker.close_gracefully(reason="SIGTERM"), LEAVE_SECONDS)
    _exit(ExitCode.TERMINATED)


async def _up(worker: Any) -> int:
    """Work until the worker is closed; the result is the exit code."""
    try:
        await worker
    except (OSError, TimeoutError, ValueError) as error:
        print(f"penstock: the worker could not join the run ({error}).", file=sys.stderr)
        return ExitCode.UNAVAILABLE
    await worker.finished()
    return ExitCode.UNAVAILABLE if worker.close_reason == SCHEDULER_LOST else ExitCode.OK


def _exit(code: int) -> NoReturn:
    """End the process without waiting for what its threads still do."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _exit(main())
