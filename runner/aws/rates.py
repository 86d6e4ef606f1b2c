"""Holds a client to the rates that AWS publishes, so that many runs on one account are not refused."""

import threading
import time
from collections.abc import Mapping

RATES: Mapping[tuple[str, str], tuple[float, int]] = {
    ("ecs", "RunTask"): (20.0, 20),
    ("ecs", "StopTask"): (20.0, 20),
    ("ecs", "DescribeTasks"): (10.0, 20),
    ("ecs", "ListTasks"): (10.0, 20),
    ("logs", "GetLogEvents"): (10.0, 10),
    ("logs", "FilterLogEvents"): (4.0, 4),
}
"""Calls a second, and at once after a pause.

Sources: "Request throttling for the Amazon ECS API" in its developer guide (20 tasks a second on Fargate, 20 reads of
clusters' resources a second in all), "CloudWatch Logs quotas" (GetLogEvents 25 a second, FilterLogEvents 5 in the
smallest regions). Reads take at most half, since an account has other clients.
"""


class Rate:
    """A bucket of tokens: one is taken for each call, and they come back at a rate.

    Args:
        per_second: tokens that come back in a second.
        burst: most tokens.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = float(burst)
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Take a token, at once or when it is this caller's turn: first come, first served."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second) - 1
            self._at = now
            seconds = -self._tokens / self._per_second
        if seconds > 0:
            time.sleep(seconds)


class Rates:
    """The rates of one service, shared by all threads of a client."""

    def __init__(self, service: str) -> None:
        self._rates = {name: Rate(*rate) for (owner, name), rate in RATES.items() if owner == service}

    def wait(self, operation: str) -> None:
        """Wait for this operation's turn; one without a rate has none to wait for."""
        if (rate := self._rates.get(operation)) is not None:
            rate.wait()
