"""The launcher of the kinds on ECS: one task of ECS per attempt, found again by its tags and the record in its log.

A submit is one call when the run's code is in the bucket already or fits into the call itself. ECS restarts nothing:
who follows a run starts its next attempt where the failure policy says so, or where it never came up.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from runner import request
from runner.aws.access import Access
from runner.aws.client import Client
from runner.aws.errors import NotFound
from runner.ecs.watcher import Watcher
from runner.environment import Action, Environment
from runner.errors import UnavailableError, UsageError
from runner.http.errors import Unreachable
from runner.launch.base import Collected, NotStartedError, RunRecord
from runner.launch.ecs import collection, files, names, status, task, tasklog, workers
from runner.launch.ecs.content import Content
from runner.launch.ecs.dashboard import refused
from runner.launch.ecs.finder import Finder, Recorded, no_log_group
from runner.launch.ecs.follow import End, Following, Platform
from runner.launch.ecs.removal import STOP_SECONDS, Removal, await_all
from runner.launch.ecs.start import Starter
from runner.outcome import FailureClass, Outcome, State
from runner.request import RunRequest
from runner.trailer import Record, Splitter

FOLLOW_BUDGET_SECONDS = 120.0
"""How long a follower waits for AWS when it does not answer: the run goes on meanwhile."""
RELAUNCHES = 2
"""How often a task that never came up is started again by itself: what passes has passed by then."""
FRESH_SECONDS = 1.0
"""So long what RunTask has answered is as good as a look: ECS takes seconds to bring a container up."""
TAIL_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class _Started:
    """A task as RunTask answered."""

    task: status.Task
    at: float
    """When that was, on this process's monotonic clock."""


