"""How runs on ECS end, for real, and each fault that can hit them: its class, words, exit code and attempts."""

import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.environment import Action, FailurePolicy, Timeouts
from runner.launch.base import NotStartedError
from runner.launch.ecs import follow
from runner.launch.ecs import task as tasks
from runner.outcome import Outcome, State
from tests.testbed.aws.faults import Kind
from tests.testbed.ecs_environment import Place
from tests.testbed.followed_run import Run, told
from tests.testbed.runner_process import await_file

pytestmark = pytest.mark.aws

LONG_SECONDS = 120


@pytest.fixture(autouse=True)
def no_late_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed can be read at once here."""
    monkeypatch.setattr(follow, "QUIET_SECONDS", 0.3)


def later() -> float:
    return time.time() + LONG_SECONDS


def attempts(flows: Place) -> list[int]:
    """Numbers of the attempts that ECS has seen."""
    return [tasks.attempt_of(task) for task in flows.tasks()]


def failure(outcome: Outcome) -> str:
    """All that the outcome says of its failure."""
    assert outcome.failure is not None
    return " | ".join(filter(None, (outcome.failure.message, outcome.failure.evidence, outcome.failure.next_step)))


ENDS: list[tuple[str, dict[str, Any], int, str | None]] = [
    ("succeed", {}, 0, None),
    ("fail", {}, 1, "flow"),
    ("exit_with", {"code": 7}, 7, "flow"),
    ("succeed", {"number": "many"}, 66, "flow"),
    ("crash", {}, 139, "crash"),
    ("kill_itself", {}, 137, "crash"),
]


@pytest.mark.parametrize(("function", "parameters", "code", "kind"), ENDS)
def test_the_container_ends_with_the_exit_code_of_the_run(
    flows: Place, function: str, parameters: dict[str, Any], code: int, kind: str | None
) -> None:
    outcome = flows.start(function, **parameters).follow()
    flows.aws.await_stopped(flows.section.cluster_arn)

    (task,) = flows.tasks()
    assert task["containers"][0]["exitCode"] == outcome.exit_code == code
    assert (outcome.failure and outcome.failure.failure_class) == kind


def test_the_time_limit(flows: Place) -> None:
    environment = replace(flows.environment, timeouts=Timeouts(run_seconds=0.5, grace_seconds=5))

    outcome = flows.start("wait_until", environment=environment, moment=later()).follow()

    assert told(outcome) == ("deadline", 124)


@pytest.mark.parametrize(("interrupt", "code"), [(False, 143), (True, 130)])
def test_somebody_stops_the_run(flows: Place, interrupt: bool, code: int) -> None:
    run = flows.start("wait_until", moment=later())
    run.start_following()
    run.await_output(b"up")

    flows.launcher().stop("the-run", interrupt=interrupt)

    outcome = run.end()
    assert (outcome.state, outcome.exit_code) == (State.CANCELLED, code)
    assert failure(outcome) == "The run was asked to stop, and has."


def test_somebody_stops_the_task_by_hand(flows: Place) -> None:
    run = flows.start("wait_until", moment=later())
    run.start_following()
    run.await_output(b"up")
    (task,) = flows.tasks()

    flows.aws.client("ecs").stop_task(cluster=flows.section.cluster_arn, task=task["taskArn"], reason="spring cleaning")

    outcome = run.end()
    assert (outcome.state, outcome.exit_code) == (State.CANCELLED, 143)
    assert "Somebody stopped the run's task: spring cleaning" in failure(outcome)


def test_a_flow_that_is_deaf_is_killed_within_its_grace(flows: Place, tmp_path: Path) -> None:
    environment = replace(flows.environment, timeouts=Timeouts(grace_seconds=2))
    run = flows.start("wait_deaf", environment=environment, ready=str(tmp_path / "ready"))
    run.start_following()
    await_file(tmp_path / "ready")
    began = time.monotonic()

    flows.launcher().stop("the-run")

    assert (run.end().state, run.end().exit_code) == (State.CANCELLED, 143)
    assert time.monotonic() - began < 10


def test_out_of_memory(flows: Place) -> None:
    flows.aws.inject(Kind.OOM, family=flows.name, delay=0.5)

    outcome = flows.start("wait_until", moment=later()).follow()

    assert told(outcome) == ("oom", 137)
    assert "OutOfMemoryError" in failure(outcome)
    assert "--memory" in failure(outcome)
    assert attempts(flows) == [1]


def test_out_of_memory_is_tried_again_where_the_policy_says_so_and_as_often(flows: Place) -> None:
    policy = FailurePolicy(retries=2, oom=Action.RETRY)
    environment = replace(flows.environment, failure_policy=policy)
    flows.aws.inject(Kind.OOM, family=flows.name, delay=0.2, times=5)
    run = flows.start("wait_until", environment=environment, moment=later())

    outcome = run.follow()

    assert (told(outcome), outcome.attempt) == (("oom", 137), 3)
    assert attempts(flows) == [1, 2, 3]
    assert [sentence.rpartition(" ")[2] for sentence in run.notices if "is started again" in sentence] == ["2.", "3."]


@pytest.mark.long
@pytest.mark.parametrize("kind", [Kind.SPOT, Kind.HOST])
def test_a_place_that_is_taken_away_is_replaced_without_counting(flows: Place, kind: Kind) -> None:
    flows.aws.inject(kind, family=flows.name, delay=0.5, times=2)
    run = flows.start("wait_until", moment=time.time() + 2.5)

    outcome = run.follow()

    assert (outcome.state, outcome.attempt) == (State.SUCCEEDED, 3)
    assert attempts(flows) == [1, 2, 3]
    run.await_notice("(preempted")


def test_a_place_that_is_taken_away_ends_the_run_where_the_policy_says_so(flows: Place) -> None:
    environment = replace(flows.environment, failure_policy=FailurePolicy(preempted=Action.FAIL))
    flows.aws.inject(Kind.SPOT, family=flows.name, delay=0.5)

    outcome = flows.start("wait_until", environment=environment, moment=later()).follow()

    assert told(outcome) == ("preempted", 75)
    assert "SpotInterruption: Your Spot Task was interrupted." in failure(outcome)
    assert "penstock retry" in failure(outcome)


NEVER_UP = [
    (Kind.PULL_MISSING, "image", "not found"),
    (Kind.PULL_DENIED, "image", "403 Forbidden"),
    (Kind.SECRET, "config", "Secrets Manager can't find the specified secret"),
    (Kind.LOG_GROUP, "config", "log group does not exist"),
]


@pytest.mark.parametrize(("kind", "failure_class", "words"), NEVER_UP)
def test_what_cannot_pass_ends_the_run_at_once(flows: Place, kind: Kind, failure_class: str, words: str) -> None:
    flows.aws.inject(kind, family=flows.name, times=5)

    outcome = flows.start("succeed").follow()

    assert told(outcome) == (failure_class, 69)
    assert words in failure(outcome)
    assert outcome.failure is not None
    assert outcome.failure.next_step
    assert attempts(flows) == [1]


@pytest.mark.long
@pytest.mark.parametrize("kind", [Kind.PULL_BUSY, Kind.PULL_TIMEOUT, Kind.FAILS_TO_START])
def test_what_may_pass_is_tried_again(flows: Place, kind: Kind) -> None:
    flows.aws.inject(kind, family=flows.name)
    run = flows.start("succeed")

    outcome = run.follow()

    assert (outcome.state, outcome.attempt) == (State.SUCCEEDED, 2)
    assert attempts(flows) == [1, 2]


@pytest.mark.parametrize(
    ("kind", "failure_class"), [(Kind.PULL_BUSY, "registry"), (Kind.FAILS_TO_START, "never-started")]
)
def test_what_does_not_pass_ends_the_run_after_three_attempts(flows: Place, kind: Kind, failure_class: str) -> None:
    flows.aws.inject(kind, family=flows.name, times=5)

    outcome = flows.start("succeed").follow()

    assert (told(outcome), outcome.attempt) == ((failure_class, 69), 3)
    assert attempts(flows) == [1, 2, 3]


def test_a_task_that_never_starts_is_stopped_and_replaced_only_then(flows: Place) -> None:
    environment = replace(flows.environment, timeouts=Timeouts(start_seconds=1.5, grace_seconds=5))
    flows.aws.inject(Kind.STUCK, family=flows.name)
    run = flows.start("succeed", environment=environment)

    outcome = run.follow()

    first, second = flows.tasks()
    assert (outcome.state, outcome.attempt) == (State.SUCCEEDED, 2)
    assert (first["stopCode"], first["stoppedReason"]) == ("UserInitiated", "penstock: did not start in time")
    assert second["createdAt"] >= first["stoppedAt"]
    run.await_notice("(never-started: The run has not started within 1.5 s.)")


CAPACITY = [
    (Kind.CAPACITY, "unschedulable", "Capacity is unavailable at this time"),
    (Kind.RESOURCE, "unschedulable", "RESOURCE:MEMORY"),
    (Kind.QUOTA, "quota", "limit on the number of vCPUs"),
]


@pytest.mark.long
@pytest.mark.parametrize(("kind", "failure_class", "words"), CAPACITY)
def test_no_room_is_waited_for_with_words(flows: Place, kind: Kind, failure_class: str, words: str) -> None:
    flows.aws.inject(kind, family=flows.name)
    notices: list[str] = []

    outcome = flows.start("succeed", notice=notices.append).follow()

    assert (outcome.state, outcome.attempt) == (State.SUCCEEDED, 1)
    assert [notice.partition(":")[0] for notice in notices] == [f"the-run is queued({failure_class})"]


@pytest.mark.long
@pytest.mark.parametrize(("kind", "failure_class", "words"), CAPACITY)
def test_no_room_until_the_clock_is_over(flows: Place, kind: Kind, failure_class: str, words: str) -> None:
    environment = replace(flows.environment, timeouts=Timeouts(queue_seconds=1, grace_seconds=5))
    flows.aws.inject(kind, family=flows.name, times=50)

    with pytest.raises(NotStartedError) as refused:
        flows.start("succeed", environment=environment)

    failed = refused.value.failure
    assert failed.failure_class == failure_class
    assert "has not found a place within 1 s" in failed.message
    assert words in str(failed.evidence)
    assert flows.tasks() == []


def test_a_container_that_ends_before_the_runner_is_up(flows: Place) -> None:
    environment = flows.with_definition(entryPoint=["sh", "-c", "echo no python here; exit 3"])

    outcome = flows.start("succeed", environment=environment).follow()

    assert told(outcome) == ("config", 69)
    assert "(exit code 3)" in failure(outcome)
    assert flows.launcher().log("the-run") == b"no python here\n"


def test_a_program_that_the_image_has_not(flows: Place) -> None:
    environment = flows.with_definition(entryPoint=["no-such-program"])

    outcome = flows.start("succeed", environment=environment).follow()

    assert told(outcome) == ("config", 69)
    assert "executable file not found" in failure(outcome)


def test_the_runner_itself_is_killed(flows: Place) -> None:
    run: Run = flows.start("wait_until", moment=later())
    run.start_following()
    run.await_output(b"up")
    (task,) = flows.tasks()
    (pid,) = flows.aws.processes(task["taskArn"].rpartition("/")[2]).values()

    os.killpg(os.getpgid(pid), signal.SIGKILL)

    outcome = run.end()
    assert told(outcome) == ("crash", 137)
    assert "before the run's end could be recorded" in failure(outcome)
    assert json.dumps(flows.launcher().find("the-run").outcome.exit_code) == "137"
