"""How a run stands, from objects as clusters give them."""

from datetime import datetime
from typing import Any

import pytest

from runner.environment import Action, FailurePolicy, Timeouts
from runner.launch.kubernetes import status
from runner.outcome import ExitCode, Failure, FailureClass, Outcome, State
from tests.runner.launch.kubernetes.objects import condition, job, message, outcome, pod

SUCCEEDED = outcome(State.SUCCEEDED, exit_code=0, result=42)
FLOW_FAILED = outcome(
    State.FAILED, exit_code=3, failure=Failure(failure_class=FailureClass.FLOW, message="The flow raised.")
)
CANCELLED = outcome(
    State.CANCELLED, exit_code=143, failure=Failure(failure_class=FailureClass.CANCELLED, message="Stopped.")
)
RUNNING = outcome(State.RUNNING)
EVICTED = condition("DisruptionTarget", "EvictionByEvictionAPI", "Eviction API: evicting")


def _terminated(said: Outcome | str, code: int = 0, reason: str = "Completed") -> dict[str, Any]:
    text = said if isinstance(said, str) else message(said)
    return {"terminated": {"exitCode": code, "reason": reason, "message": text}}


@pytest.mark.parametrize("end", [SUCCEEDED, FLOW_FAILED, CANCELLED])
def test_the_end_is_what_the_runner_recorded(end: Outcome) -> None:
    assert status.standing(job(), [pod(_terminated(end))]) == end


ENDS = [
    (pod(_terminated(RUNNING, 137, "OOMKilled")), FailureClass.OOM, 137),
    (pod(_terminated(RUNNING, 137, "Error")), FailureClass.CRASH, 137),
    (pod(_terminated(CANCELLED, 143, "Error"), EVICTED), FailureClass.PREEMPTED, 75),
    (pod(_terminated(RUNNING, 137, "Error"), EVICTED), FailureClass.PREEMPTED, 75),
    (pod(_terminated(FLOW_FAILED, 3, "Error"), EVICTED), FailureClass.PREEMPTED, 75),
    (pod(None, EVICTED, phase="Failed"), FailureClass.PREEMPTED, 75),
    (
        pod(None, phase="Failed", reason="Evicted", message="The node was low on resource: memory."),
        FailureClass.PREEMPTED,
        75,
    ),
    (
        pod(None, phase="Failed", reason="OutOfcpu", message="Node didn't have enough resource"),
        FailureClass.PREEMPTED,
        75,
    ),
    (pod(_terminated(RUNNING, 137, "Error"), phase="Failed", reason="DeadlineExceeded"), FailureClass.DEADLINE, 124),
    (pod(_terminated("/usr/bin/python3: No module named runner", 1, "Error")), FailureClass.CONFIG, 69),
    (pod(_terminated('exec: "python3": not found', 128, "StartError")), FailureClass.CONFIG, 69),
]


@pytest.mark.parametrize(("ended", "failure_class", "code"), ENDS)
def test_the_end_of_a_container_that_could_not_say_so(
    ended: dict[str, Any], failure_class: FailureClass, code: int
) -> None:
    policy = FailurePolicy(preempted=Action.FAIL)

    end = status.standing(job(policy), [ended])

    assert end.failure is not None
    assert (end.state, end.failure.failure_class, end.exit_code) == (State.FAILED, failure_class, code)
    assert end.run_id == "the-run"


def test_a_flow_that_was_done_before_the_eviction_has_succeeded() -> None:
    assert status.standing(job(), [pod(_terminated(SUCCEEDED), EVICTED)]) == SUCCEEDED


@pytest.mark.parametrize(
    ("policy", "ended", "again"),
    [
        (FailurePolicy(), pod(_terminated(CANCELLED, 143, "Error"), EVICTED), True),
        (FailurePolicy(preempted=Action.FAIL), pod(_terminated(CANCELLED, 143, "Error"), EVICTED), False),
        (FailurePolicy(), pod(_terminated(FLOW_FAILED, 3, "Error")), False),
        (FailurePolicy(flow=Action.RETRY, retries=2), pod(_terminated(FLOW_FAILED, 3, "Error")), True),
        (FailurePolicy(flow=Action.RETRY, retries=2), pod(_terminated(RUNNING, 137, "OOMKilled")), False),
    ],
)
def test_a_failure_that_the_policy_retries_is_not_the_end(
    policy: FailurePolicy, ended: dict[str, Any], again: bool
) -> None:
    assert status.standing(job(policy), [ended]).state is (State.QUEUED if again else State.FAILED)
    finished = job(policy, condition("Failed", "BackoffLimitExceeded"))
    assert status.standing(finished, [ended]).state is State.FAILED
    stopped = job(policy, stopped="cancelled")
    assert status.standing(stopped, [ended]).state.ended


