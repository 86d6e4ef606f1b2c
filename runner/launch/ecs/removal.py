"""Removes what runs started that could not remove it themselves: tasks of workers, and the secrets with their keys.

A run's process does that at its end, and a container beside it when that process is lost. This is for when both are:
the machine was. Nothing of a run whose own task is up is ever touched.
"""

import contextlib
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from runner.aws.client import Client
from runner.aws.errors import NotFound
from runner.ecs.watcher import MOST_TASKS, Watcher
from runner.environment import Environment
from runner.errors import PenstockError, UnavailableError
from runner.launch.ecs import names, status
from runner.launch.ecs.finder import Finder
from runner.launch.ecs.task import tag
from runner.sections import DaskCloudProvider

STOP_SECONDS = 180.0
"""How long a task may take to stop: its `stopTimeout` is at most 120 s."""
TASK_ID = re.compile(r"[0-9a-f]{32}")
"""The last part of a task's ARN."""
OVER = {"DEPROVISIONING", "STOPPED"}
"""States in which no container of a task is up any more."""
MISSING = "MISSING"
"""Why ECS does not describe a task that it knows nothing of."""


def has_ended(task: status.Task) -> bool:
    """Whether no container of the task is up any more, or ever will be."""
    return task.get("lastStatus") in OVER


def await_all(watcher: Watcher, tasks: Iterable[status.Task], is_over: Callable[[status.Task], bool]) -> list[str]:
    """Wait until all of these tasks are; the result is the ids of those that are not after as long as it may take."""
    deadline = time.monotonic() + STOP_SECONDS
    with contextlib.ExitStack() as stack:
        up = [stack.enter_context(watcher.watch(str(each["taskArn"]))) for each in tasks if not is_over(each)]
        while up and time.monotonic() < deadline:
            up[0].wait(1.0)
            up = [each for each in up if not (each.missing or (each.task is not None and is_over(each.task)))]
        return [names.task_id(each.arn) for each in up]


@dataclass(frozen=True, kw_only=True)
class Left:
    """What is there without a run."""

    tasks: tuple[str, ...] = ()
    """Ids of tasks that go on."""
    secrets: tuple[str, ...] = ()
    """Names of secrets."""
    troubles: tuple[str, ...] = ()
    """What could not be looked for, or removed, in sentences."""


