"""What goes wrong on ECS while a run has Dask workers there: in one of them, in all, in the scheduler, in calls."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.environment import Timeouts
from runner.outcome import Outcome
from tests.testbed.aws.faults import Kind
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import DaskPlace, await_nothing_left, dask_place
from tests.testbed.followed_run import Run, told
from tests.testbed.runner_process import await_file
from tests.testbed.waiting import wait_until

pytestmark = [pytest.mark.aws, pytest.mark.dask, pytest.mark.timeout(120)]
CLOSE_SECONDS = 5.0
TIMES = Timeouts(queue_seconds=20, start_seconds=8, grace_seconds=5)
EVERY = 99

AT_START: list[tuple[Kind, str]] = [
    (Kind.CAPACITY, "wait (unschedulable): No capacity of AWS has room for a worker"),
    (Kind.RESOURCE, "wait (unschedulable): No instance of the cluster has room for a worker (its memory)"),
    (Kind.QUOTA, "wait (quota): The account's limit of Fargate leaves no room for a worker"),
    (Kind.PULL_BUSY, "wait (registry): The image's registry, or the way to it, does not answer now"),
    (Kind.PULL_TIMEOUT, "wait (registry): The image's registry, or the way to it, does not answer now"),
    (Kind.FAILS_TO_START, "wait (never-started): The task stopped before its container was up"),
    (Kind.STUCK, "wait (never-started): A worker has not started within 8 s"),
    (Kind.PULL_MISSING, "could not be started: the image cannot be pulled (CannotPullContainerError"),
    (Kind.PULL_DENIED, "could not be started: the registry does not give the image to this task"),
    (Kind.SECRET, "could not be started: a secret of a worker cannot be read"),
    (Kind.LOG_GROUP, "could not be started: the log group of a worker is not there"),
]
"""What keeps tasks from starting, and what the run's log says of it."""
HOPELESS = {Kind.PULL_MISSING: "image", Kind.PULL_DENIED: "image", Kind.SECRET: "config", Kind.LOG_GROUP: "config"}
AT_WORK: list[tuple[Kind, str]] = [
    (Kind.OOM, "was killed for memory; worker_resources.memory_mib of the stack gives each more"),
    (Kind.SPOT, "was taken away (Your Spot Task was interrupted.)"),
    (Kind.HOST, "was taken away (Host EC2 (instance i-0abc) terminated.)"),
]
"""What ends tasks that are up, and what the run's log says of it."""


@pytest.fixture
def place(aws: Aws) -> Iterator[DaskPlace]:
    with dask_place(aws, 2, timeouts=TIMES) as place:
        yield place


def in_worker(place: DaskPlace, kind: Kind, **options: Any) -> None:
    """Have a fault hit the next workers of a place."""
    place.aws.inject(kind, family=place.names.worker_family, **options)


def follow(place: DaskPlace, function: str = "spread.py:total", **parameters: Any) -> tuple[Run, Outcome]:
    run = place.start(function, **(parameters or {"count": 6}))
    return run, run.follow()


def work_until_told(
    place: DaskPlace, folder: Path, sentences: Mapping[str, int], at_work: Callable[[], None] = lambda: None
) -> Outcome:
    """Follow a flow that has work for its workers until the log has sentences so and so often, each about a worker."""
    ready, go = folder / "ready", folder / "go"
    run = place.start("spread.py:total_until", count=20, ready=str(ready), go=str(go))
    run.start_following()
    await_file(ready, 60)
    at_work()
    for sentence, times in sentences.items():
        run.await_output(f"{sentence}; another takes its place.".encode(), times=times)
    started = place.section.min_workers + sum(sentences.values())
    wait_until(lambda: len(place.workers()) >= started or None)
    go.write_text("go")
    outcome = run.end()

    assert {sentence: run.output.count(sentence.encode()) for sentence in sentences} == sentences
    assert len(place.workers()) == started
    return outcome


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, len(AT_START), 4))
def test_workers_that_do_not_start_hold_nobody_up(aws: Aws, first: int) -> None:
    some = AT_START[first : first + 4]
    with dask_place(aws, 1 + len(some), timeouts=TIMES) as place:
        for kind, _ in some:
            in_worker(place, kind)

        run, outcome = follow(place)

        assert (outcome.exit_code, outcome.result) == (0, 55), outcome.failure
        said = run.output.decode()
        # What is alike is told once for all.
        assert [kind for kind, sentence in some if sentence.partition("(")[0] not in said] == []
        await_nothing_left(place, CLOSE_SECONDS)


