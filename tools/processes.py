"""Starts the commands that the tools are made of."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING

from tools.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import IO

TAIL = 20


def quiet(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Runs a command whose output only matters when it fails.

    Returns:
        What it printed on stdout.

    Raises:
        CommandError: It ended with another code than 0 or cannot be started.
    """
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise CommandError(f"`{command[0]}` cannot be started: {error.strerror}.") from error
    if done.returncode:
        raise CommandError(failure(command, done.returncode, done.stderr + done.stdout))
    return done.stdout


def failure(command: Sequence[str | Path], code: int, output: str) -> str:
    """Describes a failed command.

    Returns:
        One sentence, then the last lines of its output.
    """
    tail = "\n".join(output.strip().splitlines()[-TAIL:])
    return f"`{' '.join(map(str, command))}` ended with exit code {code}:\n{tail}"


def follow(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], stdout: IO[str] | None = None) -> int:
    """Runs a command on our own terminal and waits for it whatever is pressed.

    Ctrl-C reaches the command itself, which knows how to end: giving up on it here would leave a locked stack behind.

    Returns:
        Its exit code; 128 + n when signal n ended it.
    """
    child = subprocess.Popen(command, cwd=cwd, env=env, stdout=stdout)
    previous = signal.signal(signal.SIGTERM, lambda number, _frame: child.send_signal(number))
    try:
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                code = child.wait()
                return code if code >= 0 else 128 - code
    finally:
        signal.signal(signal.SIGTERM, previous)


def end_group(child: subprocess.Popen[str]) -> None:
    """Kills a process that leads its own session, with everything it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
