"""What ECS says of a task between the wish that it stops and its end."""

import pytest

from tests.aws.conftest import Bed

pytestmark = pytest.mark.aws

SLOW = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("asked"), time.sleep(0.5), print("done"), sys.exit(0)))
print("up")
time.sleep(60)
"""


def test_a_task_is_stopping_until_its_processes_have_ended(bed: Bed) -> None:
    arn = bed.run(SLOW)
    bed.until_line(arn, "up")

    bed.ecs.stop_task(cluster=bed.cluster, task=arn, reason="enough")
    bed.until_line(arn, "asked")

    task = bed.task(arn)
    assert (task["lastStatus"], task["desiredStatus"]) == ("STOPPING", "STOPPED")
    assert "stoppedAt" not in task
    assert "exitCode" not in task["containers"][0]
    assert bed.ecs.list_tasks(cluster=bed.cluster)["taskArns"] == []
    assert bed.ecs.list_tasks(cluster=bed.cluster, desiredStatus="STOPPED")["taskArns"] == [arn]
    assert bed.until(arn)["containers"][0]["exitCode"] == 0
    assert bed.lines(arn) == ["up", "asked", "done"]


def test_the_first_reason_stays(bed: Bed) -> None:
    arn = bed.run(SLOW)
    bed.until_line(arn, "up")

    for reason in ("enough", "again"):
        bed.ecs.stop_task(cluster=bed.cluster, task=arn, reason=reason)
    bed.until(arn)
    bed.ecs.stop_task(cluster=bed.cluster, task=arn, reason="afterwards")

    assert bed.task(arn)["stoppedReason"] == "enough"
