"""How a run stands, from its Job and its pods. Pure functions of the API's objects.

The run's end is the end of its container: the runner's own record in the termination message, unless the platform
took the pod away, or killed the container before the runner could write it.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from runner import contract
from runner.environment import Action, FailurePolicy, Timeouts
from runner.errors import ContractError
from runner.kubernetes import names, pending
from runner.launch.kubernetes.job import environment_of
from runner.outcome import SCHEMA_VERSION, ExitCode, Failure, FailureClass, Outcome, State
from runner.sections import FLOW_CONTAINER

Object = Mapping[str, Any]

ASKED_TO_STOP = "The run was asked to stop, and has."
AGAIN = "It is safe to start it again with `penstock retry`."
START_ERRORS = {"StartError", "ContainerCannotRun", "RunContainerError"}
EVIDENCE_CHARACTERS = 1000


def standing(job: Object, pods: Sequence[Object]) -> Outcome:
    """How the run stands."""
    stored = recorded(job["metadata"].get("annotations", {}).get(names.OUTCOME))
    if stored is not None:
        return stored
    pod = newest(pods)
    end = None if pod is None else ended(job, pod)
    if end is not None and not to_be_continued(job, end):
        return end
    finish = _condition(job, "Complete", "Failed", "FailureTarget", "SuccessCriteriaMet")
    if end is None and finish is not None:
        return _ended_without_pod(job, finish)
    if pod is not None and end is None and _state(pod, "running") is not None:
        return replace(blank(job), state=State.RUNNING)
    trouble = pending.suspended(job) or (pending.of_pod(pod) if pod is not None and end is None else None)
    return replace(blank(job), waiting=trouble.failure if trouble else None)


def blank(job: Object) -> Outcome:
    """The outcome of a run of which nothing is known yet."""
    labels = job["metadata"]["labels"]
    return Outcome(
        run_id=labels[names.RUN_ID],
        attempt=int(labels[names.ATTEMPT]),
        environment=labels[names.ENVIRONMENT],
        kind=environment_of(job).kind,
        flow=job["metadata"].get("annotations", {}).get(names.FLOW),
        state=State.QUEUED,
    )


def newest(pods: Sequence[Object]) -> Object | None:
    """The pod that a Job made last."""
    return max(pods, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]), default=None)


def flow_status(pod: Object) -> Object:
    """Status of the container that the flow runs in; empty before there is one."""
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return next((item for item in statuses if item["name"] == FLOW_CONTAINER), {})


def is_scheduled(pod: Object) -> bool:
    """Whether the pod has been given a machine."""
    return bool(pod.get("spec", {}).get("nodeName"))


def is_overdue(timeouts: Timeouts, accepted_at: float, pod: Object | None) -> bool:
    """Whether the clock of a run that has not started is over, which nobody minds when nobody follows it.

    Args:
        timeouts: the clocks.
        accepted_at: when the attempt was accepted, in seconds since 1970.
        pod: its pod; null for none.
    """
    scheduled = None if pod is None else _condition(pod, "PodScheduled")
    if scheduled is None:
        return timeouts.queue_seconds is not None and time.time() > accepted_at + timeouts.queue_seconds
    since = datetime.fromisoformat(scheduled["lastTransitionTime"]).timestamp()
    return timeouts.start_seconds is not None and time.time() > since + timeouts.start_seconds


def has_started(pod: Object) -> bool:
    """Whether the flow's container has been started, and perhaps ended since."""
    return _state(pod, "running") is not None or _state(pod, "terminated") is not None


def ended(job: Object, pod: Object) -> Outcome | None:
    """How the run ended in this pod; null while it has not."""
    terminated = _state(pod, "terminated")
    status = pod.get("status", {})
    if terminated is None and status.get("phase") not in {"Failed", "Succeeded"}:
        return None
    own = recorded((terminated or {}).get("message"))
    if own is not None and own.state is State.SUCCEEDED:
        return own
    disruption = _condition(pod, "DisruptionTarget")
    if disruption is not None or status.get("reason") in {"Evicted", "NodeLost", "Shutdown", "Preempting"}:
        return failed(own or blank(job), ExitCode.STOPPED_BY_PLATFORM, _preempted(disruption, status))
    if own is not None and own.state.ended:
        return own
    if names.STOPPED in job["metadata"].get("annotations", {}):
        return cancelled(own or blank(job), ASKED_TO_STOP)
    return _killed(own or blank(job), status, terminated, has_record=own is not None)


def to_be_continued(job: Object, end: Outcome) -> bool:
    """Whether the cluster starts the run again in another pod."""
    if end.failure is None or _condition(job, "Complete", "Failed", "FailureTarget", "SuccessCriteriaMet") is not None:
        return False
    if names.STOPPED in job["metadata"].get("annotations", {}) or "deletionTimestamp" in job["metadata"]:
        return False
    return retried(environment_of(job).failure_policy, end.failure.failure_class)


