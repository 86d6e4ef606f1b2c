"""What the Dask workers of a run print, each line with its worker: from their pods while those are there."""

import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from runner.errors import PenstockError, UsageError
from runner.kubernetes import names
from runner.kubernetes.client import Client, path
from runner.kubernetes.errors import NotFound, NotStarted
from runner.kubernetes.logs import PodLog
from runner.kubernetes.watch import Watch
from runner.launch.workers import marked
from runner.outcome import WORKER_LOG_ARTIFACT, Outcome
from runner.sections import WORKER_CONTAINER

Object = Mapping[str, Any]

CALLS = 8


def read(client: Client, pods: Iterable[Object]) -> bytes:
    """What the workers have printed so far, in the order in which it was printed."""
    with ThreadPoolExecutor(CALLS) as calls:
        stamped = [line for lines in calls.map(lambda pod: _stamped(client, pod), pods) for line in lines]
    # The stamps are of one format and one zone, so they sort as text; lines of one time stay in order.
    return b"".join(marked(number, text) for _, number, text in sorted(stamped, key=lambda item: item[0]))


def kept(outcome: Outcome) -> bytes:
    """What they had printed, of a run that has ended.

    Raises:
        UsageError: nothing of it is kept.
    """
    for item in outcome.artifacts:
        if item.name == WORKER_LOG_ARTIFACT and Path(item.path).is_file():
            return Path(item.path).read_bytes()
    raise UsageError(
        f"Nothing that workers of {outcome.run_id} printed is kept. It had none, they printed nothing in Python, "
        "or what it left behind is gone with its pod."
    )


def selector(found: Object) -> str:
    """Selects the workers of a Job's attempt."""
    labels = found["metadata"]["labels"]
    own = (names.RUN_ID, names.ATTEMPT, names.ENVIRONMENT)
    return ",".join([*(f"{name}={labels[name]}" for name in own), names.WORKER])


def has_started(pod: Object) -> bool:
    """Whether there can be a log of the worker's container."""
    statuses = pod.get("status", {}).get("containerStatuses", [])
    state: Object = next((item.get("state", {}) for item in statuses if item["name"] == WORKER_CONTAINER), {})
    return "running" in state or "terminated" in state


class Following:
    """Passes on what workers print as it comes, of those that come later, too, until it is closed.

    Args:
        client: the cluster.
        namespace: the namespace.
        selector: selects the workers' pods.
        write: called with whole lines, by one thread.
    """

    def __init__(self, client: Client, namespace: str, selector: str, write: Callable[[bytes], object]) -> None:
        self._client = client
        self._namespace = namespace
        self._write = write
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._logs: dict[str, PodLog] = {}
        self._readers: list[threading.Thread] = []
        self._watch = Watch(client, path("v1", "pods", namespace=namespace), label_selector=selector)
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._writing = threading.Thread(target=self._pass_on, daemon=True)

    def __enter__(self) -> "Following":
        self._looking.start()
        self._writing.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.close()
        self._looking.join()
        for log in self._logs.values():
            log.close()
        for reader in self._readers:
            reader.join()
        self._lines.put(None)
        self._writing.join()

    def _look(self) -> None:
        try:
            for event in self._watch:
                if event.type != "LISTED" and has_started(event.object):
                    self._begin(event.object)
        except PenstockError:
            return  # the run itself is followed by another watch, which tells

    def _begin(self, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        if uid not in self._logs:
            name = pod["metadata"]["name"]
            log = PodLog(self._client, namespace=self._namespace, pod=name, container=WORKER_CONTAINER)
            self._logs[uid] = log
            reader = threading.Thread(target=self._read, args=(log, _number(pod)), daemon=True)
            self._readers.append(reader)
            reader.start()
        if pod["status"].get("phase") in {"Succeeded", "Failed"}:
            self._logs[uid].finish()

    def _read(self, log: PodLog, number: str) -> None:
        try:
            for line in log:
                self._lines.put(marked(number, line))
        except PenstockError:
            return  # its pod is gone, and the run goes on

    def _pass_on(self) -> None:
        while (line := self._lines.get()) is not None:
            self._write(line)


def _stamped(client: Client, pod: Object) -> list[tuple[bytes, str, bytes]]:
    """Lines with their times and their worker."""
    where = path("v1", "pods", namespace=pod["metadata"]["namespace"], name=pod["metadata"]["name"], sub="log")
    try:
        data = client.raw("GET", where, container=WORKER_CONTAINER, timestamps=True)
    except (NotStarted, NotFound):
        return []
    # Not splitlines: what a progress bar prints has carriage returns in one line, with one time.
    lines = [line.partition(b" ") for line in data.removesuffix(b"\n").split(b"\n") if line]
    return [(stamp, _number(pod), text) for stamp, _, text in lines]


def _number(pod: Object) -> str:
    number: str = pod["metadata"]["labels"][names.WORKER]
    return number