class EcsLauncher:
    """Launches in the cluster of one environment.

    Args:
        environment: the environment, of a kind whose runs are tasks.
        access: where AWS is, and who asks.
        ecs: client of ECS.
        logs: client of CloudWatch Logs.
    """

    def __init__(self, environment: Environment, access: Access, *, ecs: Client, logs: Client) -> None:
        section = environment.on_ecs
        assert section is not None  # noqa: S101 the contract demands the section of the kind
        self._environment = environment
        self._section = section
        self._ecs, self._logs = ecs, logs
        self._content = Content(access, section.bucket)
        self._finder = Finder(ecs, logs, environment)
        self._starter = Starter(ecs, self._finder)
        self._watcher = Watcher(Client(access, "ecs", budget_seconds=FOLLOW_BUDGET_SECONDS), section.cluster_arn)
        self._patient_logs = Client(access, "logs", budget_seconds=FOLLOW_BUDGET_SECONDS)
        self._removal = Removal(
            environment,
            ecs=ecs,
            secrets=cache(lambda: Client(access, "secretsmanager", budget_seconds=ecs.budget_seconds)),
            finder=self._finder,
            watcher=self._watcher,
        )
        self._started: dict[str, _Started] = {}
        """What runs were started here as that are not followed yet: nobody needs to look for them."""

    def submit(
        self,
        environment: Environment,
        request: RunRequest,
        *,
        bundle: bytes | None = None,
        notice: Callable[[str], object] = lambda _: None,
    ) -> bool:
        """See `Launcher.submit`."""
        return self._submit(environment, request, bundle, notice, retries=0)

    def retry(self, run_id: str) -> int:
        """See `Launcher.retry`."""
        outcome = self.find(run_id).outcome
        if not outcome.state.ended:
            raise UsageError(
                f"The run {run_id} has not ended. Follow it with `penstock logs -f {run_id}`, or cancel it."
            )
        last = self._finder.task(run_id)
        if last is None:
            raise UsageError(
                f"ECS has forgotten how {run_id} was started. Run it from your files: penstock run {outcome.flow}"
            )
        return self._next(last, lambda _: None, retries=0)

    def follow(
        self,
        run_id: str,
        write: Callable[[bytes], object],
        *,
        skip: int = 0,
        notice: Callable[[str], object] = lambda _: None,
        dashboard: bool = False,
    ) -> Outcome:
        """See `Launcher.follow`."""
        if dashboard:
            raise refused(run_id, self._environment, self._task(run_id))
        return self._follow(run_id, write, skip, notice, lambda _: None)

    def _follow(
        self,
        run_id: str,
        write: Callable[[bytes], object],
        skip: int,
        notice: Callable[[str], object],
        begin: Callable[[status.Task], object],
    ) -> Outcome:
        """Follow to the end; `begin` is called with the task of each attempt that is followed."""
        started = self._started.pop(run_id, None)
        current = self._finder.task(run_id) if started is None else started.task
        if current is None:
            return self.find(run_id).outcome
        relaunches = 0
        while True:
            begin(current)
            end, passed_on = self._followed(current, write, notice, skip)
            skip = max(0, skip - passed_on)
            outcome = end.outcome
            if end.lost:
                for sentence in self._removal.of_run(current):
                    notice(sentence)
            if end.record is not None:
                outcome = files.kept(outcome, end.record, self._content, notice)
            retries = int(task.tag(current, names.RETRIES) or 0)
            if end.startable and relaunches < RELAUNCHES:
                relaunches += 1
            elif not self._is_retried(outcome, retries):
                return outcome
            else:
                retries += outcome.failure is not None and outcome.failure.failure_class is not FailureClass.PREEMPTED
            said = outcome.failure
            notice(
                f"{run_id} ended{f' ({said.failure_class}: {said.evidence or said.message})' if said else ''}, "
                f"and is started again as attempt {outcome.attempt + 1}."
            )
            try:
                self._next(current, notice, retries=retries)
            except NotStartedError as error:
                return replace(outcome, failure=error.failure)
            current = self._started.pop(run_id).task

    def log(self, run_id: str, *, tail: int | None = None, attempt: int | None = None) -> bytes:
        """See `Launcher.log`."""
        if tail == 0:
            return b""
        number, stream = self._place(run_id, attempt)
        splitter = Splitter(run_id, number)
        if tail is None:
            reader = tasklog.TaskLog(self._logs, self._section.log_group, stream)
            return b"".join(splitter.feed(data) for data in reader.read()) + splitter.rest()
        size = TAIL_BYTES
        while True:
            data, whole = self._end_of(stream, size)
            splitter = Splitter(run_id, number)
            lines = (splitter.feed(data) + splitter.rest()).splitlines(keepends=True)
            if whole or len(lines) > tail:  # the first of them may be the end of a long one
                return b"".join(lines[max(0, len(lines) - tail) :])
            size *= 4

    def worker_log(self, run_id: str, *, attempt: int | None = None) -> bytes:
        """See `Launcher.worker_log`."""
        outcome = self.find(run_id, attempt=attempt).outcome
        streams = self._streams_of_workers(run_id)
        number, stream = self._place(run_id, attempt)
        owner = stream.rpartition("/")[2]
        found = streams.read(workers.Attempt(run_id=run_id, number=number, owner=owner))
        if not found and outcome.state.ended:
            raise UsageError(
                f"Nothing that workers of {run_id} printed is there. It had none, they printed nothing, or that is "
                "older than the log group keeps it."
            )
        return found

    def follow_workers(self, run_id: str, write: Callable[[bytes], object]) -> Outcome:
        """See `Launcher.follow_workers`."""
        outcome = self.find(run_id).outcome
        if outcome.state.ended:
            write(self.worker_log(run_id))
            return outcome
        following = workers.Following(self._streams_of_workers(run_id), write)

        def begin(current: status.Task) -> None:
            number, owner = task.attempt_of(current), names.task_id(str(current["taskArn"]))
            following.begin(workers.Attempt(run_id=run_id, number=number, owner=owner))

        with following:
            outcome = self._follow(run_id, lambda _: None, 0, lambda _: None, begin)
        if following.error is not None:
            raise following.error
        return outcome

    def stop(self, run_id: str, *, interrupt: bool = False) -> None:
        """See `Launcher.stop`. ECS has one way to stop a container, so `interrupt` is only noted."""
        found = self._task(run_id)
        if found is None:
            self._finder.recorded(run_id)
            return
        if status.has_stopped(found):
            return
        reason = names.INTERRUPTED if interrupt else names.CANCELLED
        self._ecs.call("StopTask", cluster=self._section.cluster_arn, task=found["taskArn"], reason=reason)

    def find(self, run_id: str, *, attempt: int | None = None) -> RunRecord:
        """See `Launcher.find`."""
        found = self._task(run_id, attempt)
        if found is None:
            return self._whole(self._finder.recorded(run_id, attempt))
        record = self._record_of(found) if status.has_started(found) else None
        outcome = status.standing(found, self._environment, None if record is None else record.outcome)
        if record is not None and record.outcome.state.ended:
            outcome = files.kept(outcome, record, self._content)
        return RunRecord(outcome=outcome, accepted_at=task.accepted_at(found))

    def runs(self) -> Iterator[RunRecord]:
        """See `Launcher.runs`."""
        retention = self._environment.retention
        since = time.time() - max(retention.succeeded_seconds, retention.failed_seconds)
        records = self._finder.records(since=max(0.0, since))
        tasks = {(task.tag(item, names.RUN_ID), task.attempt_of(item)): item for item in self._finder.tasks()}
        newest: dict[str, int] = {}
        for run_id, attempt in (*records, *tasks):
            newest[run_id] = max(attempt, newest.get(run_id, 0))
        for key in newest.items():
            found, recorded = tasks.get(key), records.get(key)
            if found is None:
                assert recorded is not None  # noqa: S101 every key is from one of both
                yield _remembered(recorded)
            else:
                record = None if recorded is None else recorded.outcome
                outcome = status.standing(found, self._environment, record)
                yield RunRecord(outcome=outcome, accepted_at=task.accepted_at(found))

    def collect(self, *, dry_run: bool) -> Collected:
        """See `Launcher.collect`. ECS and the bucket forget by themselves; what stays are the logs."""
        return collection.collect(
            self._environment,
            self._ecs,
            self._logs,
            finder=self._finder,
            removal=self._removal,
            runs=list(self.runs()),
            dry_run=dry_run,
        )

    def _task(self, run_id: str, attempt: int | None = None) -> status.Task | None:
        """The task of an attempt; null where ECS knows of none."""
        started = self._started.get(run_id) if attempt is None else None
        if started is None:
            return self._finder.task(run_id, attempt)
        if time.monotonic() < started.at + FRESH_SECONDS:
            return started.task
        # What ECS lists may lag behind what it has started.
        return self._finder.task(run_id) or started.task

    def _submit(
        self,
        environment: Environment,
        asked: RunRequest,
        bundle: bytes | None,
        notice: Callable[[str], object],
        *,
        retries: int,
    ) -> bool:
        call = task.render(environment, asked, bundle=bundle, retries=retries)
        self._content.ensure(call.objects)
        found, is_new = self._starter.start(environment, asked, call, notice)
        # RunTask does not always give the tags back that it was given.
        tagged = {**found, "tags": found.get("tags") or call.parameters["tags"]}
        self._started[asked.run_id] = _Started(task=tagged, at=time.monotonic())
        return is_new

    def _next(self, last: status.Task, notice: Callable[[str], object], *, retries: int) -> int:
        """Start the attempt after this one, once its task has stopped; the result is its number."""
        if await_all(self._watcher, [last], status.has_stopped):
            raise UnavailableError(
                f"The last attempt's task has not stopped within {STOP_SECONDS:g} s. "
                "Try again when ECS says that it has."
            )
        self._removal.await_ended(last)
        asked = task.request_of(last)
        if asked is None:
            data = self._content.read(task.request_key_of(last) or "")
            asked = request.read(data, warn=lambda _: None)
        asked = replace(asked, attempt=task.attempt_of(last) + 1, accepted_at=time.time())
        self._submit(self._environment, asked, task.bundle_of(last), notice, retries=retries)
        return asked.attempt

    def _followed(
        self, current: status.Task, write: Callable[[bytes], object], notice: Callable[[str], object], skip: int
    ) -> tuple[End, int]:
        platform = Platform(
            ecs=self._ecs,
            logs=self._patient_logs,
            watcher=self._watcher,
            environment=task.environment_of(current, self._environment),
            section=self._section,
        )
        following = Following(platform, current, write=write, notice=notice, skip=skip)
        try:
            end = following.to_end()
        except Unreachable as error:
            run_id = task.tag(current, names.RUN_ID)
            raise UnavailableError(f"{error} The run goes on: penstock logs -f {run_id}") from None
        failure = end.outcome.failure
        if failure is not None and failure.failure_class is FailureClass.CONFIG:
            self._content.forget()
        return end, following.passed_on

    def _is_retried(self, outcome: Outcome, retries: int) -> bool:
        if outcome.state is not State.FAILED or outcome.failure is None:
            return False
        policy = self._environment.failure_policy
        if outcome.failure.failure_class is FailureClass.PREEMPTED:
            return policy.preempted is Action.RETRY
        actions = {FailureClass.FLOW: policy.flow, FailureClass.CRASH: policy.crash, FailureClass.OOM: policy.oom}
        return actions.get(outcome.failure.failure_class) is Action.RETRY and retries < policy.retries

    def _place(self, run_id: str, attempt: int | None) -> tuple[int, str]:
        """Number of an attempt, and name of its log stream."""
        found = self._finder.task(run_id, attempt)
        if found is not None:
            return task.attempt_of(found), names.stream(self._section, str(found["taskArn"]))
        recorded = self._finder.recorded(run_id, attempt)
        return recorded.outcome.attempt, recorded.stream

    def _end_of(self, stream: str, size: int) -> tuple[bytes, bool]:
        """The end of a log, and whether that is all of it."""
        try:
            data = tasklog.last(self._logs, self._section.log_group, stream, at_least=size)
        except NotFound as error:
            if "group" in error.message:
                raise no_log_group(self._section.log_group) from None
            return b"", True
        return data, len(data) < size

    def _whole(self, recorded: Recorded) -> RunRecord:
        """A run that ECS has forgotten, with its files; what a search finds of it may be a short record."""
        found = _remembered(recorded)
        if not (found.outcome.state.ended and found.outcome.artifacts):
            return found
        record = self._record_in(recorded.stream, found.outcome.run_id, found.outcome.attempt)
        if record is None:
            return found
        return replace(found, outcome=files.kept(record.outcome, record, self._content))

    def _streams_of_workers(self, run_id: str) -> workers.Streams:
        if self._environment.dask_cloud_provider is None:
            raise UsageError(
                f"The run {run_id} has no workers of its own. Its log is the whole: penstock logs {run_id}"
            )
        return workers.Streams(self._finder, self._logs, self._section)

    def _record_of(self, found: status.Task) -> Record | None:
        """What the runner of a task has recorded last."""
        stream = names.stream(self._section, str(found["taskArn"]))
        return self._record_in(stream, task.tag(found, names.RUN_ID), task.attempt_of(found))

    def _record_in(self, stream: str, run_id: str, attempt: int) -> Record | None:
        """The last record in a log."""
        size = TAIL_BYTES
        while True:
            data, whole = self._end_of(stream, size)
            splitter = Splitter(run_id, attempt)
            splitter.feed(data)
            if splitter.record is not None or whole:
                return splitter.record
            size *= 4


def _remembered(recorded: Recorded) -> RunRecord:
    """A run that ECS has forgotten: one whose log does not say how it ended was not able to."""
    outcome = recorded.outcome
    if not outcome.state.ended:
        outcome = replace(outcome, state=State.UNKNOWN)
    return RunRecord(outcome=outcome, accepted_at=recorded.accepted_at)
