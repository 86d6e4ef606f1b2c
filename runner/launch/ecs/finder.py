"""Finds the runs of an environment: their tasks, for as long as ECS remembers them, and the records in their logs."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner import request
from runner.aws.client import Client
from runner.aws.errors import NotFound, Refused
from runner.ecs.watcher import MOST_TASKS
from runner.environment import Environment
from runner.errors import UnavailableError, UsageError
from runner.launch.ecs import names, tasklog
from runner.launch.ecs.task import attempt_of, tag
from runner.outcome import Outcome
from runner.sections import DaskCloudProvider
from runner.trailer import RECORD_SEPARATOR, Splitter

Task = Mapping[str, Any]

RECORD = re.compile(rf"{RECORD_SEPARATOR}penstock ({request.RUN_ID})/([0-9]+) ".encode())


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What the log of an attempt says of it."""

    outcome: Outcome
    stream: str
    """Name of the log stream."""
    accepted_at: float
    """When the attempt was accepted, in seconds since 1970."""


class Finder:
    """Looks in the cluster and the log group of one environment.

    Args:
        ecs: client of ECS.
        logs: client of CloudWatch Logs.
        environment: the environment, of a kind whose runs are tasks.
    """

    def __init__(self, ecs: Client, logs: Client, environment: Environment) -> None:
        section = environment.on_ecs
        assert section is not None  # noqa: S101 the contract demands the section of the kind
        self._ecs, self._logs = ecs, logs
        self._section = section
        self._environment = environment.name

    def task(self, run_id: str, attempt: int | None = None) -> Task | None:
        """The task of an attempt, of the last one if not said otherwise; null where ECS knows of none."""
        found = self.tasks(run_id)
        if attempt is not None:
            found = [item for item in found if attempt_of(item) == attempt]
        return found[-1] if found else None

    def tasks(self, run_id: str | None = None) -> list[Task]:
        """The tasks of a run, or of all, by attempt."""
        if run_id is not None and re.fullmatch(request.RUN_ID, run_id) is None:
            return []
        found = [task for task in self.described(self._arns_of(run_id)) if self._is_ours(task, run_id)]
        return sorted(found, key=lambda task: (tag(task, names.RUN_ID), attempt_of(task)))

    def started_by(self, owner: str) -> list[Task]:
        """The tasks that a run's own task has started, in any state: its workers, and a scheduler of its own.

        Args:
            owner: id of the run's task.
        """
        try:
            arns = self._in_any_state(startedBy=owner)
        except Refused:
            arns = [arn for family in self._families_of_workers() for arn in self._in_any_state(family=family)]
        return [task for task in self.described(arns) if task.get("startedBy") == owner and self._is_ours(task, None)]

    def workers(self) -> list[Task]:
        """The tasks of all runs' workers, and schedulers of their own, that are to run."""
        arns = [
            arn for family in self._families_of_workers() for arn in self._arns(desiredStatus="RUNNING", family=family)
        ]
        return [task for task in self.described(arns) if self._is_ours(task, None)]

    def described(self, arns: list[str]) -> Iterator[Task]:
        """Tasks by their ARNs, without those that ECS knows nothing of any more."""
        for start in range(0, len(arns), MOST_TASKS):
            part = arns[start : start + MOST_TASKS]
            answer = self._ecs.call("DescribeTasks", cluster=self._section.cluster_arn, tasks=part, include=["TAGS"])
            yield from answer.get("tasks", [])

    def records(self, run_id: str | None = None, *, since: float = 0.0) -> dict[tuple[str, int], Recorded]:
        """What the logs say of a run's attempts, or of all, by run and attempt: the last record of each.

        Args:
            run_id: the run; null for all.
            since: no records of before, in seconds since 1970.

        Raises:
            UnavailableError: there is no such log group, or it cannot be read.
        """
        phrase = "penstock " if run_id is None else f"penstock {run_id}/"
        found: dict[tuple[str, int], tuple[float, Recorded]] = {}
        try:
            lines = tasklog.search(
                self._logs, self._section.log_group, phrase, streams=names.streams(self._section), since=since
            )
            for line in lines:
                item = self._recorded(line)
                if item is None or item.outcome.environment != self._environment:
                    continue
                key = (item.outcome.run_id, item.outcome.attempt)
                before = found.get(key)
                if before is None or (item.outcome.state.ended, line.at) >= (before[1].outcome.state.ended, before[0]):
                    found[key] = (line.at, item)
        except NotFound:
            raise no_log_group(self._section.log_group) from None
        return {key: item for key, (_, item) in found.items()}

    def recorded(self, run_id: str, attempt: int | None = None) -> Recorded:
        """What the logs say of an attempt that ECS has forgotten, of the last one if not said otherwise.

        Raises:
            UsageError: there is no such run, or attempt.
        """
        legal = re.fullmatch(request.RUN_ID, run_id) is not None
        found = (
            {number: item for (name, number), item in self.records(run_id).items() if name == run_id} if legal else {}
        )
        if not found:
            raise UsageError(
                f"There is no run {run_id!r} in {self._environment}. `penstock ls` lists those that there are."
            )
        if attempt is not None and attempt not in found:
            raise UsageError(f"The run {run_id} has no attempt {attempt}. It has had {max(found)}.")
        return found[max(found) if attempt is None else attempt]

    def _families_of_workers(self) -> list[str]:
        section = self._section
        if not isinstance(section, DaskCloudProvider):
            return []
        definitions = (section.worker_task_definition_arn, section.scheduler_task_definition_arn)
        return [_family(arn) for arn in definitions if arn is not None]

    def _arns_of(self, run_id: str | None) -> list[str]:
        if run_id is not None:
            # ECS' guide says that `startedBy` must be the only filter; where that holds, the family is asked for.
            with contextlib.suppress(Refused):
                return self._in_any_state(startedBy=run_id)
        return self._in_any_state(family=_family(self._section.task_definition_arn))

    def _in_any_state(self, **which: str) -> list[str]:
        arns = (arn for status in ("RUNNING", "STOPPED") for arn in self._arns(desiredStatus=status, **which))
        return list(dict.fromkeys(arns))

    def _is_ours(self, task: Task, run_id: str | None) -> bool:
        of_run = run_id is None or tag(task, names.RUN_ID) == run_id
        return of_run and tag(task, names.ENVIRONMENT) == self._environment

    def _arns(self, **which: str) -> Iterator[str]:
        token: str | None = None
        while True:
            page = self._ecs.call("ListTasks", cluster=self._section.cluster_arn, nextToken=token, **which)
            yield from page.get("taskArns", [])
            token = page.get("nextToken")
            if not token:
                return

    @staticmethod
    def _recorded(line: tasklog.Line) -> Recorded | None:
        mark = RECORD.search(line.data)
        if mark is None:
            return None
        splitter = Splitter(mark[1].decode(), int(mark[3]))
        splitter.feed(line.data)
        if splitter.record is None:
            return None
        outcome = splitter.record.outcome
        since_accepted = max(outcome.ledger.values(), default=0.0)
        return Recorded(outcome=outcome, stream=line.stream, accepted_at=line.at - since_accepted)


def _family(definition: str) -> str:
    """The family of a task definition, by its ARN."""
    return definition.rpartition("/")[2].rpartition(":")[0]


def no_log_group(name: str) -> UnavailableError:
    """The log group is not there."""
    return UnavailableError(
        f"There is no log group {name!r}, which runs write to. Make it again with `pulumi up --refresh`."
    )
