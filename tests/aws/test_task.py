"""A task as answers have it."""

import threading

from tests.testbed.aws.task import ProcessTask


def test_an_answer_is_of_one_moment() -> None:
    task = object.__new__(ProcessTask)
    task.lock, task.containers = threading.RLock(), [{"name": "flow", "lastStatus": "RUNNING"}]
    task.last_status = "RUNNING"

    seen = task.seen()
    task.containers[0]["reason"] = "it was killed"
    task.last_status = "STOPPED"

    assert (seen.last_status, seen.containers) == ("RUNNING", [{"name": "flow", "lastStatus": "RUNNING"}])