def retried(policy: FailurePolicy, failure_class: FailureClass) -> bool:
    """Whether the policy starts a run again that failed like this."""
    actions = {
        FailureClass.FLOW: policy.flow,
        FailureClass.CRASH: policy.crash,
        FailureClass.OOM: policy.oom,
        FailureClass.PREEMPTED: policy.preempted,
    }
    return actions.get(failure_class) is Action.RETRY


def recorded(text: str | None) -> Outcome | None:
    """The outcome that the runner wrote; null where there is none."""
    if not text:
        return None
    try:
        return contract.read_document(Outcome, text, version=SCHEMA_VERSION, subject="outcome", warn=lambda _: None)
    except ContractError:
        return None  # the container's last lines, which Kubernetes puts there when nothing was written


def failed(outcome: Outcome, code: int, failure: Failure) -> Outcome:
    """The outcome with this failure in place of what it says."""
    return replace(outcome, state=State.FAILED, exit_code=code, failure=failure, waiting=None)


def cancelled(outcome: Outcome, message: str) -> Outcome:
    """The outcome of a run that ended on somebody's word."""
    failure = Failure(failure_class=FailureClass.CANCELLED, message=message)
    return replace(outcome, state=State.CANCELLED, exit_code=ExitCode.TERMINATED, failure=failure, waiting=None)


def _preempted(disruption: Object | None, status: Object) -> Failure:
    why = disruption or status
    said = f"{why.get('reason', '')}: {why.get('message', '')}".strip(": ")
    return Failure(
        failure_class=FailureClass.PREEMPTED,
        message="The platform took the run's place away before it had ended.",
        next_step=AGAIN,
        evidence=said or None,
    )


def _killed(outcome: Outcome, status: Object, terminated: Object | None, *, has_record: bool) -> Outcome:
    """How a run ended whose runner could not say so."""
    said = f"{status.get('reason', '')}: {status.get('message', '')}".strip(": ") or None
    if status.get("reason") == "DeadlineExceeded":
        message = "The run's time was over, and its runner did not end it."
        return failed(outcome, ExitCode.DEADLINE, _failure(FailureClass.DEADLINE, message, evidence=said))
    if terminated is None:
        message = "The machine did not take the run's pod, or lost it."
        failure = _failure(FailureClass.PREEMPTED, message, next_step=AGAIN, evidence=said)
        return failed(outcome, ExitCode.STOPPED_BY_PLATFORM, failure)
    code, reason = int(terminated.get("exitCode", 0)), terminated.get("reason", "")
    said = f"{reason} (exit code {code}): {terminated.get('message', '') if not has_record else ''}".strip(": ")
    said = said[-EVIDENCE_CHARACTERS:]
    if reason == "OOMKilled":
        message = "The container was killed for memory."
        step = "Give it more with resources.memory_mib of the stack, or let the flow use less."
        return failed(outcome, ExitCode.KILLED, _failure(FailureClass.OOM, message, next_step=step, evidence=said))
    if reason in START_ERRORS or not has_record:
        message = "The container ended before Penstock's runner was up."
        step = "See that the image has Python and penstock of this version, and that its user may run them."
        return failed(
            outcome, ExitCode.UNAVAILABLE, _failure(FailureClass.CONFIG, message, next_step=step, evidence=said)
        )
    message = f"The container was ended with exit code {code} before the run's end could be recorded."
    failure = _failure(FailureClass.CRASH, message, next_step="See its last lines with `penstock logs`.", evidence=said)
    return failed(outcome, code or ExitCode.INTERNAL, failure)


def _ended_without_pod(job: Object, finish: Object) -> Outcome:
    said = f"{finish.get('reason', '')}: {finish.get('message', '')}".strip(": ")
    if names.STOPPED in job["metadata"].get("annotations", {}):
        return cancelled(blank(job), ASKED_TO_STOP)
    if finish.get("reason") == "DeadlineExceeded":
        message = "The run's time was over before it had ended."
        return failed(blank(job), ExitCode.DEADLINE, _failure(FailureClass.DEADLINE, message, evidence=said))
    message = "The run's pod was removed before its end could be read."
    failure = _failure(FailureClass.PREEMPTED, message, next_step=AGAIN, evidence=said)
    return failed(blank(job), ExitCode.STOPPED_BY_PLATFORM, failure)


def _failure(
    failure_class: FailureClass, message: str, *, evidence: str | None = None, next_step: str | None = None
) -> Failure:
    return Failure(failure_class=failure_class, message=message, next_step=next_step, evidence=evidence)


def _state(pod: Object, name: str) -> Object | None:
    found: Object | None = flow_status(pod).get("state", {}).get(name)
    return found


def _condition(item: Object, *types: str) -> Object | None:
    """The first condition of these types that is true."""
    conditions = item.get("status", {}).get("conditions", [])
    return next((found for found in conditions if found["type"] in types and found["status"] == "True"), None)
