"""What keeps the workers of a run from starting: told once, in plain words, when it lasts."""

import sys
import threading
import time

from runner.trouble import Trouble

SETTLE_SECONDS = 1.0
"""How long a worker has been kept from starting before that is told: a machine may be found meanwhile."""


class Troubles:
    """The troubles of a run's workers, by their numbers. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[int, tuple[float, Trouble]] = {}
        """What keeps a worker from starting, and since when."""
        self._said: set[str] = set()

    def note(self, number: int, trouble: Trouble) -> None:
        """A worker is kept from starting."""
        with self._lock:
            since = self._all[number][0] if number in self._all else time.monotonic()
            self._all[number] = (since, trouble)

    def forget(self, number: int) -> None:
        """A worker is not kept from starting any more, or is not wanted."""
        with self._lock:
            self._all.pop(number, None)

    def of(self, number: int) -> Trouble | None:
        """What keeps a worker from starting; null when nothing is known to."""
        with self._lock:
            return self._all[number][1] if number in self._all else None

    def waiting(self) -> Trouble | None:
        """What keeps workers from starting, the worst of it; null when nothing is known to."""
        with self._lock:
            return max((trouble for _, trouble in self._all.values()), key=lambda item: item.fatal, default=None)

    def held(self) -> int:
        """How many workers are kept from starting, and not just for a moment."""
        now = time.monotonic()
        with self._lock:
            return sum(since + SETTLE_SECONDS <= now for since, _ in self._all.values())

    def due_at(self) -> float | None:
        """When there is something to tell; null for nothing."""
        with self._lock:
            return min(
                (since + SETTLE_SECONDS for since, item in self._all.values() if self._is_new(item)), default=None
            )

    def tell(self, wanted: int) -> None:
        """Tell what has not been told yet.

        Args:
            wanted: how many workers are asked for.
        """
        now = time.monotonic()
        with self._lock:
            settled = [item for since, item in self._all.values() if since + SETTLE_SECONDS <= now]
            new = {item.failure.failure_class: item.failure for item in settled if self._is_new(item)}
            self._said.update(new)
            held = [item.failure.failure_class for _, item in self._all.values()]
        follows = "The flow goes on with those that there are." if len(held) < wanted else "The flow waits for one."
        for failure_class, failure in new.items():
            print(
                f"penstock: {held.count(failure_class)} of {wanted} workers wait ({failure_class}): "
                f"{failure.message.rstrip('.')}. {follows}",
                file=sys.stderr,
            )

    def _is_new(self, trouble: Trouble) -> bool:
        return trouble.failure.failure_class not in self._said
