"""What the Dask workers of a run print, each line with its worker: from the log streams of their tasks."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from runner.aws.client import Client
from runner.errors import PenstockError
from runner.launch.ecs import follow, names, status, tasklog
from runner.launch.ecs.finder import Finder
from runner.launch.workers import marked
from runner.sections import WORKER_TASK_CONTAINER, FargateTask
from runner.worker_mark import MARK, PHRASE

CALLS = 8
LOOK_SECONDS = 1.0
"""Pause between looks at the logs of workers that are up."""
LIST_SECONDS = 5.0
"""And between questions about which there are."""
HOLD_SECONDS = 10.0
"""So long lines wait for the one that says which worker theirs is: it is near the beginning, but not the first."""
SHORT_ID = 8
"""Digits of a task's id that stand for a worker whose number nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """The attempt whose workers are meant."""

    run_id: str
    number: int
    owner: str
    """Id of its task."""


class Streams:
    """The log streams of workers of one environment.

    Args:
        finder: finds tasks.
        logs: client of CloudWatch Logs.
        section: the environment's section.
    """

    def __init__(self, finder: Finder, logs: Client, section: FargateTask) -> None:
        self._finder, self._logs = finder, logs
        self._group = section.log_group
        self._prefix = names.streams(section, WORKER_TASK_CONTAINER)

    def of_tasks(self, attempt: Attempt) -> dict[str, bool]:
        """Names of the streams of the workers that ECS knows, and whether they have stopped."""
        found = (task for task in self._finder.started_by(attempt.owner) if _is_worker(task))
        return {f"{self._prefix}{names.task_id(task['taskArn'])}": status.has_stopped(task) for task in found}

    def of(self, attempt: Attempt) -> list[str]:
        """Names of the streams of all workers of an attempt, of those that ECS has forgotten, too."""
        phrase = f"{PHRASE}{attempt.run_id}/{attempt.number}"
        found = tasklog.search(self._logs, self._group, phrase, streams=self._prefix)
        of_log = [line.stream for line in found if _number(line.data, attempt) is not None]
        return list(dict.fromkeys((*self.of_tasks(attempt), *of_log)))

    def opened(self, stream: str, attempt: Attempt) -> "WorkerLog":
        """The log in a stream."""
        return WorkerLog(tasklog.TaskLog(self._logs, self._group, stream), stream, attempt)

    def read(self, attempt: Attempt) -> bytes:
        """What the workers of an attempt have printed, in the order in which it was."""
        opened = [self.opened(stream, attempt) for stream in self.of(attempt)]
        with ThreadPoolExecutor(CALLS) as calls:
            return _in_order(line for lines in calls.map(_whole, opened) for line in lines)


class WorkerLog:
    """The log of one worker, from its beginning on.

    Args:
        log: the log.
        stream: name of its stream.
        attempt: whose worker it is.
    """

    def __init__(self, log: tasklog.TaskLog, stream: str, attempt: Attempt) -> None:
        self._log, self._attempt = log, attempt
        self._task_id = stream.rpartition("/")[2]
        self._number: str | None = None
        self._held: list[tasklog.Line] = []
        self._held_since = 0.0
        self.came_at = time.monotonic()
        """When something came last."""

    def read(self, *, wait: bool = True) -> list[tuple[float, bytes]]:
        """What has come since the last time, as it is shown, with its times.

        Args:
            wait: whether lines whose worker is not known yet may come later.
        """
        for line in (line for page in self._log.lines() for line in page):
            self.came_at = time.monotonic()
            number = _number(line.data, self._attempt) if self._number is None else None
            if number is not None:
                self._number = number
                continue
            if not self._held:
                self._held_since = self.came_at
            self._held.append(line)
        if self._number is None and wait and time.monotonic() < self._held_since + HOLD_SECONDS:
            return []
        worker = self._number or self._task_id[:SHORT_ID]
        found = [(line.at, marked(worker, line.data)) for line in self._held]
        self._held = []
        return found


class Following:
    """Passes on what workers print as it comes, of those that come later, too, until it is closed.

    Args:
        streams: their log streams.
        write: called with whole lines, by one thread.
    """

    def __init__(self, streams: Streams, write: Callable[[bytes], object]) -> None:
        self._streams, self._write = streams, write
        self._attempt: Attempt | None = None
        self._logs: dict[str, WorkerLog] = {}
        self._stopped: set[str] = set()
        self._listed_at = 0.0
        self._closing, self._broken = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.error: PenstockError | None = None
        """Why there is nothing more to see; the run goes on all the same."""

    def begin(self, attempt: Attempt) -> None:
        """Follow the workers of this attempt from here on."""
        self._attempt = attempt
        self._listed_at = 0.0

    def __enter__(self) -> "Following":
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._broken.set()
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closing.wait(LOOK_SECONDS):
                self._look()
            self._drain()
        except PenstockError as error:
            self.error = error

    def _drain(self) -> None:
        """Last lines take their time to arrive."""
        self._listed_at = 0.0
        began = time.monotonic()
        while not self._broken.is_set():
            self._look()
            came_at = max((log.came_at for log in self._logs.values()), default=0.0)
            now = time.monotonic()
            if now > max(came_at, began) + follow.QUIET_SECONDS or now > began + follow.DRAIN_SECONDS:
                break
            self._broken.wait(min(LOOK_SECONDS, follow.QUIET_SECONDS))
        self._pass_on(wait=False)

    def _look(self) -> None:
        attempt = self._attempt
        if attempt is not None and time.monotonic() > self._listed_at + LIST_SECONDS:
            first = not self._logs
            self._listed_at = time.monotonic()
            of_tasks = self._streams.of_tasks(attempt)
            self._stopped |= {stream for stream, stopped in of_tasks.items() if stopped}
            for stream in self._streams.of(attempt) if first else of_tasks:
                if stream not in self._logs:
                    self._logs[stream] = self._streams.opened(stream, attempt)
        self._pass_on()

    def _pass_on(self, *, wait: bool = True) -> None:
        over = time.monotonic() - follow.DRAIN_SECONDS
        read = [
            log for stream, log in self._logs.items() if not (wait and stream in self._stopped and log.came_at < over)
        ]
        data = _in_order(line for log in read for line in log.read(wait=wait))
        if data:
            self._write(data)


def _whole(log: WorkerLog) -> list[tuple[float, bytes]]:
    return log.read(wait=False)


def _in_order(lines: Iterable[tuple[float, bytes]]) -> bytes:
    """Lines by their times; those of one time stay in order."""
    return b"".join(line for _, line in sorted(lines, key=lambda item: item[0]))


def _number(data: bytes, attempt: Attempt) -> str | None:
    """What a line says of which worker its stream is; null where it is none of those lines, or another run's."""
    found = MARK.fullmatch(data.decode(errors="replace"))
    if found is None or (found["run_id"], int(found["attempt"])) != (attempt.run_id, attempt.number):
        return None
    return found["number"]


def _is_worker(task: status.Task) -> bool:
    return any(item.get("name") == WORKER_TASK_CONTAINER for item in task.get("containers", []))


def marked_streams(logs: Client, section: FargateTask) -> Iterator[tuple[str, str]]:
    """The streams of all workers whose log says which run they are of, with that run."""
    prefix = names.streams(section, WORKER_TASK_CONTAINER)
    for line in tasklog.search(logs, section.log_group, PHRASE, streams=prefix):
        found = MARK.fullmatch(line.data.decode(errors="replace"))
        if found is not None:
            yield line.stream, found["run_id"]
