"""Asks ECS how tasks stand, for all who follow runs in this process: one call for up to a hundred of them."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from runner.aws.client import Client
from runner.errors import PenstockError

MOST_TASKS = 100
"""Most tasks of one DescribeTasks (API reference)."""
SHORTEST_SECONDS = 0.5
LONGEST_SECONDS = 5.0
GROWTH = 1.25
"""Each look at an unchanged task comes this much later than the one before; a change begins anew."""
JITTER = 0.2


class Watched:
    """One task, as ECS told of it last."""

    def __init__(self, arn: str, wake: Callable[[], None]) -> None:
        self.arn = arn
        self.task: Mapping[str, Any] | None = None
        """Null before the first answer."""
        self.missing = False
        """Whether ECS knows nothing of it any more."""
        self.error: PenstockError | None = None
        """Why ECS could not be asked."""
        self.due_at = 0.0
        self._pause = SHORTEST_SECONDS
        self._changed = threading.Event()
        self._wake = wake

    def wait(self, seconds: float) -> None:
        """Wait until ECS tells something new, at most so long.

        Raises:
            PenstockError: ECS cannot be asked.
        """
        self._changed.wait(seconds)
        self._changed.clear()
        if self.error is not None:
            raise self.error

    def hurry(self) -> None:
        """Have ECS asked now."""
        self._pause = SHORTEST_SECONDS
        self.due_at = 0.0
        self._wake()

    def take(self, task: Mapping[str, Any] | None) -> None:
        """Take ECS' answer; null where it knows nothing of the task."""
        changed = task != self.task or (task is None) != self.missing
        self.missing = task is None
        self.task = task or self.task
        self._pause = SHORTEST_SECONDS if changed else min(LONGEST_SECONDS, self._pause * GROWTH)
        self.due_at = time.monotonic() + self._pause * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
        if changed:
            self._changed.set()

    def fail(self, error: PenstockError) -> None:
        """Tell whoever waits that ECS cannot be asked."""
        self.error = error
        self._changed.set()


class Watcher:
    """The tasks of one cluster that somebody follows.

    Args:
        client: of ECS.
        cluster: ARN of the cluster.
    """

    def __init__(self, client: Client, cluster: str) -> None:
        self._client = client
        self._cluster = cluster
        self._watched: set[Watched] = set()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watch(self, arn: str) -> Iterator[Watched]:
        """A task, watched until the block ends."""
        item = Watched(arn, self._wake)
        with self._condition:
            self._watched.add(item)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            self._condition.notify()
        try:
            yield item
        finally:
            with self._condition:
                self._watched.discard(item)
                self._condition.notify()

    def _wake(self) -> None:
        with self._condition:
            self._condition.notify()

    def _run(self) -> None:
        while (due := self._due()) is not None:
            try:
                self._ask(due)
            except PenstockError as error:
                for item in due:
                    item.fail(error)
            except BaseException as error:
                for item in due:
                    item.fail(PenstockError(f"{type(error).__name__}: {error}"))
                raise

    def _due(self) -> list[Watched] | None:
        """The tasks to ask about now; null when nobody watches any."""
        with self._condition:
            while self._watched:
                now = time.monotonic()
                due = sorted(self._watched, key=lambda item: item.due_at)
                # Who is due soon is asked about with the others: it costs no further call.
                if due[0].due_at <= now:
                    return [item for item in due if item.due_at <= now + SHORTEST_SECONDS][:MOST_TASKS]
                self._condition.wait(due[0].due_at - now)
            self._thread = None
            return None

    def _ask(self, due: list[Watched]) -> None:
        arns = list({item.arn for item in due})
        answer = self._client.call("DescribeTasks", cluster=self._cluster, tasks=arns, include=["TAGS"])
        found = {task["taskArn"]: task for task in answer.get("tasks", [])}
        for item in due:
            item.take(found.get(item.arn))
