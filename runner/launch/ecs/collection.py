"""What `penstock gc` removes of an environment on ECS: logs that are due, and what is up though it should not be."""

import contextlib
import time
from collections.abc import Iterable

from runner.aws.client import Client
from runner.aws.errors import NotFound
from runner.environment import Environment
from runner.launch import artifacts
from runner.launch.base import Collected, RunRecord
from runner.launch.ecs import names, status, task, workers
from runner.launch.ecs.finder import Finder
from runner.launch.ecs.removal import Removal
from runner.outcome import State


def collect(
    environment: Environment,
    ecs: Client,
    logs: Client,
    *,
    finder: Finder,
    removal: Removal,
    runs: Iterable[RunRecord],
    dry_run: bool,
) -> Collected:
    """Remove logs of runs that ended longer ago than their retention, and what is left of runs otherwise.

    Tasks whose start is overdue are stopped, and so are workers whose run has ended; their keys are deleted.

    Args:
        environment: where they ran.
        ecs: client of ECS.
        logs: client of CloudWatch Logs.
        finder: finds them.
        removal: removes what runs started and could not remove themselves.
        runs: all of them.
        dry_run: only tell what would be removed.
    """
    section = environment.on_ecs
    assert section is not None  # noqa: S101 the contract demands the section of the kind
    known = list(runs)
    due = {record.outcome.run_id for record in known if _is_due(record, environment)}
    streams = [item.stream for (run_id, _), item in finder.records().items() if run_id in due]
    if due and environment.dask_cloud_provider is not None:
        streams += [stream for stream, run_id in workers.marked_streams(logs, section) if run_id in due]
    stuck = [item for item in finder.tasks() if _is_stuck(item, environment)]
    left = removal.found()
    if not dry_run:
        for stream in dict.fromkeys(streams):
            with contextlib.suppress(NotFound):
                logs.call("DeleteLogStream", logGroupName=section.log_group, logStreamName=stream)
        for item in stuck:
            ecs.call("StopTask", cluster=section.cluster_arn, task=item["taskArn"], reason=names.NEVER_STARTED)
        left = removal.remove(left)
        for run_id in due:
            artifacts.remove(run_id)
    return Collected(
        runs=tuple(sorted(due)),
        leftovers=(*(names.task_id(str(item["taskArn"])) for item in stuck), *left.tasks, *left.secrets),
        kept=len(known) - len(due),
        troubles=left.troubles,
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
