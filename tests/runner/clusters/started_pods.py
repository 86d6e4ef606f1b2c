"""Pods of workers that have begun on an API server which does what a test says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from runner.clusters import worker_pod
from runner.clusters.ended import End, Ended
from runner.clusters.pods import WorkerPods
from runner.outcome import FailureClass
from tests.runner.clusters.pods_api import SECONDS, PodsApi, pods_api
from tests.runner.clusters.worker_pods import OWNER, TOLD, template
from tests.runner.kubernetes.api_server import Exchange

KEYS = "the keys, as PEM"
QUOTA = 'pods "x" is forbidden: exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=3'
REFUSED = 'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
UNSCHEDULABLE = [
    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available"}
]
RUNNING: dict[str, Any] = {"state": {"running": {}}}
LOST = Ended(end=End.LOST, failure_class=FailureClass.CRASH, why="was ended by SIGKILL (exit code 137)")


def name(number: int) -> str:
    return worker_pod.worker_name(OWNER, number)


def refused(message: str = QUOTA) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.fail(403, "Forbidden", message)


class Lines:
    """What is logged, which can be waited for."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, line: str) -> None:
        with self._changed:
            self.lines.append(line)
            self._changed.notify_all()

    def wait_for(self, text: str, times: int = 1) -> None:
        with self._changed:
            found = lambda: sum(text in line for line in self.lines) >= times  # noqa: E731
            assert self._changed.wait_for(found, SECONDS), self.lines


@contextmanager
def started(*, budget_seconds: float = 5) -> Iterator[tuple[WorkerPods, PodsApi, Lines]]:
    """Pods that have begun, and are closed at the end."""
    log = Lines()
    with pods_api(budget_seconds=budget_seconds) as (api, client):
        found = WorkerPods(client, template(), keys=KEYS, told=TOLD, log=log)
        try:
            found.start()
            yield found, api, log
        finally:
            found.close()
