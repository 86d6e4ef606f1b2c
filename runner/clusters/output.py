"""Sends what a worker's Python code prints to the scheduler, too: the run keeps it when the pod is gone."""

import sys
import threading
from typing import Any, TextIO

from runner.clusters.worker_log import OUTPUT

SECONDS = 0.5
"""How long a line waits for others to travel with."""
LONGEST = 256 * 1024
"""Most characters that wait; what is printed faster than it can be sent is left out."""


class _Copying:
    """A stream that writes to another one, and copies what is written."""

    def __init__(self, stream: TextIO, copy: "Output") -> None:
        self._stream, self._copy = stream, copy

    def write(self, text: str) -> int:
        count = self._stream.write(text)
        self._copy.add(text)
        return count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Output:
    """What is printed and not sent yet. From its creation on, `sys.stdout` and `sys.stderr` are copied."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._text: list[str] = []
        self._length = 0
        self._worker: Any = None
        self._due = False
        sys.stdout = _Copying(sys.stdout, self)
        sys.stderr = _Copying(sys.stderr, self)

    def send_with(self, worker: Any) -> None:
        """Send by this worker: what is printed soon, and the rest when the scheduler asks for it."""
        self._worker = worker
        worker.handlers[OUTPUT] = self.taken

    def add(self, text: str) -> None:
        """Take what was printed, in any thread."""
        with self._lock:
            if self._length > LONGEST:
                return
            self._text.append(text)
            self._length += len(text)
            due, self._due = self._due, self._worker is not None
        if not due and self._worker is not None:
            self._worker.loop.add_callback(self._worker.loop.call_later, SECONDS, self.flush)

    def taken(self) -> str:
        """What has not been sent yet; it is not sent again."""
        with self._lock:
            text, self._text, self._length, self._due = "".join(self._text), [], 0, False
        return text

    def flush(self) -> None:
        """Send what has not been sent yet."""
        from distributed.core import Status

        if self._worker.status in (Status.running, Status.paused, Status.closing_gracefully) and (text := self.taken()):
            self._worker.batched_send({"op": OUTPUT, "text": text})
        else:
            with self._lock:
                self._due = False
