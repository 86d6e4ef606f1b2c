"""What `penstock gc` removes of an environment on ECS: logs of runs that are due, and tasks that never came up."""

import contextlib
import time
from collections.abc import Iterable

from runner.aws.client import Client
from runner.aws.errors import NotFound
from runner.environment import Environment
from runner.launch import artifacts
from runner.launch.base import Collected, RunRecord
from runner.launch.ecs import names, status, task
from runner.launch.ecs.finder import Finder
from runner.outcome import State


def collect(
    environment: Environment,
    ecs: Client,
    logs: Client,
    *,
    finder: Finder,
    runs: Iterable[RunRecord],
    dry_run: bool,
) -> Collected:
    """Remove the logs of runs that ended longer ago than their retention, and stop tasks whose start is overdue.

    Args:
        environment: where they ran.
        ecs: client of ECS.
        logs: client of CloudWatch Logs.
        finder: finds them.
        runs: all of them.
        dry_run: only tell what would be removed.
    """
    section = environment.on_ecs
    assert section is not None  # noqa: S101 the contract demands the section of the kind
    known = list(runs)
    due = {record.outcome.run_id for record in known if _is_due(record, environment)}
    streams = [(run_id, item.stream) for (run_id, _), item in finder.records().items() if run_id in due]
    stuck = [item for item in finder.tasks() if _is_stuck(item, environment)]
    if not dry_run:
        for _, stream in streams:
            with contextlib.suppress(NotFound):
                logs.call("DeleteLogStream", logGroupName=section.log_group, logStreamName=stream)
        for item in stuck:
            ecs.call("StopTask", cluster=section.cluster_arn, task=item["taskArn"], reason=names.NEVER_STARTED)
        for run_id in due:
            artifacts.remove(run_id)
    return Collected(
        runs=tuple(sorted(due)),
        leftovers=tuple(names.task_id(str(item["taskArn"])) for item in stuck),
        kept=len(known) - len(due),
    )


def _is_due(record: RunRecord, environment: Environment) -> bool:
    outcome, retention = record.outcome, environment.retention
    if not outcome.state.ended and outcome.state is not State.UNKNOWN:
        return False
    limit = retention.succeeded_seconds if outcome.state is State.SUCCEEDED else retention.failed_seconds
    return time.time() - record.accepted_at - outcome.ledger.get("finished", 0.0) > limit


def _is_stuck(item: status.Task, environment: Environment) -> bool:
    """Whether a task should have started long ago, which nobody minds when nobody follows it."""
    limit = environment.timeouts.start_seconds
    waiting = not status.has_started(item) and not status.has_stopped(item)
    return limit is not None and waiting and time.time() > task.accepted_at(item) + limit