@pytest.mark.parametrize(
    "kind",
    [kind if kind is Kind.PULL_MISSING else pytest.param(kind, marks=pytest.mark.long) for kind in HOPELESS],
)
def test_when_no_worker_can_start_the_run_ends_with_the_platforms_reason(place: DaskPlace, kind: Kind) -> None:
    in_worker(place, kind, times=EVERY)
    began = time.monotonic()

    _, outcome = follow(place)

    assert told(outcome) == (HOPELESS[kind], 69)
    assert outcome.failure is not None
    assert "could not be started: " in outcome.failure.message
    assert outcome.failure.evidence is not None
    assert outcome.failure.evidence.startswith(("CannotPullContainerError", "ResourceInitializationError"))
    assert time.monotonic() - began < 60
    await_nothing_left(place, CLOSE_SECONDS)


@pytest.mark.long
@pytest.mark.parametrize("kind", [kind for kind, _ in AT_START if kind not in HOPELESS])
def test_all_workers_are_waited_for_as_long_as_the_clock_says(place: DaskPlace, kind: Kind) -> None:
    in_worker(place, kind, times=EVERY)

    _, outcome = follow(place)

    assert outcome.exit_code == 69
    assert outcome.failure is not None
    assert outcome.failure.message.startswith(("No worker could be started: ", "No worker was connected within 8 s"))
    assert kind is not Kind.STUCK or "PENDING" in outcome.failure.message
    await_nothing_left(place, CLOSE_SECONDS)


@pytest.mark.long
def test_workers_for_which_there_is_no_room_at_first_come_later(aws: Aws) -> None:
    # The pause before workers are asked for again is up to 7.5 s: the clock of `TIMES` would leave none to start in.
    with dask_place(aws, 2) as place:
        in_worker(place, Kind.CAPACITY, times=2)

        run, outcome = follow(place)

        assert (outcome.exit_code, outcome.result) == (0, 55), outcome.failure
        assert (
            b"2 of 2 workers wait (unschedulable): No capacity of AWS has room for a worker. The flow waits for one."
            in (run.output)
        )


@pytest.mark.long
def test_workers_that_are_lost_at_work_are_replaced(aws: Aws, tmp_path: Path) -> None:
    with dask_place(aws, 4) as place:
        for kind, _ in AT_WORK:
            in_worker(place, kind, delay=3)

        outcome = work_until_told(place, tmp_path, {sentence: 1 for _, sentence in AT_WORK})

        assert (outcome.exit_code, outcome.result) == (0, 2470), outcome.failure
        await_nothing_left(place, CLOSE_SECONDS)


@pytest.mark.long
@pytest.mark.parametrize(("kind", "sentence"), AT_WORK, ids=[kind for kind, _ in AT_WORK])
def test_all_workers_that_are_lost_at_work_are_replaced(
    place: DaskPlace, kind: Kind, sentence: str, tmp_path: Path
) -> None:
    in_worker(place, kind, times=2, delay=3)

    outcome = work_until_told(place, tmp_path, {sentence: 2})

    assert (outcome.exit_code, outcome.result) == (0, 2470), outcome.failure
    await_nothing_left(place, CLOSE_SECONDS)


@pytest.mark.long
def test_half_of_the_workers_are_interrupted_on_spot(aws: Aws, tmp_path: Path) -> None:
    with dask_place(aws, 4, fargate_spot=True) as place:
        in_worker(place, Kind.SPOT, times=2, delay=3)

        outcome = work_until_told(place, tmp_path, {"was taken away (Your Spot Task was interrupted.)": 2})

        assert (outcome.exit_code, outcome.result) == (0, 2470), outcome.failure
        assert {task["capacityProviderName"] for task in place.workers()} == {"FARGATE_SPOT"}
        await_nothing_left(place, CLOSE_SECONDS)


@pytest.mark.long
def test_workers_that_are_lost_too_often_end_the_run(place: DaskPlace, tmp_path: Path) -> None:
    in_worker(place, Kind.OOM, times=EVERY, delay=0.5)

    # Without tasks, since one that three workers have died of fails the flow.
    _, outcome = follow(place, "spread.py:wait_for", ready=str(tmp_path / "ready"), go=str(tmp_path / "go"))

    assert told(outcome) == ("oom", 69)
    await_nothing_left(place, CLOSE_SECONDS)


@pytest.mark.long
@pytest.mark.parametrize("kind", [*(kind for kind, _ in AT_START), Kind.OOM])
def test_a_scheduler_in_a_task_of_its_own_that_fails(aws: Aws, kind: Kind) -> None:
    with dask_place(aws, 1, scheduler_task=True, timeouts=TIMES) as place:
        aws.inject(kind, family=place.names.scheduler_family, times=EVERY, delay=3 if kind is Kind.OOM else 0)
        _, outcome = follow(place, count=200)

        assert outcome.exit_code == 69
        assert outcome.failure is not None
        assert "The task of the run's scheduler " in outcome.failure.message
        await_nothing_left(place, CLOSE_SECONDS)


