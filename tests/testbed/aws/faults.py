"""Faults that are asked for, and hit whatever comes next that they are meant for."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What goes wrong."""

    CAPACITY = "capacity"
    """RunTask does not start a task: Fargate has no room. Others of the same call are started."""
    RESOURCE = "resource"
    """RunTask does not start a task: no instance has the memory. Others of the same call are started."""
    QUOTA = "quota"
    """RunTask is refused: the account's limit of processors is reached."""
    PULL_MISSING = "pull-missing"
    PULL_DENIED = "pull-denied"
    PULL_BUSY = "pull-busy"
    PULL_TIMEOUT = "pull-timeout"
    """The image cannot be pulled."""
    SECRET = "secret"  # noqa: S105 a fault's name
    """A secret cannot be pulled."""
    LOG_GROUP = "log-group"
    """The log driver finds no group."""
    STUCK = "stuck"
    """The task stays PENDING until it is stopped."""
    FAILS_TO_START = "fails-to-start"
    """The task stops before its container is up, for a reason that passes."""
    OOM = "oom"
    """The container is killed for memory."""
    SPOT = "spot"
    """The task's place is taken away."""
    HOST = "host"
    """The task's machine is lost."""
    THROTTLE = "throttle"
    """A call is refused: too many."""
    UNAVAILABLE = "unavailable"
    """A call is answered with 503."""
    DROP = "drop"
    """A call is done, and its answer lost."""
    EXPIRED = "expired"
    """A call is refused: the token has expired."""
    EMPTY_PAGE = "empty-page"
    """A page of a log has no events, though there are more."""


OF_CALLS = {Kind.THROTTLE, Kind.UNAVAILABLE, Kind.DROP, Kind.EXPIRED}
"""Faults of calls of any service; the others are of tasks."""
OF_PAGES = {Kind.EMPTY_PAGE}
"""Faults of answers that are otherwise good."""
OF_STARTS = {Kind.QUOTA}
"""Faults of a whole RunTask, however many tasks it is to start."""


@dataclass(kw_only=True)
class Fault:
    """A fault that waits for what it is meant for."""

    kind: Kind
    times: int = 1
    """How often it hits: how many tasks, each of those of one RunTask being one, or how many calls."""
    delay: float = 0.0
    """Seconds that the container is up before it hits."""
    family: str | None = None
    """Family of the task definition; null for any."""
    container: str | None = None
    """Container of the task; null for any."""
    action: str | None = None
    """Operation, such as RunTask, for a fault of calls; null for any."""


@dataclass
class Faults:
    """All faults that have not hit yet."""

    waiting: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        """Have a fault hit."""
        with self._lock:
            self.waiting.append(fault)

    def of_call(self, action: str) -> Fault | None:
        """The fault that hits a call; it has hit once more."""
        return self._take(lambda fault: fault.kind in OF_CALLS and fault.action in {None, action})

    def of_page(self, action: str) -> Fault | None:
        """The fault that hits a page of a log; it has hit once more."""
        return self._take(lambda fault: fault.kind in OF_PAGES and fault.action in {None, action})

    def of_start(self, family: str, containers: list[str]) -> Fault | None:
        """The fault that hits a RunTask; it has hit once more."""
        return self._take(lambda fault: fault.kind in OF_STARTS and _is_meant(fault, family, containers))

    def of_task(self, family: str, containers: list[str]) -> Fault | None:
        """The fault that hits a task; it has hit once more."""
        others = OF_CALLS | OF_PAGES | OF_STARTS
        return self._take(lambda fault: fault.kind not in others and _is_meant(fault, family, containers))

    def _take(self, meant: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for fault in self.waiting:
                if fault.times > 0 and meant(fault):
                    fault.times -= 1
                    return fault
        return None


def _is_meant(fault: Fault, family: str, containers: list[str]) -> bool:
    return fault.family in {None, family} and (fault.container is None or fault.container in containers)
