"""Waits for files that another process writes."""

import time

SHORTEST = 0.005
LONGEST = 0.05


class Pause:
    """Sleeps a little longer each time that nothing has happened, from 5 ms to 50 ms.

    A file has no event that the standard library can wait for on every system; at most 20 looks a second cost less
    than one part in a thousand of a core, and a line is shown at most 50 ms after it was written.
    """

    def __init__(self) -> None:
        self._seconds = SHORTEST

    @property
    def idle(self) -> bool:
        """Whether nothing has happened since the last pause."""
        return self._seconds > SHORTEST

    def reset(self) -> None:
        """Note that something has happened."""
        self._seconds = SHORTEST

    def sleep(self) -> None:
        """Wait."""
        time.sleep(self._seconds)
        self._seconds = min(LONGEST, self._seconds * 1.1)