@pytest.mark.long
@pytest.mark.parametrize("kind", [Kind.SPOT, Kind.HOST])
def test_a_run_whose_scheduler_is_taken_away_is_started_again(aws: Aws, kind: Kind) -> None:
    with dask_place(aws, 1, scheduler_task=True) as place:
        aws.inject(kind, family=place.names.scheduler_family, delay=3)
        run, outcome = follow(place, count=30)

        assert (outcome.exit_code, outcome.result, outcome.attempt) == (0, 8555, 2), outcome.failure
        assert "(preempted: The task of the run's scheduler was taken away (" in run.notices[0]
        await_nothing_left(place, CLOSE_SECONDS)


@pytest.mark.parametrize(
    "kind", [Kind.THROTTLE, *(pytest.param(kind, marks=pytest.mark.long) for kind in (Kind.UNAVAILABLE, Kind.DROP))]
)
def test_calls_that_fail_are_made_again(place: DaskPlace, kind: Kind) -> None:
    for action in ("CreateSecret", "GetSecretValue", "DescribeTasks", "StopTask", "DeleteSecret"):
        place.aws.inject(kind, action=action, times=2)
    run = place.start("spread.py:total", count=6)
    # Not the start of the run itself, which is the client's.
    place.aws.inject(kind, action="RunTask", times=2)

    outcome = run.follow()

    assert (outcome.exit_code, outcome.result) == (0, 55), outcome.failure
    assert len(place.workers()) == 2
    await_nothing_left(place, 2 * CLOSE_SECONDS)


@pytest.mark.long
def test_a_secret_that_is_gone_is_a_sentence_in_seconds(aws: Aws) -> None:
    with dask_place(aws, 2) as place:
        aws.delay(PENDING=2)
        run = place.start("spread.py:total", count=6)
        run.start_following()
        (secret,) = wait_until(lambda: place.secrets() or None)
        aws.client("secretsmanager").delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)
        outcome = run.end()

        assert told(outcome) == ("config", 69)
        assert outcome.failure is not None
        said = f"the secret with the run's keys is not in Secrets Manager as {secret['Name']}"
        assert said in outcome.failure.message
        assert outcome.ledger["finished"] < 30
        await_nothing_left(place, CLOSE_SECONDS)


@pytest.mark.long
@pytest.mark.parametrize(
    ("action", "sentence"),
    [("secretsmanager:CreateSecret", "secretsmanager:CreateSecret"), ("ecs:RunTask", "ecs:RunTask")],
)
def test_a_right_that_the_run_does_not_have_is_named(place: DaskPlace, action: str, sentence: str) -> None:
    deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": action, "Resource": "*"}]}
    role = place.ground.role("task").rpartition("/")[2]
    iam = place.aws.client("iam")
    iam.put_role_policy(RoleName=role, PolicyName="deny", PolicyDocument=json.dumps(deny))
    try:
        _, outcome = follow(place)
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="deny")

    assert outcome.exit_code == 69
    assert outcome.failure is not None
    assert sentence in outcome.failure.message
    await_nothing_left(place, CLOSE_SECONDS)


@pytest.mark.long
def test_a_worker_that_somebody_stops_is_replaced(place: DaskPlace, tmp_path: Path) -> None:
    def stop_one() -> None:
        arn = place.workers()[0]["taskArn"]
        place.aws.client("ecs").stop_task(cluster=place.section.cluster_arn, task=arn, reason="too loud")

    outcome = work_until_told(place, tmp_path, {"was stopped by somebody else (too loud)": 1}, stop_one)

    assert (outcome.exit_code, outcome.result) == (0, 2470), outcome.failure


@pytest.mark.long
def test_versions_that_differ_are_told_at_once(place: DaskPlace) -> None:
    other = place.worker_definition(entryPoint=["python3", "-P", "-c", OTHER_VERSIONS])
    target = replace(place.environment, dask_cloud_provider=replace(place.section, worker_task_definition_arn=other))
    outcome = place.start("spread.py:total", environment=target, count=2).follow()

    assert told(outcome) == ("config", 69)
    assert outcome.failure is not None
    assert "cannot work with this run" in outcome.failure.message
    assert "dask 0.1 instead of" in outcome.failure.message


OTHER_VERSIONS = """
import sys
from runner.clusters import entry, versions
found = versions.own_versions
versions.own_versions = lambda: {**found(), "dask": "0.1"}
sys.exit(entry.main(sys.argv[1:]))
"""
