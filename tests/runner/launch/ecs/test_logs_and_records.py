"""What of a run can be read: while it is up, after it, and when ECS has forgotten it."""

import hashlib
import threading
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from runner.aws.errors import Refused
from runner.environment import Retention, Timeouts
from runner.errors import PenstockError, UsageError
from runner.launch.ecs import follow
from runner.outcome import State
from tests.testbed.aws.faults import Kind
from tests.testbed.ecs_environment import Place

pytestmark = pytest.mark.aws

AWKWARD = "first\n\n\n  \x1e\nlast\x1e\n" + "ä" * 40_000 + "\nno newline"


def test_awkward_output_comes_byte_by_byte(flows: Place) -> None:
    run = flows.start("echo", words=AWKWARD)

    outcome = run.follow()

    assert bytes(run.output) == AWKWARD.encode()
    assert outcome.log.sha256 == hashlib.sha256(run.output).hexdigest()
    assert flows.launcher().log("the-run") == AWKWARD.encode()
    assert run.notices == []


def test_output_that_is_no_text_is_told_to_be_kept_in_part(flows: Place) -> None:
    run = flows.start("print_bytes")

    run.follow()

    (notice,) = run.notices
    assert "keeps nothing that is not UTF-8" in notice


def test_lines_that_come_late_are_waited_for(flows: Place) -> None:
    flows.aws.delay(log=1.5)
    run = flows.start("print_much", lines=500)

    outcome = run.follow()

    assert outcome.log.lines == run.output.count(b"\n") == 1000
    assert outcome.log.sha256 == hashlib.sha256(run.output).hexdigest()


def test_the_last_lines_of_a_run_that_could_not_record_its_end(flows: Place) -> None:
    flows.aws.delay(log=1.0)
    flows.aws.inject(Kind.OOM, family=flows.name, delay=1.0)
    run = flows.start("count", lines=1000)

    outcome = run.follow()

    assert outcome.exit_code == 137 or outcome.state is State.SUCCEEDED
    assert run.output.splitlines()[-1].startswith(b"line 999 ")


def test_a_run_that_ecs_has_forgotten(flows: Place) -> None:
    run = flows.start("keep_artifacts")
    outcome = run.follow()
    flows.start("fail", run_id="another").follow()
    flows.aws.await_stopped(flows.section.cluster_arn)
    assert flows.aws.forget() >= 2
    launcher = flows.launcher()

    found = launcher.find("the-run")

    assert flows.tasks() == []
    assert (found.outcome.state, found.outcome.log, found.outcome.flow) == (outcome.state, outcome.log, outcome.flow)
    assert abs(found.accepted_at - time.time()) < 60
    assert launcher.log("the-run") == bytes(run.output)
    assert launcher.log("another", tail=1).startswith(b"ValueError")
    listed = {item.outcome.run_id: item.outcome.exit_code for item in launcher.runs()}
    assert listed == {"the-run": 0, "another": 1}
    launcher.stop("the-run")
    with pytest.raises(UsageError, match="ECS has forgotten how the-run was started"):
        launcher.retry("the-run")
    assert launcher.follow("the-run", lambda _: None).state is State.SUCCEEDED


@pytest.mark.long
def test_a_killed_run_that_ecs_has_forgotten_is_still_known(flows: Place) -> None:
    flows.aws.inject(Kind.OOM, family=flows.name, delay=0.5)
    flows.start("wait_until", moment=time.time() + 60).follow()
    flows.aws.forget()

    found = flows.launcher().find("the-run").outcome

    assert (found.state, found.run_id, found.attempt) == (State.UNKNOWN, "the-run", 1)
    assert flows.launcher().log("the-run").startswith(b"up")


def test_the_log_group_is_not_there_any_more(flows: Place) -> None:
    flows.start("succeed").follow()
    flows.aws.forget()
    flows.aws.client("logs").delete_log_group(logGroupName=flows.section.log_group)
    try:
        for verb in ("find", "log"):
            with pytest.raises(PenstockError, match="There is no log group '/penstock/"):
                getattr(flows.launcher(), verb)("the-run")
    finally:
        flows.aws.client("logs").create_log_group(logGroupName=flows.section.log_group)


def test_following_while_it_runs_from_another_machine(flows: Place) -> None:
    flows.start("count", lines=60, pause=0.02)
    others: list[bytes] = []

    outcome = flows.launcher().follow("the-run", others.append, skip=10)

    whole = flows.launcher().log("the-run")
    assert b"".join(others) == whole[10:]
    assert outcome.log.lines == 60


