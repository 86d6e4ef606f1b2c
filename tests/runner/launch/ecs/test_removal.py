"""What runs started on ECS and could not remove: who removes it when, and what is never touched."""

import os
import signal
import time
from dataclasses import replace
from typing import Any

import pytest

from runner.aws.errors import Refused
from runner.environment import Action, FailurePolicy
from runner.errors import UnavailableError
from runner.labels import ENVIRONMENT
from runner.launch.ecs import follow, removal
from runner.outcome import State
from tests.runner.launch.ecs.conftest import WithWorkers
from tests.testbed.aws.faults import Kind
from tests.testbed.followed_run import told
from tests.testbed.waiting import wait_until

pytestmark = [pytest.mark.aws, pytest.mark.long]

NOBODY = "0123456789abcdef" * 2
"""Id of a task that ECS knows nothing of."""


@pytest.fixture(autouse=True)
def no_late_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed can be read at once here."""
    monkeypatch.setattr(follow, "QUIET_SECONDS", 0.3)


def later() -> float:
    return time.time() + 120


def kill(workers: WithWorkers, task_id: str) -> None:
    (pid,) = workers.place.aws.processes(task_id).values()
    os.killpg(os.getpgid(pid), signal.SIGKILL)


def test_who_follows_a_run_that_was_killed_removes_what_it_left(workers: WithWorkers) -> None:
    run, owner = workers.started(moment=later())
    left, others = workers.worker(owner), workers.worker(NOBODY)
    workers.secret(f"{workers.prefix}{owner}")
    kept = workers.secret(f"{workers.prefix}{NOBODY}")

    kill(workers, owner)

    assert told(run.end()) == ("crash", 137)
    assert workers.states() == {owner: "STOPPED", left: "STOPPED", others: "RUNNING"}
    assert workers.tasks(owner)[0]["stoppedReason"] == "penstock: the run has ended"
    assert workers.secrets() == [kept]
    assert run.notices == []


def test_a_run_that_has_recorded_its_end_is_asked_nothing_more(workers: WithWorkers) -> None:
    run = workers.start("succeed")
    workers.place.aws.calls(clear=True)

    assert run.follow().state is State.SUCCEEDED

    called = {call["action"] for call in workers.place.aws.calls()}
    assert not called & {"ListTasks", "StopTask", "ListSecrets", "DeleteSecret"}


def test_the_next_attempt_starts_when_the_workers_of_the_last_have_ended(workers: WithWorkers) -> None:
    environment = replace(workers.environment, failure_policy=FailurePolicy(preempted=Action.RETRY))
    workers.place.aws.inject(Kind.HOST, family=workers.place.name, delay=3.0)
    run, owner = workers.started(environment=environment, moment=time.time() + 6)
    slow = workers.worker(owner, "trap 'sleep 1; exit 0' TERM; sleep 60 & wait; sleep 60")

    outcome = run.end()

    (stopped,) = workers.tasks(owner)
    first, second = workers.tasks("the-run")
    assert (outcome.state, outcome.attempt) == (State.SUCCEEDED, 2)
    assert first["stoppedAt"] <= stopped["stoppedAt"] <= second["createdAt"]
    assert workers.states()[slow] == "STOPPED"


def test_retry_waits_for_the_workers_of_a_run_that_nobody_followed(workers: WithWorkers) -> None:
    workers.start("fail").follow()
    workers.place.aws.await_stopped(workers.section.cluster_arn)
    (first,) = workers.tasks("the-run")
    owner = first["taskArn"].rpartition("/")[2]
    workers.worker(owner)
    workers.secret(f"{workers.prefix}{owner}")

    assert workers.launcher().retry("the-run") == 2

    (worker,) = workers.tasks(owner)
    assert worker["stoppedAt"] <= workers.tasks("the-run")[1]["createdAt"]
    assert workers.secrets() == []


def test_a_worker_that_does_not_end_keeps_the_next_attempt_from_starting(
    workers: WithWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "STOP_SECONDS", 0.5)
    workers.start("fail").follow()
    workers.place.aws.await_stopped(workers.section.cluster_arn)
    (first,) = workers.tasks("the-run")
    deaf = workers.worker(first["taskArn"].rpartition("/")[2], "trap '' TERM; sleep 60 & wait; sleep 60")
    wait_until(lambda: workers.place.aws.processes(deaf) or None)

    with pytest.raises(UnavailableError, match=rf"1 workers of the last attempt have not .* {deaf} for one"):
        workers.launcher().retry("the-run")

    assert len(workers.tasks("the-run")) == 1


def test_gc_removes_what_has_no_run_any_more_and_nothing_else(workers: WithWorkers) -> None:
    run, up = workers.started(moment=later())
    busy, lost = workers.worker(up), workers.worker(NOBODY)
    strange = (workers.worker("somebody"), workers.worker(NOBODY, environment="another"))
    kept = {
        workers.secret(f"{workers.prefix}{up}"),
        workers.secret(f"{workers.prefix}of-somebody"),
        workers.secret(f"{workers.prefix}{'f' * 32}", **{ENVIRONMENT: "another"}),
        workers.secret(f"other/{workers.place.name}/{'e' * 32}"),
    }
    gone = workers.secret(f"{workers.prefix}{'d' * 32}")

    planned = workers.launcher().collect(dry_run=True)

    assert planned.leftovers == (lost, gone)
    assert set(workers.states().values()) == {"RUNNING"}
    assert set(workers.secrets()) == {*kept, gone}

    assert workers.launcher().collect(dry_run=False) == planned
    assert workers.states() == {up: "RUNNING", busy: "RUNNING", lost: "STOPPED"} | dict.fromkeys(strange, "RUNNING")
    assert set(workers.secrets()) == kept
    assert workers.launcher().collect(dry_run=False).leftovers == ()

    workers.launcher().stop("the-run")
    assert run.end().state is State.CANCELLED
    workers.place.aws.client("ecs").stop_task(cluster=workers.section.cluster_arn, task=up)
    workers.await_stopped("the-run")
    assert workers.launcher().collect(dry_run=False).leftovers == (busy, f"{workers.prefix}{up}")


def test_missing_rights_are_told_once_each_and_the_rest_is_done(
    workers: WithWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers.worker(NOBODY)
    workers.worker(NOBODY)
    secret = workers.secret(f"{workers.prefix}{NOBODY}")
    read = ["ecs:ListTasks", "ecs:DescribeTasks", "logs:*"]
    for index, (more, sentences) in enumerate(
        (
            ([], ["Secrets with the keys of runs that have ended are not looked for. AWS", "Tasks of workers whose"]),
            (["secretsmanager:ListSecrets"], ["Tasks of workers whose run has", "Secrets with keys of runs that have"]),
        )
    ):
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": read + more, "Resource": "*"}]}
        for name, value in workers.place.aws.user(f"{workers.place.name}-{index}", policy).items():
            monkeypatch.setenv(name, value)

        done = workers.launcher().collect(dry_run=False)

        assert done.leftovers == ()
        assert len(done.troubles) == len(sentences)
        for trouble, sentence in zip(done.troubles, sentences, strict=True):
            assert trouble.startswith(sentence)
            assert "AWS does not allow " in trouble
    assert workers.secrets() == [secret]


def test_workers_are_found_where_ecs_takes_no_status_beside_what_started_them(
    workers: WithWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, owner = workers.started(moment=later())
    left, _ = workers.worker(owner), workers.worker(NOBODY)
    call = run.launcher._ecs.call  # type: ignore[attr-defined]

    def refusing(operation: str, **body: Any) -> Any:
        if "startedBy" in body and "desiredStatus" in body:
            raise Refused("No.", status=400, code="InvalidParameterException", message="startedBy must be alone")
        return call(operation, **body)

    monkeypatch.setattr(run.launcher._ecs, "call", refusing)  # type: ignore[attr-defined]

    kill(workers, owner)

    assert told(run.end()) == ("crash", 137)
    assert workers.states()[left] == "STOPPED"
    assert [task["desiredStatus"] for task in workers.tasks(NOBODY)] == ["RUNNING"]


def test_workers_are_never_taken_for_runs(workers: WithWorkers) -> None:
    run, owner = workers.started(moment=later())
    workers.worker(owner)
    launcher = workers.launcher()

    assert [(item.outcome.run_id, item.outcome.state) for item in launcher.runs()] == [("the-run", State.RUNNING)]
    assert launcher.find("the-run").outcome.state is State.RUNNING
    assert launcher._finder.tasks(owner) == []
    launcher.stop("the-run")
    assert run.end().state is State.CANCELLED
