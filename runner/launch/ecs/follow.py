"""Follows one attempt: what its container prints, how its task stands, until it has ended."""

import contextlib
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from runner.aws.client import Client
from runner.ecs import starting
from runner.ecs.watcher import Watched, Watcher
from runner.environment import Environment
from runner.errors import PenstockError, UnavailableError
from runner.launch.ecs import names, status
from runner.launch.ecs.removal import STOP_SECONDS
from runner.launch.ecs.task import accepted_at, attempt_of, tag
from runner.launch.ecs.tasklog import TaskLog
from runner.outcome import ExitCode, Outcome, State
from runner.sections import FargateTask
from runner.trailer import Record, Splitter

QUICK_SECONDS = 0.25
SLOW_SECONDS = 2.0
"""Pauses between looks at the log: the first after something came, then longer ones."""
USUAL_START_SECONDS = 10.0
"""After this it is told what a task waits for: Fargate takes half a minute, and nobody should think that it hangs."""
WAITING = {"PROVISIONING": "waits for its place", "PENDING": "has its place, and its image is being pulled"}
VERDICT_SECONDS = 10.0
"""How long ECS may take to say who stopped a run whose runner has recorded that somebody did."""
DRAIN_SECONDS = 10.0
"""How long last lines may take to arrive after the end of a task whose runner could not record its end."""
QUIET_SECONDS = 3.0
"""So long nothing must have come then."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What an attempt is followed with."""

    ecs: Client
    logs: Client
    watcher: Watcher
    environment: Environment
    section: FargateTask


@dataclass(frozen=True, kw_only=True)
class End:
    """How an attempt ended."""

    outcome: Outcome
    record: Record | None
    """What its runner recorded last; null for nothing."""
    startable: bool
    """Whether its container was never up, for a reason that may pass."""
    lost: bool
    """Whether its container was up, and its task has stopped without a record of the end."""


