"""Keeps what the workers of a run print, each line with its worker, as a file of the run."""

from pathlib import Path
from typing import IO

from runner.outcome import WORKER_LOG_ARTIFACT

OUTPUT = "penstock-output"
"""What messages with it are called between a worker and its scheduler."""
LONGEST_LINE = 64 * 1024
"""Most characters that wait for the end of their line."""
LONGEST = 4 * 1024 * 1024
"""Most bytes that are kept."""


class WorkerLog:
    """The file, which is made with the first line.

    Args:
        folder: the run's artifacts; null to keep nothing.
    """

    def __init__(self, folder: str | None) -> None:
        self._path = None if folder is None else Path(folder) / WORKER_LOG_ARTIFACT
        self._file: IO[bytes] | None = None
        self._room = LONGEST
        self._partial: dict[object, str] = {}

    def take(self, worker: object, text: str) -> None:
        """Take some of what a worker has printed; a line is written when it is whole."""
        *lines, rest = (self._partial.pop(worker, "") + text).split("\n")
        if len(rest) > LONGEST_LINE:
            lines, rest = [*lines, rest], ""
        if rest:
            self._partial[worker] = rest
        self._write(worker, lines)

    def add_last_words(self, worker: object, text: str) -> None:
        """Take the end of the output of a worker that could not send it itself."""
        self._partial.pop(worker, None)
        self._write(worker, ["(ended; the last that the cluster kept of its output)", *text.splitlines()])

    def close(self) -> None:
        """Write the lines that were begun, and close the file."""
        for worker, rest in self._partial.items():
            self._write(worker, [rest])
        self._partial.clear()
        if self._file is not None:
            self._file.close()

    def _write(self, worker: object, lines: list[str]) -> None:
        if self._path is None or not lines or self._room <= 0:
            return
        data = "".join(f"worker {worker} | {line}\n" for line in lines).encode(errors="backslashreplace")
        self._room -= len(data)
        if self._room <= 0:
            data = f"(the rest is left out: more than {LONGEST:,} bytes)\n".encode()
        if self._file is None:
            self._file = self._path.open("wb", buffering=0)
        self._file.write(data)
