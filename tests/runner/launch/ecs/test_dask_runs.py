"""Runs with Dask workers on ECS, seen by who follows them: what workers print, and what is left of lost machines."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.environment import Action, FailurePolicy
from runner.launch.ecs import follow
from runner.launch.pack import pack
from runner.outcome import State
from runner.request import RunRequest
from tests.testbed.aws.faults import Kind
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import DaskPlace, await_nothing_left, dask_place
from tests.testbed.followed_run import Run, told
from tests.testbed.waiting import wait_until

pytestmark = [pytest.mark.aws, pytest.mark.dask, pytest.mark.long]

GONE_SECONDS = 20
FLOW = """
import time
from distributed import get_client

def say(word: str, dask_worker):
    print(word, "from", dask_worker.name, flush=True)

def main(until: float = 0.0):
    get_client().run(say, "words")
    print("up", flush=True)
    while time.time() < until:
        time.sleep(0.05)
"""


@pytest.fixture(autouse=True)
def no_late_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed can be read at once here."""
    monkeypatch.setattr(follow, "QUIET_SECONDS", 0.5)


@pytest.fixture
def place(aws: Aws) -> Iterator[DaskPlace]:
    with dask_place(aws, 2) as made:
        yield made
        await_nothing_left(made, GONE_SECONDS)


def started(place: DaskPlace, folder: Path, **parameters: float) -> Run:
    """The flow above, submitted."""
    (folder / "say.py").write_text(FLOW)
    packed = pack(folder, flow="say.py:main")
    asked = RunRequest(
        run_id="the-run", accepted_at=time.time(), flow="say.py:main", parameters=parameters, bundle=packed.bundle
    )
    launcher = place.launcher()
    launcher.submit(place.environment, asked, bundle=packed.data)
    return Run(launcher, "the-run")


def own_task(place: DaskPlace) -> str:
    """Id of the run's task."""
    (task,) = (task for task in place.tasks() if task["startedBy"] == "the-run")
    return str(task["taskArn"].rpartition("/")[2])


def lose(place: DaskPlace) -> str:
    """Kill all containers of the run's task at once, so that nothing in it can clean up; the result is its id."""
    owner = own_task(place)
    for pid in place.aws.processes(owner).values():
        os.killpg(os.getpgid(pid), signal.SIGKILL)
    return owner


def test_what_workers_print_is_shown_with_their_numbers(place: DaskPlace, tmp_path: Path) -> None:
    assert started(place, tmp_path).follow().state is State.SUCCEEDED

    lines = place.launcher().worker_log("the-run").decode().splitlines()

    for number in (0, 1):
        assert f"worker {number} | words from {number}" in lines
    assert all(line.startswith(("worker 0 | ", "worker 1 | ")) for line in lines)
    assert not [line for line in lines if "penstock-worker" in line]


def test_workers_and_keys_of_a_run_whose_machine_was_lost_are_removed_by_who_follows(
    place: DaskPlace, tmp_path: Path
) -> None:
    environment = replace(place.environment, failure_policy=FailurePolicy(preempted=Action.FAIL))
    place = replace(place, environment=environment)
    run = started(place, tmp_path, until=time.time() + 120)
    run.start_following()
    run.await_output(b"up")
    assert len(place.secrets()) == 1

    lose(place)

    assert told(run.end()) == ("crash", 137)
    assert place.secrets() == []
    assert {task["desiredStatus"] for task in place.workers()} == {"STOPPED"}


def test_gc_removes_what_a_run_left_that_nobody_followed(place: DaskPlace, tmp_path: Path) -> None:
    launcher = started(place, tmp_path, until=time.time() + 120).launcher
    wait_until(lambda: b"up" in launcher.log("the-run") or None, seconds=30)
    assert launcher.collect(dry_run=True).leftovers == ()
    owner = lose(place)
    wait_until(lambda: launcher.find("the-run").outcome.state.ended or None, seconds=30)

    planned = place.launcher().collect(dry_run=True).leftovers
    done = place.launcher().collect(dry_run=False).leftovers

    # Workers may have ended by themselves meanwhile, since their scheduler is gone.
    assert planned[-1] == done[-1] == f"{place.section.secrets_prefix}{owner}"
    assert place.secrets() == []
    assert place.launcher().collect(dry_run=False).leftovers == ()


def test_a_preempted_run_begins_again_when_its_workers_have_ended(place: DaskPlace, tmp_path: Path) -> None:
    place.aws.inject(Kind.HOST, family=place.name, delay=8.0)
    run = started(place, tmp_path, until=time.time() + 10)

    outcome = run.follow()

    runs = [task for task in place.tasks() if task["startedBy"] == "the-run"]
    first = runs[0]["taskArn"].rpartition("/")[2]
    assert (outcome.state, outcome.attempt) == (State.SUCCEEDED, 2)
    assert all(task["stoppedAt"] <= runs[1]["createdAt"] for task in place.workers() if task["startedBy"] == first)
