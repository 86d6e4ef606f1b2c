"""How a run stands, from its task and the record in its log. Pure functions of the API's objects.

The run's end is what its runner recorded, unless the platform took the task away, or killed it before that.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runner.ecs import starting
from runner.environment import Environment
from runner.launch.ecs import names
from runner.launch.ecs.task import attempt_of, request_of, tag
from runner.outcome import ExitCode, Failure, FailureClass, Outcome, State
from runner.sections import FLOW_CONTAINER

Task = Mapping[str, Any]

AGAIN = "It is safe to start it again with `penstock retry`."
PREEMPTED_CODES = {"SpotInterruption", "TerminationNotice", "ServiceSchedulerInitiated"}
PREEMPTED = re.compile(
    r"Spot Task was interrupted|underlying infrastructure|Host EC2 .*(terminated|stopped)|instance .*(terminated|"
    r"deregistered|draining)|(agent|host|instance) .*(disconnected|lost)|has been retired|task.*maintenance",
    re.IGNORECASE,
)
OOM = re.compile(r"OutOfMemory", re.IGNORECASE)


def blank(task: Task, environment: Environment) -> Outcome:
    """The outcome of a run of which nothing is known but its task."""
    asked = request_of(task)
    return Outcome(
        run_id=tag(task, names.RUN_ID),
        attempt=attempt_of(task),
        environment=environment.name,
        kind=environment.kind,
        flow=None if asked is None else asked.flow,
        state=State.QUEUED,
    )


def standing(task: Task, environment: Environment, record: Outcome | None = None) -> Outcome:
    """How the run stands.

    Args:
        task: the task as ECS describes it.
        environment: the environment that it is of.
        record: what the runner has recorded last; null for nothing yet.
    """
    # Who has stopped a run is known before its task has: other containers may have something to do yet.
    stopped = record is not None and record.state is State.CANCELLED and task.get("stopCode")
    if has_stopped(task) or stopped:
        return ended(task, environment, record)
    if record is not None and record.state.ended and record.state is not State.CANCELLED:
        return record
    known = record or blank(task, environment)
    return replace(known, state=State.RUNNING if has_started(task) else State.QUEUED)


def has_started(task: Task) -> bool:
    """Whether the flow's container has been up."""
    return bool(task.get("startedAt")) or task.get("lastStatus") == "RUNNING"


def has_stopped(task: Task) -> bool:
    """Whether nothing more will happen to the task."""
    return task.get("lastStatus") == "STOPPED"


def asked_to_stop(task: Task) -> str | None:
    """What the task was asked to stop for, by Penstock; null when it was not."""
    reason = str(task.get("stoppedReason") or "")
    return next((word for word in (names.CANCELLED, names.INTERRUPTED, names.NEVER_STARTED) if word in reason), None)


def flow_container(task: Task) -> Mapping[str, Any]:
    """The container that the flow runs in; empty where ECS tells of none yet."""
    containers = task.get("containers", [])
    return next((item for item in containers if item.get("name") == FLOW_CONTAINER), {})


def ended(task: Task, environment: Environment, record: Outcome | None) -> Outcome:
    """How the run of a task ended that has stopped."""
    own = record if record is not None and record.state.ended else None
    known = record or blank(task, environment)
    if own is not None and own.state is State.SUCCEEDED:
        return own
    code, reason = str(task.get("stopCode") or ""), str(task.get("stoppedReason") or "")
    if code in PREEMPTED_CODES or (code != "UserInitiated" and PREEMPTED.search(reason)):
        message = "The platform took the run's place away before it had ended."
        failure = _failure(FailureClass.PREEMPTED, message, next_step=AGAIN, evidence=f"{code}: {reason}".strip(": "))
        return failed(known, ExitCode.STOPPED_BY_PLATFORM, failure)
    if own is not None and own.state is not State.CANCELLED:
        return own
    container = flow_container(task)
    if code == "UserInitiated" and asked_to_stop(task) != names.NEVER_STARTED:
        return _stopped_by_user(task, known, reason, container)
    if own is not None:
        return own
    if container.get("exitCode") is None:
        return failed(known, ExitCode.UNAVAILABLE, starting.of_stopped(task).failure)
    return _killed(known, container, reason, has_record=record is not None)


def failed(outcome: Outcome, code: int, failure: Failure) -> Outcome:
    """The outcome with this failure in place of what it says."""
    return replace(outcome, state=State.FAILED, exit_code=code, failure=failure, waiting=None)


def _stopped_by_user(task: Task, known: Outcome, reason: str, container: Mapping[str, Any]) -> Outcome:
    ours = asked_to_stop(task)
    interrupted = ours == names.INTERRUPTED
    message = "The run was asked to stop, and has." if ours else f"Somebody stopped the run's task: {reason}"
    if container.get("exitCode") == ExitCode.KILLED:
        message = "The run was asked to stop, did not within its grace, and was killed."
    failure = _failure(FailureClass.CANCELLED, message, evidence=None if ours else reason)
    code = ExitCode.INTERRUPTED if interrupted else ExitCode.TERMINATED
    return replace(known, state=State.CANCELLED, exit_code=code, failure=failure, waiting=None)


def _killed(known: Outcome, container: Mapping[str, Any], reason: str, *, has_record: bool) -> Outcome:
    """How a run ended whose runner could not say so."""
    code = int(container["exitCode"])
    said = f"{container.get('reason') or reason} (exit code {code})"
    if OOM.search(said):
        message = "The container was killed for memory."
        step = "Give it more with resources.memory_mib of the stack or --memory, or let the flow use less."
        return failed(known, ExitCode.KILLED, _failure(FailureClass.OOM, message, next_step=step, evidence=said))
    if not has_record:
        message = "The container ended before Penstock's runner was up."
        step = "See that the image has Python and penstock of this version, and that its user may run them."
        return failed(known, ExitCode.UNAVAILABLE, _failure(FailureClass.CONFIG, message, step, evidence=said))
    message = f"The container was ended with exit code {code} before the run's end could be recorded."
    failure = _failure(FailureClass.CRASH, message, "See its last lines with `penstock logs`.", evidence=said)
    return failed(known, code or ExitCode.INTERNAL, failure)


def _failure(
    failure_class: FailureClass, message: str, next_step: str | None = None, *, evidence: str | None = None
) -> Failure:
    return Failure(failure_class=failure_class, message=message, next_step=next_step, evidence=evidence)
