"""How a flow learns that it has to stop: an exception in its main thread, raised once."""

import signal
import time
from _thread import get_ident  # threading would cost the supervisor memory
from types import FrameType

from runner.errors import PenstockError
from runner.verdict import Stop

ABORT_SIGNAL = getattr(signal, "SIGRTMAX", signal.SIGUSR2)
"""Wakes the main thread for `abort`: one that no program uses by habit, where there are such."""


class Terminated(KeyboardInterrupt):
    """Raised in the flow on SIGTERM. Like `KeyboardInterrupt`, which it is, it passes `except Exception`."""


class StopNotice:
    """Turns the first SIGTERM or SIGINT into an exception and remembers it; later ones would disturb the clean-up."""

    def __init__(self, *, deadline: float | None) -> None:
        self.stop: Stop | None = None
        self.error: PenstockError | None = None
        """Why the flow was given up by `abort`."""
        self._deadline = deadline
        self._thread = 0

    def listen(self) -> None:
        """Install the handlers in this process, whose main thread this is."""
        self._thread = get_ident()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)
        signal.signal(ABORT_SIGNAL, self._give_up)

    def abort(self, error: PenstockError) -> None:
        """End the flow from another thread: something that it waits for is never going to come."""
        if self.error is None:
            self.error = error
            signal.pthread_kill(self._thread, ABORT_SIGNAL)

    def _give_up(self, _: int, __: FrameType | None) -> None:
        if self.stop is None:
            raise Terminated("the flow cannot go on")

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self.stop is not None:
            return
        if number == signal.SIGINT:
            self.stop = Stop.INTERRUPTED
            raise KeyboardInterrupt
        late = self._deadline is not None and time.time() >= self._deadline
        self.stop = Stop.DEADLINE if late else Stop.TERMINATED
        raise Terminated("the run was asked to stop")
