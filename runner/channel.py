"""What the flow's process tells its supervisor: JSON lines on a pipe that nothing of the user's writes to."""

import json
import os
import time
from collections.abc import Mapping


class Reports:
    """The writing end, in the flow's process."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._pid = os.getpid()

    def send(self, event: str, **facts: object) -> None:
        """Tell the supervisor of an event; a process that the flow forked off has nothing to tell."""
        if os.getpid() != self._pid:
            return
        data = json.dumps({"event": event, "at": time.time(), **facts}).encode() + b"\n"
        while data:
            data = data[os.write(self._fd, data) :]


class ReportReader:
    """The reading end, in the supervisor."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Mapping[str, object]]:
        """The events that are complete with these bytes, in order."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]