class Following:
    """One attempt, being followed.

    Args:
        platform: what to follow it with.
        task: its task, as RunTask or DescribeTasks gave it.
        write: called with the run's output as it comes.
        notice: called with a sentence about what it waits for.
        skip: bytes at the beginning of the output that are not wanted.
    """

    def __init__(
        self,
        platform: Platform,
        task: status.Task,
        *,
        write: Callable[[bytes], object],
        notice: Callable[[str], object],
        skip: int = 0,
    ) -> None:
        self.passed_on = 0
        """Bytes of the output that have come, unwanted ones included."""
        self._platform = platform
        self._task = task
        self._arn = str(task["taskArn"])
        self._run_id = tag(task, names.RUN_ID)
        self._attempt = attempt_of(task)
        self._accepted_at = accepted_at(task)
        self._write, self._notice, self._skip = write, notice, skip
        section = platform.section
        self._log = TaskLog(platform.logs, section.log_group, names.stream(section, self._arn))
        self._splitter = Splitter(self._run_id, self._attempt)
        self._hash = hashlib.sha256()
        self._lines = 0
        self._stopped_at: float | None = None
        self._recorded_at: float | None = None
        self._came_at = time.monotonic()
        self._began = time.monotonic()
        self._told = ""

    def to_end(self) -> End:
        """Follow until the attempt has ended.

        Raises:
            UnavailableError: AWS did not answer for longer than the clients' budget. The run goes on.
        """
        with self._platform.watcher.watch(self._arn) as watched:
            while True:
                self._look(watched)
                outcome = self._decided(watched)
                if outcome is not None:
                    return self._end(outcome)
                if self._start_is_over():
                    return self._give_up(watched)
                watched.wait(self._pause())

    def _look(self, watched: Watched) -> None:
        """See what is new: of the task first, so that its end is known to be before what the log has then."""
        if watched.task is not None:
            self._task = watched.task
        if watched.missing:
            raise UnavailableError(
                f"ECS knows nothing of the task of {self._run_id} any more. "
                f"See what its log says: penstock describe {self._run_id}"
            )
        if status.has_stopped(self._task) and self._stopped_at is None:
            self._stopped_at = time.monotonic()
        if status.has_started(self._task):
            for data in self._log.read():
                self._pass_on(data)
        elif time.monotonic() > self._began + USUAL_START_SECONDS:
            words = WAITING.get(str(self._task.get("lastStatus")), self._told)
            if words != self._told:
                self._told = words
                self._notice(f"{self._run_id} {words}.")

    def _pass_on(self, data: bytes) -> None:
        if data:
            self._came_at = time.monotonic()
        output = self._splitter.feed(data)
        self._hash.update(output)
        self._lines += output.count(b"\n")
        self.passed_on += len(output)
        unwanted = min(self._skip, len(output))
        self._skip -= unwanted
        if output[unwanted:]:
            self._write(output[unwanted:])
        if self._record is not None and self._record.state.ended and self._recorded_at is None:
            self._recorded_at = time.monotonic()

    @property
    def _record(self) -> Outcome | None:
        return None if self._splitter.record is None else self._splitter.record.outcome

    def _decided(self, watched: Watched) -> Outcome | None:
        """How the attempt ended; null while nobody can know."""
        environment, record, now = self._platform.environment, self._record, time.monotonic()
        if record is not None and record.state.ended:
            if record.state is not State.CANCELLED:
                return status.standing(self._task, environment, record)
            # Somebody stopped the container: ECS tells who.
            if self._task.get("stopCode"):
                return status.ended(self._task, environment, record)
            assert self._recorded_at is not None  # noqa: S101 set with the record
            watched.hurry()
            return record if now > self._recorded_at + VERDICT_SECONDS else None
        if self._stopped_at is None:
            return None
        # Without a container that was up there is no log to wait for.
        drained = now > self._stopped_at + DRAIN_SECONDS or now > max(self._came_at, self._stopped_at) + QUIET_SECONDS
        if status.has_started(self._task) and not drained:
            return None
        return status.ended(self._task, environment, record)

    def _start_is_over(self) -> bool:
        limit = self._platform.environment.timeouts.start_seconds
        started = status.has_started(self._task) or self._stopped_at is not None
        return limit is not None and not started and time.time() > self._accepted_at + limit

    def _give_up(self, watched: Watched) -> End:
        """Stop a task that has not started in time, and say so only when it has stopped."""
        section = self._platform.section
        self._platform.ecs.call("StopTask", cluster=section.cluster_arn, task=self._arn, reason=names.NEVER_STARTED)
        deadline = time.monotonic() + STOP_SECONDS
        while not status.has_stopped(self._task) and time.monotonic() < deadline:
            watched.hurry()
            watched.wait(QUICK_SECONDS)
            self._task = watched.task or self._task
        confirmed = status.has_stopped(self._task)
        limit = self._platform.environment.timeouts.start_seconds or 0.0
        failure = starting.not_started(clock="start", seconds=limit)
        said = str(self._task.get("lastStatus", ""))
        detail = None if confirmed else f"The task was stopped, and ECS has not confirmed it yet ({said})."
        outcome = status.failed(
            status.blank(self._task, self._platform.environment),
            ExitCode.UNAVAILABLE,
            replace(failure, detail=detail),
        )
        return replace(self._end(outcome), startable=confirmed)

    def _pause(self) -> float:
        if self._recorded_at is not None:
            return QUICK_SECONDS
        return min(SLOW_SECONDS, max(QUICK_SECONDS, (time.monotonic() - self._came_at) / 4))

    def _end(self, outcome: Outcome) -> End:
        record = self._splitter.record
        if record is not None and record.outcome.state.ended:
            self._verify(record.outcome)
        else:
            rest = self._splitter.rest()
            if rest:
                self._write(rest)
        trouble = None
        stopped_early = status.has_stopped(self._task) and not status.has_started(self._task)
        if stopped_early and status.asked_to_stop(self._task) is None:
            trouble = starting.of_stopped(self._task)
        return End(
            outcome=self._with_ledger(outcome),
            record=record,
            startable=trouble is not None and not trouble.fatal and outcome.state is State.FAILED,
            lost=status.has_started(self._task)
            and status.has_stopped(self._task)
            and not (record is not None and record.outcome.state.ended),
        )

    def _verify(self, recorded: Outcome) -> None:
        """Compare what has come with what the runner counted; what came late is read again."""
        if self._hash.hexdigest() == recorded.log.sha256:
            return
        section = self._platform.section
        splitter = Splitter(self._run_id, self._attempt)
        again = TaskLog(self._platform.logs, section.log_group, names.stream(section, self._arn))
        whole = b""
        with contextlib.suppress(PenstockError):
            whole = b"".join(splitter.feed(data) for data in again.read())
        if hashlib.sha256(whole).hexdigest() == recorded.log.sha256:
            self._notice(
                f"some lines of {self._run_id} came late: `penstock logs {self._run_id}` has them all in order."
            )
            return
        kept = len(whole.splitlines())
        self._notice(
            f"the log of {self._run_id} is not what its flow printed, {recorded.log.lines:,} lines: CloudWatch has "
            f"{kept:,}, and keeps nothing that is not UTF-8."
        )

    def _with_ledger(self, outcome: Outcome) -> Outcome:
        told = {"queued": "createdAt", "scheduled": "pullStartedAt", "pulled": "pullStoppedAt"}
        seen = {
            step: round(max(0.0, float(self._task[name]) - self._accepted_at), 4)
            for step, name in told.items()
            if self._task.get(name)
        }
        # The runner's own clock is the better one, and it knows when it started.
        return replace(outcome, ledger=seen | dict(outcome.ledger))
