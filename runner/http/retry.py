"""When to try again: full-jitter exponential backoff inside a time budget."""

import random
import time

SHORTEST_SECONDS = 0.1
LONGEST_SECONDS = 5.0


class Backoff:
    """Pauses between tries: a random part of 0.1 s, then of twice as much each time, up to 5 s."""

    def __init__(self) -> None:
        self._tries = 0

    def reset(self) -> None:
        """Begin with short pauses again."""
        self._tries = 0

    def next(self) -> float:
        """Seconds to wait now."""
        longest = min(LONGEST_SECONDS, SHORTEST_SECONDS * 2 ** min(self._tries, 16))
        self._tries += 1
        return random.uniform(0, longest)  # noqa: S311 it spreads load, and hides nothing


class Attempts:
    """The tries of one thing, and the time that they may take together, from the first try or failure on."""

    def __init__(self, budget_seconds: float) -> None:
        self._budget = budget_seconds
        self._backoff = Backoff()
        self._deadline: float | None = None

    def reset(self) -> None:
        """Note success: the next failure has the whole budget again."""
        self._deadline = None
        self._backoff.reset()

    def remaining(self) -> float:
        """Seconds that are left."""
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + self._budget
        return self._deadline - now

    def delay(self, error: Exception, *, at_least: float = 0.0) -> float:
        """Seconds to wait before the next try.

        Args:
            error: why the last one failed; raised when the wait would go beyond the budget.
            at_least: seconds that the server asked for.
        """
        seconds = at_least + self._backoff.next()
        if seconds > self.remaining():
            raise error
        return seconds
