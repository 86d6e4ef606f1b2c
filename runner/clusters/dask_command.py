"""Translates the commands that dask-cloudprovider starts containers with into those of the Dask that is installed.

It writes `dask-scheduler` and `dask-worker`, which distributed has not had since 2026.6.0, and a memory limit in whole
GB, which is none below 1 GiB. What it cannot know is added: the task's own address, fixed ports, and no dashboard that
others can see. What the user's own arguments say stays. Pure functions.
"""

from collections.abc import Sequence

from runner.sections import DASHBOARD_PORT, WORKER_PORT

WORKER = ("dask", "worker")
SCHEDULER = ("dask", "scheduler")
CUDA_WORKER = ("dask", "cuda", "worker")
OLD = {"dask-worker": WORKER, "dask-scheduler": SCHEDULER, "dask-cuda-worker": CUDA_WORKER}
PRELOAD = "runner.clusters.task_worker"
"""Module that a worker loads before it connects."""
INSTEAD = {"--host": ("--interface", "--listen-address"), "--worker-port": ("--listen-address",)}
"""Options beside which Dask does not take one of those that are added here."""


def translated(
    command: Sequence[str], *, address: str, folder: str, memory_mib: int, port: int, dashboard: bool
) -> tuple[str, ...]:
    """The command to start; one that is not of Dask's is as it was.

    Args:
        command: the program and its arguments.
        address: of the task's network interface.
        folder: for files that a worker spills to.
        memory_mib: memory of a worker.
        port: the scheduler's.
        dashboard: whether a scheduler serves Dask's dashboard, inside the task only.
    """
    if not command:
        return ()
    whole = (*OLD.get(command[0], command[:1]), *command[1:])
    host = f"[{address}]" if ":" in address else address
    if whole[:2] == WORKER:
        return (*WORKER, *_worker(whole[2:], host, folder, memory_mib))
    if whole[:3] == CUDA_WORKER:
        rest = _without_memory(whole[3:])
        return (*CUDA_WORKER, *_with(rest, {"--host": host, "--local-directory": folder}))
    if whole[:2] == SCHEDULER:
        seen = f"127.0.0.1:{DASHBOARD_PORT if dashboard else 0}"
        rest = _with(whole[2:], {"--host": host, "--port": str(port), "--dashboard-address": seen})
        return (*SCHEDULER, *rest, *([] if dashboard else _no_dashboard(rest)))
    return tuple(whole)


def without_name(command: Sequence[str]) -> tuple[tuple[str, ...], str | None]:
    """A worker's command without its name, so that it is the same for all workers; and the name."""
    if "--name" not in command:
        return tuple(command), None
    at = list(command).index("--name")
    return (*command[:at], *command[at + 2 :]), command[at + 1]


def _worker(arguments: Sequence[str], host: str, folder: str, memory_mib: int) -> tuple[str, ...]:
    rest = _with(
        _without_memory(arguments),
        {
            "--host": host,
            "--worker-port": str(WORKER_PORT),
            "--memory-limit": f"{memory_mib}MiB",
            "--dashboard-address": "127.0.0.1:0",
            "--local-directory": folder,
        },
    )
    # Without a nanny, which would be a second process with all of Dask in it; ECS tells how a worker ended.
    nanny = [] if "--nanny" in rest or "--no-nanny" in rest else ["--no-nanny"]
    return (*rest, *nanny, *_no_dashboard(rest), "--preload", PRELOAD)


def _no_dashboard(arguments: Sequence[str]) -> tuple[str, ...]:
    return () if "--dashboard" in arguments else ("--no-dashboard",)


def _without_memory(arguments: Sequence[str]) -> tuple[str, ...]:
    """Without the first memory limit, which is dask-cloudprovider's; a second one is the user's."""
    if "--memory-limit" not in arguments:
        return tuple(arguments)
    at = list(arguments).index("--memory-limit")
    return (*arguments[:at], *arguments[at + 2 :])


def _with(arguments: Sequence[str], options: dict[str, str]) -> tuple[str, ...]:
    missing = {
        name: value
        for name, value in options.items()
        if not any(_has(arguments, item) for item in (name, *INSTEAD.get(name, ())))
    }
    return (*arguments, *(part for item in missing.items() for part in item))


def _has(arguments: Sequence[str], name: str) -> bool:
    return any(item == name or item.startswith(f"{name}=") for item in arguments)