def test_runs_in_every_state_are_listed(flows: Place) -> None:
    flows.start("succeed", run_id="done").follow()
    up = flows.start("wait_until", run_id="up", moment=time.time() + 60)
    up.start_following()
    up.await_output(b"up")
    flows.aws.inject(Kind.STUCK, family=flows.name)
    flows.start("succeed", run_id="waiting")
    launcher = flows.launcher()
    deadline = time.monotonic() + 20
    wanted = {"done": State.SUCCEEDED, "up": State.RUNNING, "waiting": State.QUEUED}

    while (found := {item.outcome.run_id: item.outcome.state for item in launcher.runs()}) != wanted:
        assert time.monotonic() < deadline, found

    for run_id in wanted.keys() - {"done"}:
        launcher.stop(run_id)
        assert launcher.follow(run_id, lambda _: None).state is State.CANCELLED


def test_what_gc_removes(flows: Place) -> None:
    environment = replace(
        flows.environment,
        retention=Retention(succeeded_seconds=0, failed_seconds=3600),
        timeouts=Timeouts(start_seconds=0.5, grace_seconds=5),
    )
    for run_id, function in (("good", "succeed"), ("bad", "fail")):
        flows.start(function, run_id=run_id).follow()
    flows.aws.inject(Kind.STUCK, family=flows.name)
    flows.start("succeed", run_id="stuck")
    launcher = flows.launcher(environment)
    (stuck,) = (task for task in flows.tasks() if task["startedBy"] == "stuck")
    while time.time() < stuck["createdAt"].timestamp() + 0.6:
        time.sleep(0.05)

    planned = launcher.collect(dry_run=True)
    done = launcher.collect(dry_run=False)
    flows.aws.await_stopped(flows.section.cluster_arn)

    assert planned == done
    assert (done.runs, done.leftovers) == (("good",), (stuck["taskArn"].rpartition("/")[2],))
    streams = flows.aws.client("logs").describe_log_streams(logGroupName=flows.section.log_group)["logStreams"]
    assert len(streams) == 1
    flows.aws.forget()
    assert [item.outcome.run_id for item in flows.launcher(environment).runs()] == ["bad"]


@pytest.mark.long
def test_many_followers_share_their_questions(flows: Place) -> None:
    flows.aws.delay(PENDING=2.0)
    launcher = flows.launcher()
    count = 16
    for number in range(count):
        asked, data = flows.asked("succeed", run_id=f"run-{number}")
        launcher.submit(flows.environment, asked, bundle=data)
    flows.aws.calls(clear=True)
    ends: list[int | None] = []
    began = time.monotonic()

    def follow(run_id: str) -> None:
        ends.append(launcher.follow(run_id, lambda _: None).exit_code)

    threads = [threading.Thread(target=follow, args=[f"run-{number}"]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    seconds = time.monotonic() - began
    calls = Counter(call["action"] for call in flows.aws.calls())
    assert ends == [0] * count
    assert calls["DescribeTasks"] <= 10 * seconds + 20
    assert calls["DescribeTasks"] < count * 3
    assert calls["GetLogEvents"] <= 10 * seconds + 10
    assert calls["ListTasks"] == 0


def test_a_run_is_found_where_ecs_takes_no_status_beside_what_started_it(
    flows: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows.start("succeed", run_id="another").follow()
    flows.start("fail").follow()
    launcher = flows.launcher()
    call = launcher._ecs.call

    def refusing(operation: str, **body: Any) -> Any:
        if "startedBy" in body and "desiredStatus" in body:
            raise Refused("No.", status=400, code="InvalidParameterException", message="startedBy must be alone")
        return call(operation, **body)

    monkeypatch.setattr(launcher._ecs, "call", refusing)

    assert launcher.find("the-run").outcome.exit_code == 1


def test_a_run_is_found_though_ecs_does_not_list_it_yet(flows: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = flows.launcher()
    asked, data = flows.asked("succeed")
    launcher.submit(flows.environment, asked, bundle=data)
    monkeypatch.setattr(launcher._finder, "tasks", lambda _: [])

    assert launcher.find("the-run").outcome.state is State.QUEUED
    monkeypatch.undo()
    assert launcher.follow("the-run", lambda _: None).exit_code == 0


def test_what_a_slow_start_waits_for_is_told_once(flows: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "USUAL_START_SECONDS", 0.2)
    flows.aws.delay(PENDING=1.5)
    run = flows.start("succeed")

    run.follow()

    assert run.notices[-1] == "the-run has its place, and its image is being pulled."
    assert len(set(run.notices)) == len(run.notices)
