"""Starts tasks: once for each attempt, and as soon as there is room."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from runner import request
from runner.aws.client import Client
from runner.aws.errors import ApiError, Conflict, NotFound
from runner.ecs import starting
from runner.environment import Environment
from runner.errors import UnavailableError, UsageError
from runner.launch.base import NotStartedError
from runner.launch.ecs import names
from runner.launch.ecs.finder import Finder
from runner.launch.ecs.task import Call, tag
from runner.outcome import Failure
from runner.request import RunRequest
from runner.trouble import Trouble

WAIT_SECONDS = 2.0
"""Shortest pause before RunTask is asked again for room; it grows to 30 s."""
LONGEST_WAIT_SECONDS = 30.0
INACTIVE = ("inactive", "TaskDefinition not found", "Unable to describe task definition")

Task = Mapping[str, Any]


class Starter:
    """Starts the attempts of one environment.

    Args:
        ecs: client of ECS.
        finder: finds what was started before.
    """

    def __init__(self, ecs: Client, finder: Finder) -> None:
        self._ecs = ecs
        self._finder = finder

    def start(
        self, environment: Environment, asked: RunRequest, call: Call, notice: Callable[[str], object]
    ) -> tuple[Task, bool]:
        """The task of an attempt, and whether it was started now rather than by an earlier call.

        Args:
            environment: where it is to run.
            asked: what is to run.
            call: the rendered call.
            notice: called with a sentence about what it waits for.

        Raises:
            UsageError: a run of this id exists with another request.
            NotStartedError: there was no room until the queue's clock was over.
            UnavailableError: AWS does not take it.
        """
        began = time.monotonic()
        told: Failure | None = None
        backoff = WAIT_SECONDS
        while True:
            trouble = None
            try:
                answer = self._ecs.call("RunTask", **call.parameters)
            except Conflict:
                return self._there_already(environment, asked)
            except ApiError as error:
                trouble = self._trouble_of(environment, error)
            else:
                if answer.get("tasks"):
                    return answer["tasks"][0], True
                trouble = starting.of_failure((answer.get("failures") or [{}])[0])
            if trouble.fatal:
                raise NotStartedError(trouble.failure)
            if told is None or told.failure_class != trouble.failure.failure_class:
                told = trouble.failure
                notice(f"{asked.run_id} is queued({told.failure_class}): {told.message}")
            backoff = self._wait(environment, began, backoff, trouble)

    @staticmethod
    def _wait(environment: Environment, began: float, backoff: float, trouble: Trouble) -> float:
        """Wait for room; the result is the next pause."""
        limit = environment.timeouts.queue_seconds
        pause = backoff
        if limit is not None:
            left = began + limit - time.monotonic()
            if left <= 0:
                raise NotStartedError(starting.not_started(clock="queue", seconds=limit, last=trouble.failure))
            pause = min(pause, left)
        time.sleep(pause)
        return min(LONGEST_WAIT_SECONDS, backoff * 1.5)

    def _there_already(self, environment: Environment, asked: RunRequest) -> tuple[Task, bool]:
        """The task that was started by this token with other parameters."""
        found = self._finder.task(asked.run_id, asked.attempt)
        if found is None:
            raise UsageError(
                f"A run {asked.run_id!r} has been in {environment.name} before. "
                "Choose another --run-id, or leave it out for a new one."
            )
        if tag(found, names.REQUEST) != request.fingerprint(asked):
            raise UsageError(
                f"A run {asked.run_id!r} exists already, with another flow or other parameters or options. "
                "Choose another --run-id, or leave it out for a new one."
            )
        return found, False

    @staticmethod
    def _trouble_of(environment: Environment, error: ApiError) -> Trouble:
        section = environment.on_ecs
        assert section is not None  # noqa: S101 the contract demands the section of the kind
        if starting.QUOTA.search(error.message):
            return starting.of_quota(error.message)
        if isinstance(error, NotFound):
            raise UnavailableError(
                f"There is no cluster {section.cluster_arn} for these credentials in {section.region}. "
                "Choose the account with --profile, or provision the environment with `pulumi up`."
            ) from None
        if any(word in error.message for word in INACTIVE):
            raise UnavailableError(
                f"The task definition {section.task_definition_arn} is not in use any more: the stack has been changed "
                f"since. Get the new document: penstock env pull --ssm {environment.name}"
            ) from None
        raise error
