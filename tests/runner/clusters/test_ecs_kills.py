"""What is left of a run with Dask workers on ECS when its runner or client is killed, at whatever moment: nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner import contract
from runner.launch.ecs import follow
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import DaskPlace, await_nothing_left, dask_place
from tests.testbed.runner_process import FLOWS, await_file
from tests.testbed.waiting import wait_until

pytestmark = [pytest.mark.aws, pytest.mark.dask, pytest.mark.timeout(120)]
KILL_SECONDS = 15.0
"""So long after the runner was killed nothing of its run may be left."""
MOMENTS = [0.3 * number for number in range(10)]
"""Seconds after its start: before it has a secret, while workers start, join and work, and while it closes."""


@pytest.fixture
def place(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[DaskPlace]:
    monkeypatch.setattr(follow, "QUIET_SECONDS", 0.3)
    with dask_place(aws, 2) as place:
        yield place


def runner_pid(place: DaskPlace) -> int | None:
    """Process id of the runner of the run that goes on; null while there is none."""
    for task in place.tasks():
        if task["group"].endswith(f":{place.name}") and task["lastStatus"] == "RUNNING":
            return place.aws.processes(task["taskArn"].rpartition("/")[2]).get("flow")
    return None


def kill_after(place: DaskPlace, seconds: float, run_id: str) -> None:
    """Start a run, and kill its runner so long after that was up."""
    run = place.start("spread.py:total", run_id=run_id, count=4)
    pid = wait_until(lambda: runner_pid(place))
    time.sleep(seconds)  # the moment is what is tested, whatever the run is doing then
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        assert run.follow().exit_code == 0
    await_nothing_left(place, KILL_SECONDS)


def printed(place: DaskPlace, container: str) -> str:
    """What containers of a name have printed."""
    logs, group = place.aws.client("logs"), place.section.log_group
    prefix = f"{place.section.log_stream_prefix}/{container}/"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
    pages = [logs.get_log_events(logGroupName=group, logStreamName=item["logStreamName"]) for item in streams]
    return "\n".join(event["message"] for page in pages for event in page["events"])


def test_nothing_is_left_of_a_run_whose_runner_is_killed_at_work(place: DaskPlace, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    run = place.start("spread.py:slow_total", count=40, ready=str(ready))
    run.start_following()
    await_file(ready, 60)
    pid = runner_pid(place)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    await_nothing_left(place, KILL_SECONDS)
    assert run.end().exit_code == 137
    assert "Traceback" not in printed(place, "cleanup")


@pytest.mark.long
@pytest.mark.parametrize("moment", range(len(MOMENTS)))
def test_nothing_is_left_of_a_run_whose_runner_is_killed_at_any_moment(place: DaskPlace, moment: int) -> None:
    kill_after(place, MOMENTS[moment], f"killed-{moment}")


@pytest.mark.long
def test_nothing_is_left_of_a_run_whose_scheduler_is_in_a_task(aws: Aws) -> None:
    with dask_place(aws, 2, scheduler_task=True) as place:
        for number, seconds in enumerate((0.8, 1.6, 2.4)):
            kill_after(place, seconds, f"killed-{number}")


@pytest.mark.parametrize("moment", [pytest.param(n, marks=[] if n == 5 else pytest.mark.long) for n in range(10)])
def test_a_run_whose_client_is_killed_ends_by_itself(place: DaskPlace, tmp_path: Path, moment: int) -> None:
    document = tmp_path / "environment.json"
    document.write_bytes(contract.to_bytes(place.environment))
    command = [sys.executable, "-m", "runner.cli", "run", "spread.py:total", "-p", "count=4", "--run-id", "the-run"]
    client = subprocess.Popen(
        [*command, "--environment", str(document)],
        cwd=FLOWS,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(MOMENTS[moment] + 0.2)  # the moment is what is tested
    client.kill()
    client.wait()

    for task in place.tasks():
        place.aws.await_stopped(task["clusterArn"])
    await_nothing_left(place, KILL_SECONDS)
    runs = [record.outcome for record in place.launcher().runs()]
    assert [(run.run_id, run.exit_code) for run in runs] in ([], [("the-run", 0)])


@pytest.mark.parametrize("end", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)], ids=str)
def test_a_run_that_is_cancelled_closes_its_cluster(place: DaskPlace, tmp_path: Path, end: signal.Signals) -> None:
    ready = tmp_path / "ready"
    run = place.start("spread.py:slow_total", count=40, ready=str(ready))
    run.start_following()
    await_file(ready, 60)
    run.launcher.stop("the-run", interrupt=end is signal.SIGINT)
    outcome = run.end()

    assert outcome.state.value == "cancelled"
    await_nothing_left(place, KILL_SECONDS)
    assert "was left by the run" not in printed(place, "cleanup")
