"""Containers beside each other: who ends whom, how long each has for its end, and what is told meanwhile."""

import os
import signal
import time

import pytest

from tests.aws.conftest import Bed
from tests.testbed.aws.faults import Kind

pytestmark = pytest.mark.aws

CLEANS_UP = """
import os, signal, sys, time
def end(*_):
    print("asked")
    while not os.path.exists(os.environ["GO"]):
        time.sleep(0.01)
    print("cleaned")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("waits")
time.sleep(60)
"""
DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(60)"
WAITS = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(143)); print('up'); time.sleep(60)"


def test_the_task_lasts_until_the_last_container_has_ended(bed: Bed, tmp_path_factory: pytest.TempPathFactory) -> None:
    go = tmp_path_factory.mktemp("go") / "go"
    definition = bed.register(
        bed.container("import time; time.sleep(0.5); raise SystemExit(4)"),
        bed.container(
            CLEANS_UP,
            name="cleanup",
            essential=False,
            stopTimeout=30,
            environment=[{"name": "GO", "value": str(go)}],
        ),
    )
    (started,) = bed.ask(definition)["tasks"]
    arn = started["taskArn"]
    bed.until_line(arn, "asked", "cleanup")

    task = bed.task(arn)
    states = {item["name"]: (item["lastStatus"], item.get("exitCode")) for item in task["containers"]}
    assert states == {"flow": ("STOPPED", 4), "cleanup": ("RUNNING", None)}
    assert (task["lastStatus"], task["desiredStatus"]) == ("STOPPING", "STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert "stoppedAt" not in task
    go.touch()
    codes = {item["name"]: item["exitCode"] for item in bed.until(arn)["containers"]}
    assert codes == {"flow": 4, "cleanup": 0}
    assert bed.lines(arn, "cleanup") == ["waits", "asked", "cleaned"]


@pytest.mark.long
@pytest.mark.parametrize("way", ["stopped", "spot"])
def test_each_container_is_asked_once_and_has_its_own_time(bed: Bed, way: str) -> None:
    counts = "import signal, time\nsignal.signal(15, lambda *_: print('asked'))\nprint('up')\n"
    definition = bed.register(
        bed.container(WAITS),
        bed.container(f"{counts}while True: time.sleep(60)", name="slow", essential=False, stopTimeout=2),
        bed.container(DEAF, name="deaf", essential=False, stopTimeout=1),
    )
    (started,) = bed.ask(definition)["tasks"]
    arn = started["taskArn"]
    for container, line in (("flow", "up"), ("slow", "up"), ("deaf", "deaf")):
        bed.until_line(arn, line, container)

    began = time.monotonic()
    if way == "spot":
        bed.aws.hit(Kind.SPOT, arn.rpartition("/")[2])
    else:
        bed.stop([arn])
    task = bed.until(arn)

    assert {item["name"]: item["exitCode"] for item in task["containers"]} == {"flow": 143, "slow": 137, "deaf": 137}
    assert bed.lines(arn, "slow") == ["up", "asked"]
    assert time.monotonic() - began >= 2
    expected = ("SpotInterruption", "Your Spot Task was interrupted.")
    assert (task["stopCode"], task["stoppedReason"]) == (
        expected if way == "spot" else ("UserInitiated", "Task stopped by user")
    )


@pytest.mark.parametrize("way", ["stopped", "killed"])
def test_what_others_depend_on_is_up_before_them_and_asked_to_end_after_them(bed: Bed, way: str) -> None:
    slow = "import signal, sys, time; signal.signal(15, lambda *_: (time.sleep(0.5), sys.exit(3))); print('up')"
    definition = bed.register(
        bed.container(f"{slow}; time.sleep(60)", dependsOn=[{"containerName": "cleanup", "condition": "START"}]),
        bed.container(
            "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, {15})\nprint('up')\n"
            "signal.sigwait({15})\nprint(time.time())",
            name="cleanup",
            essential=False,
        ),
    )
    (started,) = bed.ask(definition)["tasks"]
    arn = started["taskArn"]
    bed.until_line(arn, "up")
    bed.until_line(arn, "up", "cleanup")

    began = time.time()
    if way == "stopped":
        bed.stop([arn])
    else:
        os.kill(bed.aws.processes(arn.rpartition("/")[2])["flow"], signal.SIGKILL)
    task = bed.until(arn)

    codes = {item["name"]: item["exitCode"] for item in task["containers"]}
    assert codes == {"flow": 3 if way == "stopped" else 137, "cleanup": 0}
    _, asked_at = bed.lines(arn, "cleanup")
    assert float(asked_at) - began >= (0.5 if way == "stopped" else 0)


def test_containers_that_depend_on_each_other_never_start(bed: Bed) -> None:
    definition = bed.register(
        *(
            bed.container(WAITS, name=name, dependsOn=[{"containerName": other, "condition": "START"}])
            for name, other in (("flow", "other"), ("other", "flow"))
        )
    )
    (started,) = bed.ask(definition)["tasks"]

    assert bed.until(started["taskArn"])["stopCode"] == "TaskFailedToStart"


def test_a_lost_machine_asks_nobody(bed: Bed) -> None:
    definition = bed.register(bed.container(WAITS), bed.container(CLEANS_UP, name="cleanup", essential=False))
    (started,) = bed.ask(definition)["tasks"]
    arn = started["taskArn"]
    bed.until_line(arn, "waits", "cleanup")

    bed.aws.hit(Kind.HOST, arn.rpartition("/")[2])

    task = bed.until(arn)
    assert task["stopCode"] == "TerminationNotice"
    assert all("exitCode" not in item for item in task["containers"])
    assert bed.lines(arn, "cleanup") == ["waits"]