class Removal:
    """Looks after one environment; where its runs have no workers as tasks, there is never anything to remove.

    Args:
        environment: the environment.
        ecs: client of ECS.
        secrets: makes the client of Secrets Manager.
        finder: finds tasks.
        watcher: asks how they stand.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        ecs: Client,
        secrets: Callable[[], Client],
        finder: Finder,
        watcher: Watcher,
    ) -> None:
        self._environment = environment.name
        self._section = environment.dask_cloud_provider
        self._ecs, self._secrets = ecs, secrets
        self._finder, self._watcher = finder, watcher

    def of_run(self, last: status.Task) -> tuple[str, ...]:
        """Remove what a task has left that has stopped; the result is what could not be, in sentences."""
        if self._section is None:
            return ()
        owner = names.task_id(str(last["taskArn"]))
        try:
            going_on = [each for each in self._finder.started_by(owner) if _is_to_run(each)]
        except PenstockError as error:
            run_id = tag(last, names.RUN_ID)
            return (f"Tasks of workers that {run_id} may have left are not looked for. {error}",)
        prefix = self._section.secrets_prefix
        tasks = tuple(names.task_id(str(each["taskArn"])) for each in going_on)
        return self.remove(Left(tasks=tasks, secrets=() if prefix is None else (f"{prefix}{owner}",))).troubles

    def await_ended(self, last: status.Task) -> None:
        """Have the workers of a task end that has stopped, and wait for that.

        Raises:
            UnavailableError: one has not.
        """
        if self._section is None:
            return
        troubles = self.of_run(last)
        owner = names.task_id(str(last["taskArn"]))
        left = await_all(self._watcher, self._finder.started_by(owner), has_ended)
        if left:
            raise UnavailableError(
                f"{len(left)} workers of the last attempt have not stopped within {STOP_SECONDS:g} s, {left[0]} for "
                f"one. {' '.join(troubles) or 'Try again when ECS says that they have.'}"
            )

    def found(self) -> Left:
        """All that is there of runs whose task has stopped, or is not known to ECS any more."""
        if self._section is None:
            return Left()
        troubles: list[str] = []
        try:
            secrets = self._secrets_by_owner(self._section)
        except PenstockError as error:
            secrets = {}
            troubles.append(f"Secrets with the keys of runs that have ended are not looked for. {error}")
        workers = [each for each in self._finder.workers() if TASK_ID.fullmatch(str(each.get("startedBy")))]
        over = self._stopped({each["startedBy"] for each in workers} | secrets.keys())
        return Left(
            tasks=tuple(sorted(names.task_id(each["taskArn"]) for each in workers if each["startedBy"] in over)),
            secrets=tuple(sorted(name for owner, name in secrets.items() if owner in over)),
            troubles=tuple(troubles),
        )

    def remove(self, left: Left) -> Left:
        """Remove it; the result is what is removed now, and what could not be."""
        troubles = list(left.troubles)
        tasks = self._removed(left.tasks, self._stop, "Tasks of workers whose run has ended go on", troubles)
        secrets = self._removed(left.secrets, self._delete, "Secrets with keys of runs that have ended stay", troubles)
        return Left(tasks=tasks, secrets=secrets, troubles=tuple(troubles))

    @staticmethod
    def _removed(
        wanted: tuple[str, ...], remove: Callable[[str], object], words: str, troubles: list[str]
    ) -> tuple[str, ...]:
        for index, name in enumerate(wanted):
            try:
                remove(name)
            except PenstockError as error:  # what keeps one of them keeps the others
                troubles.append(f"{words}, {name} for one. {error}")
                return wanted[:index]
        return wanted

    def _stop(self, task_id: str) -> None:
        assert self._section is not None  # noqa: S101 nothing is found without
        self._ecs.call("StopTask", cluster=self._section.cluster_arn, task=task_id, reason=names.RUN_ENDED)

    def _delete(self, name: str) -> None:
        with contextlib.suppress(NotFound):
            self._secrets().call("DeleteSecret", SecretId=name, ForceDeleteWithoutRecovery=True)

    def _secrets_by_owner(self, section: DaskCloudProvider) -> dict[str, str]:
        """The environment's secrets of runs, by the ids of the tasks that have made them."""
        prefix = section.secrets_prefix
        if prefix is None:
            return {}
        found: dict[str, str] = {}
        token: str | None = None
        while True:
            filters = [{"Key": "name", "Values": [prefix]}]
            page = self._secrets().call("ListSecrets", Filters=filters, MaxResults=100, NextToken=token)
            for item in page.get("SecretList", []):
                tags = {each["Key"]: each["Value"] for each in item.get("Tags", [])}
                name = str(item["Name"])
                is_ours = name.startswith(prefix) and tags.get(names.ENVIRONMENT) == self._environment
                if is_ours and TASK_ID.fullmatch(owner := name.removeprefix(prefix)):
                    found[owner] = name
            token = page.get("NextToken")
            if not token:
                return found

    def _stopped(self, ids: set[str]) -> set[str]:
        """Those of these tasks that have stopped, or that ECS knows nothing of."""
        assert self._section is not None  # noqa: S101 nothing is found without
        asked, over = sorted(ids), set[str]()
        for start in range(0, len(asked), MOST_TASKS):
            part = asked[start : start + MOST_TASKS]
            answer = self._ecs.call("DescribeTasks", cluster=self._section.cluster_arn, tasks=part)
            stopped = [each["taskArn"] for each in answer.get("tasks", []) if status.has_stopped(each)]
            missing = [each["arn"] for each in answer.get("failures", []) if each.get("reason") == MISSING]
            over |= {names.task_id(arn) for arn in (*stopped, *missing)}
        return over


def _is_to_run(task: status.Task) -> bool:
    return not has_ended(task) and task.get("desiredStatus") != "STOPPED"
