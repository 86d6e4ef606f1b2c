"""When a run asks ECS how the tasks of its workers stand: soon after something happened, then ever seldomer."""

import time
from dataclasses import dataclass

FIRST_LOOK_SECONDS = 1.0
LONGEST_LOOK_SECONDS = 10.0
IDLE_LOOK_SECONDS = 30.0
"""Pauses between looks at tasks that are on their way, the first and the longest, and at tasks that are all up."""
GROWTH = 1.5
HURRY_SECONDS = 10.0
"""How long ECS is asked often after Dask has lost a worker."""


@dataclass(kw_only=True)
class Pace:
    """When ECS is asked next how tasks stand, in seconds of the monotonic clock."""

    pause: float = FIRST_LOOK_SECONDS
    at: float = 0.0
    hurry_until: float = 0.0

    def begin(self) -> None:
        """Something was started: look soon, then seldomer."""
        self.pause = FIRST_LOOK_SECONDS
        self.at = time.monotonic() + self.pause

    def hurry(self) -> None:
        """Something is known to have happened: look at once, and often until it shows."""
        now = time.monotonic()
        self.at, self.hurry_until, self.pause = now, now + HURRY_SECONDS, FIRST_LOOK_SECONDS

    def looked(self, *, all_up: bool) -> None:
        """ECS was asked."""
        now = time.monotonic()
        if now < self.hurry_until:
            self.at = now + FIRST_LOOK_SECONDS
            return
        self.pause = IDLE_LOOK_SECONDS if all_up else min(LONGEST_LOOK_SECONDS, self.pause * GROWTH)
        self.at = now + self.pause
