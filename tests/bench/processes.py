"""Starts the measured commands, takes their times, and leaves none of them behind."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

TIMEOUT_SECONDS = 120.0
CHUNK = 64 * 1024

T = TypeVar("T")


class MeasurementError(Exception):
    """A measured command did not do what it was measured for; the message has its last words."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command with all that it is started with."""

    words: tuple[str, ...]
    folder: Path
    variables: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Times:
    """Seconds from just before a command's process was created."""

    line: float
    """To the marker in the output, or to its first byte where no marker was asked for."""
    end: float
    """To the end of the process."""


def clean_variables(inherited: Mapping[str, str]) -> dict[str, str]:
    """This process's variables without those that change how Python starts or what it keeps."""
    return {name: value for name, value in inherited.items() if not name.startswith(("PYTHON", "PENSTOCK_"))}


@contextlib.contextmanager
def started(
    command: Command, *, merge_stderr: bool = False, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The command in a session of its own; when it is still up on leaving, all of that is killed.

    Args:
        command: what to start.
        merge_stderr: whether stderr comes with stdout rather than being dropped.
        log: a file for the output; without one there is a pipe.
    """
    with contextlib.ExitStack() as stack:
        process = subprocess.Popen(
            command.words,
            cwd=command.folder,
            env=dict(command.variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if log is None else stack.enter_context(log.open("wb")),
            stderr=subprocess.STDOUT if merge_stderr else subprocess.DEVNULL,
            start_new_session=True,
        )
        if process.stdout is not None:
            stack.enter_context(process.stdout)
        stack.callback(_end, process)
        yield process


def _end(process: subprocess.Popen[bytes]) -> None:
    # Until it has been waited for, its number cannot belong to another process.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def timed(command: Command, *, marker: bytes = b"") -> Times:
    """Run a command that prints something to its end.

    Args:
        command: what to run.
        marker: text to wait for, on stdout or stderr; empty for the first byte on stdout.

    Raises:
        MeasurementError: it failed, printed nothing of the kind, or takes too long.
    """
    line, end, output = _run(command, marker, merge_stderr=bool(marker))
    if line is None:
        raise MeasurementError(f"`{' '.join(command.words)}` never printed {marker.decode()!r}:\n{_tail(output)}")
    return Times(line=line, end=end)


def seconds_to_end(command: Command) -> float:
    """Run a command to its end, whatever it prints.

    Raises:
        MeasurementError: it failed, or takes too long.
    """
    return _run(command, b"", merge_stderr=True)[1]


def _run(command: Command, marker: bytes, *, merge_stderr: bool) -> tuple[float | None, float, bytes]:
    start = time.perf_counter()
    with started(command, merge_stderr=merge_stderr) as process:
        output = b""
        line = None
        for data in read(process, until=start + TIMEOUT_SECONDS):
            output += data
            if line is None and marker in output:
                line = time.perf_counter() - start
        code = process.wait(TIMEOUT_SECONDS)
        end = time.perf_counter() - start
    if code:
        raise MeasurementError(f"`{' '.join(command.words)}` ended with exit code {code}:\n{_tail(output)}")
    return line, end, output


def _tail(output: bytes) -> str:
    return output[-2000:].decode(errors="replace")


def read(process: subprocess.Popen[bytes], *, until: float) -> Iterator[bytes]:
    """What the process prints, as it comes, until it has closed its output.

    Raises:
        MeasurementError: it is still open at that time of the performance counter.
    """
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    while True:
        if not select.select([descriptor], [], [], max(0.0, until - time.perf_counter()))[0]:
            raise MeasurementError(f"`{process.args!r}` was still running after {TIMEOUT_SECONDS:g} s.")
        data = os.read(descriptor, CHUNK)
        if not data:
            return
        yield data


def interleaved(contenders: Sequence[Callable[[], T]], *, rounds: int, warm_up: int = 2) -> list[list[T]]:
    """Run the contenders in turn, so that whatever else the machine does meets all of them alike.

    Every other round goes backwards, for the first of a round may find the machine in another state than the last.

    Args:
        contenders: what to run.
        rounds: how often each runs.
        warm_up: runs before these that do not count: they fill the caches of Python and of the file system.

    Returns:
        For each contender its results, round by round.
    """
    for contender in contenders:
        for _ in range(warm_up):
            contender()
    results: list[list[T]] = [[] for _ in contenders]
    places = list(range(len(contenders)))
    for number in range(rounds):
        for place in places if number % 2 == 0 else reversed(places):
            results[place].append(contenders[place]())
    return results
