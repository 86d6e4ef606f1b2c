"""Processes of the test cluster's containers, which run on this very machine."""

import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RUNNER, WORKER, CLEANUP = "runner", "runner.clusters.worker", "runner.clusters.cleanup"
"""Modules that processes of ours are started with."""


def kill(pod: Mapping[str, Any], module: str = RUNNER) -> None:
    """Kill the first process of a container with SIGKILL, which it cannot do itself.

    Args:
        pod: the container's pod.
        module: what the process was started with.
    """
    os.kill(processes(pod, module)[0], signal.SIGKILL)


def processes(pod: Mapping[str, Any], module: str = RUNNER) -> list[int]:
    """Ids of the processes of a pod that were started with a module, the oldest first."""
    uid, found = pod["metadata"]["uid"], []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            words = (process / "cmdline").read_bytes().split(b"\0")
            if uid in (process / "cgroup").read_text() and module.encode() in words:
                started = (process / "stat").read_text().rpartition(")")[2].split()[19]
                found.append((int(started), int(process.name)))
    return [pid for _, pid in sorted(found)]


def kill_process(pid: int) -> None:
    """Kill a process with SIGKILL."""
    os.kill(pid, signal.SIGKILL)
