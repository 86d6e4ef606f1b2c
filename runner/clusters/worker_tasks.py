"""Keeps the tasks of a run's Dask workers on ECS: starts and stops them, and tells how they stand.

Guarantees: what is asked for is started, up to ten with one call, and asked for again while there is no room; what
keeps workers from starting is told once, in plain words; however many there are, one call asks how they stand, the
seldomer the longer nothing happens; `close` leaves none of them, whatever happened before. Knows nothing of Dask.
"""

import contextlib
import json
import random
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from runner.aws.client import Client
from runner.aws.errors import ApiError, NotFound
from runner.clusters import task_end
from runner.clusters.ended import Ended, of_platform
from runner.clusters.pace import Pace
from runner.clusters.troubles import Troubles
from runner.clusters.wanted import Wanted
from runner.ecs import starting
from runner.ecs.started import stop_started
from runner.ecs.watcher import MOST_TASKS
from runner.errors import PenstockError
from runner.http.errors import Unreachable
from runner.trouble import Trouble

Task = Mapping[str, Any]

MOST_AT_ONCE = 10
"""Most tasks of one RunTask (API reference)."""
CALLS = 8
"""Calls at a time."""
GATHER_SECONDS = 0.01
"""How long the first of several workers waits for the others, to be started with them."""
AGAIN_SECONDS = 5.0
LONGEST_AGAIN_SECONDS = 60.0
"""Pauses, on average, before a worker is asked for again for which there was no room, the first and the longest."""
IDLE_SECONDS = 60.0
"""How long a thread sleeps when there is nothing to do; whatever changes wakes it."""
END_SECONDS = 1.0
"""How long a thread may take to end that is waiting for AWS; it holds nothing."""
NOT_NEEDED = "penstock: not needed any more"
"""What workers are stopped for (`stoppedReason`)."""
SCHEDULER = -1
"""The number of the scheduler, where it is in a task of its own."""


