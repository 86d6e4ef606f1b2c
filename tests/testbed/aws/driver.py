"""Writes what a container prints into CloudWatch Logs, as Docker's awslogs driver does.

It keeps lines, not bytes: empty lines are dropped, what is not UTF-8 is replaced, and a line of more than an event
holds becomes several. Sources: daemon/logger/awslogs of Moby; "PutLogEvents" in the CloudWatch Logs API reference.
"""

import codecs
import threading
import time
from collections.abc import Iterator, Mapping
from queue import Empty, SimpleQueue
from typing import IO, Any

from moto.logs import logs_backends
from moto.logs.exceptions import ResourceNotFoundException

LONGEST_EVENT = 262_118
"""Bytes of an event: 256 KiB without the 26 that CloudWatch counts for each."""
BATCH = 1000


def _one_for_each_byte(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\N{REPLACEMENT CHARACTER}" * (error.end - error.start), error.end


codecs.register_error("awslogs", _one_for_each_byte)


def events(line: bytes) -> Iterator[str]:
    """What becomes of a line of at most LONGEST_EVENT bytes: replaced bytes make it longer, so it may be several."""
    data = line.decode(errors="awslogs").encode()
    while data:
        end = min(len(data), LONGEST_EVENT)
        while end < len(data) and data[end] & 0xC0 == 0x80:  # inside a character
            end -= 1
        yield data[:end].decode()
        data = data[end:]


class Stream:
    """The log stream of one container.

    Args:
        options: of the log configuration.
        name: the container's name.
        task_id: the task's id.
        account: the account's id.
        delay: seconds until what was printed can be read.
    """

    def __init__(self, options: Mapping[str, str], name: str, task_id: str, account: str, *, delay: float) -> None:
        self._backend: Any = logs_backends[account][options["awslogs-region"]]
        self._group = options["awslogs-group"]
        self._name = f"{options['awslogs-stream-prefix']}/{name}/{task_id}"
        self._delay = delay
        self._lines: SimpleQueue[tuple[float, str] | None] = SimpleQueue()
        if self._group not in self._backend.groups:
            if options.get("awslogs-create-group") != "true":
                raise RuntimeError(
                    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 "
                    "times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group "
                    "does not exist. : exit status 1"
                )
            self._backend.create_log_group(self._group, {})
        self._backend.create_log_stream(self._group, self._name)
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def copy(self, output: IO[bytes]) -> None:
        """Take all that a container prints, until it has ended."""
        for line in output:
            self._take(line.rstrip(b"\n"))

    def close(self) -> None:
        """Wait until all can be read."""
        self._lines.put(None)
        self._writer.join()

    def _take(self, line: bytes) -> None:
        for start in range(0, len(line), LONGEST_EVENT):
            at = time.time()
            for text in events(line[start : start + LONGEST_EVENT]):
                self._lines.put((at, text))

    def _write(self) -> None:
        ended = False
        while not ended:
            batch = [self._lines.get()]
            try:
                while len(batch) < BATCH:
                    batch.append(self._lines.get_nowait())
            except Empty:
                pass
            ended = batch[-1] is None
            lines = [item for item in batch if item is not None]
            if self._delay and lines:
                time.sleep(max(0.0, lines[-1][0] + self._delay - time.time()))
            if lines:
                written = [{"timestamp": int(at * 1000), "message": text} for at, text in lines]
                try:
                    self._backend.put_log_events(self._group, self._name, written)
                except ResourceNotFoundException:
                    return  # somebody has deleted it: the driver gives up, too
