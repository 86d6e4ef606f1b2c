"""How a flow learns that it has to stop: an exception in its main thread, raised once."""

import signal
import time
from types import FrameType

from runner.verdict import Stop


class Terminated(KeyboardInterrupt):
    """Raised in the flow on SIGTERM. Like `KeyboardInterrupt`, which it is, it passes `except Exception`."""


class StopNotice:
    """Turns the first SIGTERM or SIGINT into an exception and remembers it; later ones would disturb the clean-up."""

    def __init__(self, *, deadline: float | None) -> None:
        self.stop: Stop | None = None
        self._deadline = deadline

    def listen(self) -> None:
        """Install the handlers in this process."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self.stop is not None:
            return
        if number == signal.SIGINT:
            self.stop = Stop.INTERRUPTED
            raise KeyboardInterrupt
        late = self._deadline is not None and time.time() >= self._deadline
        self.stop = Stop.DEADLINE if late else Stop.TERMINATED
        raise Terminated("the run was asked to stop")
