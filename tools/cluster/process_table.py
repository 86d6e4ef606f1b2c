"""The processes of this machine, told apart by when they were started: numbers go to other processes in time."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator

PROC = Path("/proc")
KILL_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process that was there when it was looked for."""

    pid: int
    parent: int
    started: int
    """Clock ticks after the start of the machine."""
    words: tuple[str, ...]
    """Its command line; empty for a moment while another program takes its place, and always for the kernel's own."""

    def kill(self) -> None:
        """Kills it and waits until it is gone; spares another process that has got its number meanwhile.

        Raises:
            CommandError: The system could not end it.
        """
        with contextlib.suppress(ProcessLookupError):
            handle = os.pidfd_open(self.pid)
            try:
                # The handle stays that of the process that it was opened for.
                if (now := _read(self.pid)) and now.started == self.started:
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                    _wait_for_end(handle, self)
            finally:
                os.close(handle)


def processes() -> Iterator[Process]:
    """Lists the processes that run; those that have ended and wait for their parents are left out."""
    for entry in PROC.iterdir():
        if entry.name.isdecimal() and (process := _read(int(entry.name))):
            yield process


def _read(pid: int) -> Process | None:
    folder = PROC / str(pid)
    try:
        words = (folder / "cmdline").read_bytes().decode(errors="surrogateescape").split("\0")[:-1]
        # From the third field on; the second is a name, which may hold anything.
        state, parent, *others = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    if state in {"Z", "X"}:
        return None
    return Process(pid=pid, parent=int(parent), started=int(others[17]), words=tuple(words))


def _wait_for_end(handle: int, process: Process) -> None:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    if not poll.poll(KILL_SECONDS * 1000):
        raise CommandError(
            f"Process {process.pid} (`{' '.join(process.words)}`) is still there {KILL_SECONDS} s after it was killed. "
            "Restart the machine if it stays."
        )
    with contextlib.suppress(ChildProcessError):  # not a child of ours
        os.waitid(os.P_PIDFD, handle, os.WEXITED | os.WNOHANG)