class WorkerTasks:
    """The tasks of one run's workers. Any thread may use it.

    Args:
        ecs: client of ECS, with the rights of the run.
        cluster: ARN of the cluster.
        words: what a task has printed last, by its id; a worker that ended badly is asked for it.
        start_seconds: how long a task may take to be up before another takes its place; null for as long as it takes.
    """

    def __init__(
        self, ecs: Client, cluster: str, *, words: Callable[[str], str], start_seconds: float | None = None
    ) -> None:
        self._ecs = ecs
        self._cluster = cluster
        self._words = words
        self._start_seconds = start_seconds
        self._changed = threading.Condition()
        self._wanted: dict[int, Wanted] = {}
        self._ended: dict[int, Ended] = {}
        """How those ended that were not asked to."""
        self._numbers: dict[str, int] = {}
        """Which worker is in a task, by its id."""
        self._alive: set[str] = set()
        """ARNs of all tasks that may be up."""
        self._pace = Pace()
        self._troubles = Troubles()
        self._closing = False
        self._left: str | None = None
        """What tasks can be found by of which nobody may know: `startedBy`."""
        self._on_end: Callable[[int, Ended], object] | None = None
        self._early: list[tuple[int, Ended]] = []
        self._calls = ThreadPoolExecutor(CALLS, thread_name_prefix="penstock-tasks")
        # Two of them: while ECS is slow to say how tasks stand, others can be started, and told of.
        works = {"keep": self._keep, "look": self._look_on}
        self._threads = [
            threading.Thread(target=work, name=f"penstock-tasks-{name}", daemon=True) for name, work in works.items()
        ]
        for thread in self._threads:
            thread.start()

    def on_end(self, callback: Callable[[int, Ended], object]) -> None:
        """Have every end of a worker told that was not asked for, those before this call included."""
        with self._changed:
            self._on_end, early = callback, self._early
        for number, ended in early:
            callback(number, ended)

    def request(self, number: int, parameters: Mapping[str, Any]) -> None:
        """Ask for a worker; what keeps it from starting is told, and it is asked for again.

        Args:
            number: the worker's.
            parameters: of RunTask; those of several workers are one call where they are equal.
        """
        with self._changed:
            if self._closing or number in self._wanted:
                return
            due_at = time.monotonic() + GATHER_SECONDS
            self._wanted[number] = Wanted(parameters=dict(parameters), due_at=due_at)
            self._changed.notify_all()

    def remove(self, number: int) -> None:
        """Stop a worker's task. When this returns ECS has taken the order, or could not be asked."""
        with self._changed:
            wanted = self._wanted.pop(number, None)
        self._troubles.forget(number)
        if wanted is not None and wanted.task is not None:
            self._stop(wanted.task["taskArn"])

    def number_of(self, task_id: str) -> int | None:
        """Which worker a task is; null while that is not known."""
        with self._changed:
            return self._numbers.get(task_id)

    def joined(self, number: int) -> None:
        """Dask knows the worker: it is up, whatever ECS says so far."""
        self._troubles.forget(number)
        with self._changed:
            if number in self._wanted:
                self._wanted[number].joined = True

    def hurry(self) -> None:
        """Dask has lost a worker: have ECS asked now."""
        with self._changed:
            self._pace.hurry()
            self._changed.notify_all()

    def await_up(self, number: int, seconds: float | None) -> Task | Ended | None:
        """Wait until a task is up, or has ended; null when it is not in that time, or there is no hope that it will be.

        Args:
            number: the worker's.
            seconds: how long to wait; null for as long as it takes.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        with self._changed:
            while number in self._wanted:
                task = self._wanted[number].task
                if task is not None and task_end.is_up(task):
                    return task
                waiting = self._troubles.of(number)
                left = 1.0 if deadline is None else deadline - time.monotonic()
                if left <= 0 or (waiting is not None and waiting.fatal):
                    return None
                self._changed.wait(min(left, 1.0))
            return self._ended.get(number)

    def waiting(self) -> Trouble | None:
        """What keeps workers from starting; null when nothing is known to."""
        return self._troubles.waiting()

    def held(self) -> int:
        """How many of the workers that are asked for are kept from starting, and not just for a moment."""
        return self._troubles.held()

    def states(self) -> list[str]:
        """In which states of ECS the tasks are, as far as is known, each once."""
        with self._changed:
            return sorted({str(item.task["lastStatus"]) for item in self._wanted.values() if item.task is not None})

    def close(self) -> None:
        """Stop all tasks. What cannot be stopped now is left to the container `cleanup`."""
        with self._changed:
            self._closing = True
            self._wanted.clear()
            self._changed.notify_all()
        # A start that is under way has to end before what it starts can be stopped.
        self._calls.shutdown(wait=True, cancel_futures=True)
        for thread in self._threads:
            thread.join(END_SECONDS)
        with ThreadPoolExecutor(CALLS) as calls:
            stopped = list(calls.map(self._stop, sorted(self._alive)))
        with contextlib.suppress(PenstockError):
            if self._left is not None:
                stop_started(self._ecs, self._cluster, self._left)
        if left := stopped.count(False):
            print(
                f"penstock: {left} of the workers' tasks could not be stopped now; the task's container `cleanup` does "
                "it, or `penstock gc`.",
                file=sys.stderr,
            )

    def _keep(self) -> None:
        while True:
            with self._changed:
                while not self._closing and (seconds := self._patience()) > 0:
                    self._changed.wait(seconds)
                if self._closing:
                    return
                now = time.monotonic()
                due = [number for number, item in self._wanted.items() if self._is_due(item, now)]
                if due:  # the others that it has waited for have a moment left
                    until = now + GATHER_SECONDS
                    due = [number for number, item in self._wanted.items() if self._is_due(item, until)]
                for number in due:
                    self._wanted[number].starting = True
                wanted = len(self._wanted)
            for numbers in self._batches(due):
                self._submit(numbers)
            self._troubles.tell(wanted)

    @staticmethod
    def _is_due(item: Wanted, until: float) -> bool:
        return item.task is None and not item.starting and item.due_at <= until

    def _patience(self) -> float:
        """How many seconds there is nothing to start or to tell, unless something changes."""
        moments = [item.due_at for item in self._wanted.values() if item.task is None and not item.starting]
        moments += [] if (due_at := self._troubles.due_at()) is None else [due_at]
        return max(0.0, min(moments) - time.monotonic()) if moments else IDLE_SECONDS

    def _batches(self, due: list[int]) -> list[list[int]]:
        """The workers to start, those together that one call can start."""
        alike: dict[str, list[int]] = {}
        with self._changed:
            for number in due:
                if number in self._wanted:
                    item = self._wanted[number]
                    key = json.dumps([item.parameters, item.unsure], sort_keys=True)
                    alike.setdefault(key, []).append(number)
        return [
            numbers[i : i + MOST_AT_ONCE] for numbers in alike.values() for i in range(0, len(numbers), MOST_AT_ONCE)
        ]

    def _submit(self, numbers: list[int]) -> None:
        with contextlib.suppress(RuntimeError):  # closed meanwhile
            self._calls.submit(self._start, numbers)

    def _start(self, numbers: list[int]) -> None:
        with self._changed:
            numbers = [number for number in numbers if number in self._wanted]
            if not numbers or self._closing:
                return
            parameters, unsure = self._wanted[numbers[0]].parameters, self._wanted[numbers[0]].unsure
        token, numbers = unsure or (str(uuid.uuid4()), numbers)
        tasks: list[Task] = []
        trouble = unsure = None
        try:
            answer = self._ecs.call("RunTask", **{**parameters, "count": len(numbers), "clientToken": token})
            tasks = answer.get("tasks", [])
            failures = answer.get("failures") or [{"reason": "ECS started fewer tasks than it was asked for"}]
            trouble = starting.of_failure(failures[0], whose="a worker")
        except Exception as error:  # noqa: BLE001 whatever it is, it must not be lost with this thread
            trouble = starting.of_refusal(error, whose="a worker")
            if isinstance(error, Unreachable) or (isinstance(error, ApiError) and error.status >= 500):
                unsure, self._left = (token, numbers), parameters.get("startedBy")
        unwanted = self._take_started(numbers, tasks, trouble, unsure)
        for arn in unwanted:
            self._stop(arn)

    def _take_started(
        self, numbers: list[int], tasks: list[Task], trouble: Trouble, unsure: tuple[str, list[int]] | None
    ) -> list[str]:
        """Note which worker is in which task; the result are tasks that nobody wants any more."""
        unwanted: list[str] = []
        with self._changed:
            for number, task in zip(numbers, tasks, strict=False):
                arn = str(task["taskArn"])
                self._alive.add(arn)
                self._numbers[arn.rpartition("/")[2]] = number
                if (item := self._wanted.get(number)) is not None:
                    item.task, item.asked_at, item.starting, item.unsure = task, time.monotonic(), False, None
                    self._troubles.forget(number)
                else:
                    unwanted.append(arn)
            for number in numbers[len(tasks) :]:
                self._ask_again(number, trouble, unsure)
            if tasks:
                self._pace.begin()
            self._changed.notify_all()
        return unwanted

    def _ask_again(self, number: int, trouble: Trouble, unsure: tuple[str, list[int]] | None = None) -> None:
        """Ask for a worker again in a while, for which there is no room now."""
        item = self._wanted.get(number)
        if item is None:
            return
        self._troubles.note(number, trouble)
        pause = min(LONGEST_AGAIN_SECONDS, AGAIN_SECONDS * 1.5**item.refused)
        item.refused += 1
        item.starting, item.task, item.unsure = False, None, unsure
        item.due_at = time.monotonic() + pause * random.uniform(0.5, 1.5)  # noqa: S311 it spreads load

    def _look_on(self) -> None:
        while True:
            with self._changed:
                while not self._closing and (seconds := self._until_look()) > 0:
                    self._changed.wait(seconds)
                if self._closing:
                    return
            self._look()

    def _until_look(self) -> float:
        return max(0.0, self._pace.at - time.monotonic()) if self._alive else IDLE_SECONDS

    def _look(self) -> None:
        """Ask how all tasks stand, a hundred with one call."""
        with self._changed:
            arns = sorted(self._alive)
        found: dict[str, Task | None] = {}
        for i in range(0, len(arns), MOST_TASKS):
            part = arns[i : i + MOST_TASKS]
            try:
                answer = self._ecs.call("DescribeTasks", cluster=self._cluster, tasks=part)
            except PenstockError:
                break  # it is asked again, and the flow goes on with the workers that there are
            known = {task["taskArn"]: task for task in answer.get("tasks", [])}
            missing = {item.get("arn") for item in answer.get("failures", []) if item.get("reason") == "MISSING"}
            found |= {arn: known.get(arn) for arn in part if arn in known or arn in missing}
        ends = [end for arn, task in found.items() if (end := self._take(arn, task)) is not None]
        for arn in self._overdue():
            self._stop(arn)
        with self._changed:
            all_up = all(item.joined or item.task is None for item in self._wanted.values())
            self._pace.looked(all_up=all_up)
            self._ended.update(ends)
            callback = self._on_end
            if callback is None:
                self._early += ends
            self._changed.notify_all()
        if callback is not None:
            for number, ended in ends:
                callback(number, ended)

    def _take(self, arn: str, task: Task | None) -> tuple[int, Ended] | None:
        """Note how a task stands; the result is the worker that has ended with it without being asked to."""
        with self._changed:
            number = self._numbers[arn.rpartition("/")[2]]
            item = self._wanted.get(number)
            ours = item is not None and item.task is not None and item.task["taskArn"] == arn
            if task is not None and not task_end.has_ended(task):
                if ours and item is not None:
                    item.task = task
                return None
            self._alive.discard(arn)
            if not ours:
                return None
            trouble = None if task is None else task_end.not_started(task)
            if trouble is not None and not trouble.fatal:
                self._ask_again(number, trouble)
                return None
            del self._wanted[number]
        self._troubles.forget(number)
        if task is None:
            return number, of_platform("is not known to ECS any more")
        return number, task_end.ended(task, lambda: self._words(arn.rpartition("/")[2]))

    def _overdue(self) -> list[str]:
        """Tasks that should be up by now; others are asked for in their place."""
        if self._start_seconds is None:
            return []
        failure = starting.not_started(clock="start", seconds=self._start_seconds, whose="A worker")
        found = []
        with self._changed:
            for number, item in self._wanted.items():
                late = time.monotonic() > item.asked_at + self._start_seconds
                if item.task is not None and not item.joined and not task_end.is_up(item.task) and late:
                    found.append(str(item.task["taskArn"]))
                    self._ask_again(number, Trouble(failure=failure, fatal=False))
        return found

    def _stop(self, arn: str) -> bool:
        try:
            self._ecs.call("StopTask", cluster=self._cluster, task=arn, reason=NOT_NEEDED)
        except NotFound:
            pass
        except ApiError as error:
            if "not found" not in error.message:
                return False
        except PenstockError:
            return False
        with self._changed:
            self._alive.discard(arn)
        return True