def test_the_newest_pod_counts() -> None:
    pods = [pod(_terminated(SUCCEEDED), number=2), pod(_terminated(CANCELLED, 143, "Error"), EVICTED, number=1)]

    assert status.standing(job(), pods) == SUCCEEDED


def test_before_the_end() -> None:
    assert status.standing(job(), []).state is State.QUEUED
    assert status.standing(job(), [pod({"running": {}})]).state is State.RUNNING
    waiting = status.standing(job(), [pod({"waiting": {"reason": "ErrImageNeverPull", "message": "no"}})])
    assert waiting.state is State.QUEUED
    assert waiting.waiting is not None
    assert waiting.waiting.failure_class is FailureClass.IMAGE


@pytest.mark.parametrize(
    ("finished", "state", "code"),
    [
        (job(None, condition("Failed", "DeadlineExceeded"), stopped="cancelled"), State.CANCELLED, 143),
        (job(None, condition("Failed", "DeadlineExceeded")), State.FAILED, 124),
        (job(None, condition("Failed", "BackoffLimitExceeded")), State.FAILED, 75),
    ],
)
def test_the_end_of_a_job_whose_pod_is_gone(finished: dict[str, Any], state: State, code: int) -> None:
    end = status.standing(finished, [])

    assert (end.state, end.exit_code) == (state, code)


def test_the_outcome_that_a_client_noted_is_the_outcome() -> None:
    noted = job(None, condition("Failed", "DeadlineExceeded"), stopped="cancelled", outcome=message(CANCELLED))

    assert status.standing(noted, []) == CANCELLED


@pytest.mark.parametrize("ended", [ENDS[1][0], ENDS[9][0], ENDS[10][0]])
def test_a_container_that_was_stopped_before_its_runner_could_say_so(ended: dict[str, Any]) -> None:
    end = status.standing(job(None, stopped="cancelled"), [ended])

    assert (end.state, end.exit_code) == (State.CANCELLED, 143)


NOW = "2026-09-21T12:26:40Z"
CLOCKS = Timeouts(queue_seconds=100, start_seconds=50)


@pytest.mark.parametrize(
    ("clocks", "waiting", "seconds", "overdue"),
    [
        (CLOCKS, None, 99, False),
        (CLOCKS, None, 101, True),
        (CLOCKS, pod(None), 101, True),
        (CLOCKS, pod({"waiting": {}}, {**condition("PodScheduled"), "lastTransitionTime": NOW}), 49, False),
        (CLOCKS, pod({"waiting": {}}, {**condition("PodScheduled"), "lastTransitionTime": NOW}), 51, True),
        (Timeouts(), None, 10**6, False),
        (Timeouts(), pod({"waiting": {}}, {**condition("PodScheduled"), "lastTransitionTime": NOW}), 10**6, False),
    ],
)
def test_the_clocks_of_a_run_that_nobody_follows(
    monkeypatch: pytest.MonkeyPatch, clocks: Timeouts, waiting: dict[str, Any] | None, seconds: float, overdue: bool
) -> None:
    accepted = datetime.fromisoformat(NOW).timestamp()
    monkeypatch.setattr("runner.launch.kubernetes.status.time.time", lambda: accepted + seconds)

    assert status.is_overdue(clocks, accepted, waiting) is overdue


def test_a_message_that_is_no_record_is_evidence() -> None:
    end = status.standing(job(), [pod(_terminated("Killed by a policy agent", 1, "Error"))])

    assert end.failure is not None
    assert end.failure.evidence == "Error (exit code 1): Killed by a policy agent"
    assert end.exit_code == ExitCode.UNAVAILABLE
