"""Keeps the pods of a run's Dask workers: creates and deletes them, and tells how they stand.

Guarantees: what is asked for is created, several at a time, and asked for again while a quota leaves no room; what
keeps workers from starting is told once, in plain words; `close` leaves none of them and no Secret, whatever happened
before. Knows nothing of Dask, so that pods are on their way before that is imported.
"""

import contextlib
import queue
import random
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from runner.clusters import worker_pod
from runner.clusters.ended import Ended
from runner.clusters.troubles import Troubles
from runner.clusters.worker_pod import Template
from runner.errors import PenstockError
from runner.kubernetes import names, pending
from runner.kubernetes.client import Client, path
from runner.kubernetes.errors import ApiError, Conflict, NotFound
from runner.kubernetes.watch import Watch
from runner.trouble import Trouble

Object = Mapping[str, Any]

CALLS = 8
"""Calls at a time."""
AGAIN_SECONDS = 5.0
"""Pause, on average, before a pod that was refused is asked for again."""
END_SECONDS = 1.0
"""How long a thread may take to end that is asking a cluster which does not answer; it holds nothing."""
GRACE_SECONDS = 2
"""Between SIGTERM and SIGKILL for workers that are not needed any more."""


class WorkerPods:
    """The pods of one run's workers.

    Args:
        client: the cluster, with the rights of the run.
        template: what the pods are made from.
        keys: the run's TLS keys, as PEM.
        told: what every worker is told.
        log: called with details about the cluster, for `log_k8s_errors`.
    """

    def __init__(
        self,
        client: Client,
        template: Template,
        *,
        keys: str,
        told: Mapping[str, object],
        log: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._client = client
        self._template = template
        self._owner = template.owner
        self._told = told
        self._keys = keys
        self._log = log
        self._pods = path("v1", "pods", namespace=self._owner.namespace)
        self._secrets = path("v1", "secrets", namespace=self._owner.namespace)
        self._calls = ThreadPoolExecutor(CALLS, thread_name_prefix="penstock-pods")
        self._queue: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._wanted: set[int] = set()
        self._made: set[int] = set()
        """Every pod that there may be."""
        self._troubles = Troubles()
        self._refusals: dict[int, Trouble] = {}
        """Those of them that ended with the creation of the pod."""
        self._again: dict[int, float] = {}
        self._ended: set[int] = set()
        self._closing = threading.Event()
        self._on_end: Callable[[int, Ended], object] | None = None
        self._early: list[tuple[int, Ended]] = []
        self._watch = Watch(client, self._pods, label_selector=worker_pod.selector(self._owner))
        works = {"keep": self._keep, "look": self._look}
        self._threads = [
            threading.Thread(target=work, name=f"penstock-pods-{name}", daemon=True) for name, work in works.items()
        ]

    def start(self) -> None:
        """Create the Secret, and begin to look after pods.

        Raises:
            UnavailableError: the cluster does not allow it, or does not answer.
        """
        with contextlib.suppress(Conflict):  # this call's own first try
            self._client.create(self._secrets, worker_pod.secret(self._owner, self._keys))
        for thread in self._threads:
            thread.start()

    def on_end(self, callback: Callable[[int, Ended], object]) -> None:
        """Have every end of a pod told that was not asked for, those before this call included."""
        with self._lock:
            self._on_end, early = callback, self._early
        for number, ended in early:
            callback(number, ended)

    def request(self, number: int) -> None:
        """Ask for a worker; what keeps it from starting is told, and it is asked for again."""
        with self._lock:
            if number in self._wanted or number in self._ended or self._closing.is_set():
                return
            self._wanted.add(number)
        self._calls.submit(self._create, number)

    def remove(self, number: int) -> None:
        """Delete a worker's pod. When this returns the cluster has taken the order, or could not be asked."""
        with self._lock:
            self._wanted.discard(number)
            self._again.pop(number, None)
            self._troubles.forget(number)
            made = number in self._made
        if made:
            self._delete(number)

    def waiting(self) -> Trouble | None:
        """What keeps workers from starting; null when nothing is known to."""
        return self._troubles.waiting()

    def held(self) -> int:
        """How many of the workers that are asked for are kept from starting, and not just for a moment."""
        return self._troubles.held()

    def close(self) -> None:
        """Delete all pods and the Secret. What cannot be deleted now is left to the container `cleanup`."""
        with self._lock:
            self._closing.set()
            self._again.clear()
        self._queue.put(("closed", None))
        self._watch.close()
        # A creation that is under way has to end before what it makes can be deleted.
        self._calls.shutdown(wait=True, cancel_futures=True)
        with ThreadPoolExecutor(CALLS) as calls:
            gone = [calls.submit(self._delete, number) for number in sorted(self._made)]
            gone.append(calls.submit(self._delete_secret))
        for thread in self._threads:
            if thread.is_alive():
                thread.join(END_SECONDS)
        left = [item for item in gone if not item.result()]
        if left:
            print(
                f"penstock: {len(left)} of the workers' objects could not be deleted now; the pod's container "
                "`cleanup` does it, or the cluster when the run's pod is removed.",
                file=sys.stderr,
            )

    def _create(self, number: int) -> None:
        with self._lock:
            if number not in self._wanted or self._closing.is_set():
                return
            self._made.add(number)  # before it is, and even when it is refused: the answer to a first try can be lost
        try:
            self._client.create(self._pods, worker_pod.pod(self._template, number, self._told))
            trouble = None
        except Conflict:
            trouble = None
        except Exception as error:  # noqa: BLE001 whatever it is, it must not be lost with this thread
            said = (isinstance(error, ApiError) and error.message) or str(error) or type(error).__name__
            trouble = pending.of_refusal(said, whose="a worker")
        with self._lock:
            self._made.add(number)  # a deletion that came too early found nothing
            unwanted = number not in self._wanted
        if unwanted:
            self._delete(number)
        self._log(f"worker {number}: {'created' if trouble is None else trouble.failure.evidence}")
        self._queue.put(("created", (number, trouble)))

    def _delete(self, number: int) -> bool:
        name = worker_pod.worker_name(self._owner, number)
        return self._gone(f"{self._pods}/{name}", lambda: self._made.discard(number), GRACE_SECONDS)

    def _delete_secret(self) -> bool:
        return self._gone(f"{self._secrets}/{worker_pod.secret_name(self._owner)}", lambda: None)

    def _gone(self, where: str, note: Callable[[], object], grace: int | None = None) -> bool:
        try:
            self._client.delete(where, None if grace is None else {"gracePeriodSeconds": grace})
        except NotFound:
            pass
        except PenstockError as error:
            self._log(f"{where} could not be deleted: {error}")
            return False
        with self._lock:
            note()
        return True

    def _look(self) -> None:
        """Watch the pods, for as long as it takes the cluster to answer."""
        while not self._closing.is_set():
            try:
                for event in self._watch:
                    if event.type != "LISTED" and worker_pod.is_of(self._owner, event.object):
                        self._queue.put(("pod", event))
            except Exception as error:  # noqa: BLE001 the flow goes on with the workers that there are
                self._log(f"the workers' pods cannot be watched: {error}")
                self._closing.wait(AGAIN_SECONDS)

    def _keep(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(queue.Empty):
                what, value = self._queue.get(timeout=self._patience())
                if what == "created":
                    self._take_creation(*value)
                elif what == "pod":
                    self._take_pod(value.type, value.object)
            self._ask_again()
            self._tell()

    def _patience(self) -> float | None:
        now = time.monotonic()
        due_at = self._troubles.due_at()
        with self._lock:
            moments = [*self._again.values(), *([] if due_at is None else [due_at])]
        return max(0.0, min(moments) - now) if moments else None

    def _ask_again(self) -> None:
        now = time.monotonic()
        with self._lock:
            due = [number for number, at in self._again.items() if at <= now]
            for number in due:
                del self._again[number]
        for number in due:
            with contextlib.suppress(RuntimeError):  # closed meanwhile
                self._calls.submit(self._create, number)

    def _take_creation(self, number: int, trouble: Trouble | None) -> None:
        with self._lock:
            refusal = self._refusals.pop(number, None)
            if number not in self._wanted:
                self._troubles.forget(number)
                return
            if trouble is None:
                # What the pod itself has told meanwhile stays.
                if self._troubles.of(number) is refusal:
                    self._troubles.forget(number)
                return
            self._troubles.note(number, trouble)
            self._refusals[number] = trouble
            pause = AGAIN_SECONDS * random.uniform(0.5, 1.5)  # noqa: S311 it spreads load, and hides nothing
            self._again[number] = time.monotonic() + pause

    def _take_pod(self, kind: str, found: Object) -> None:
        number = int(found["metadata"]["labels"][names.WORKER])
        ended = worker_pod.ended(found)
        if ended is None and kind == "DELETED":
            ended = worker_pod.deleted()
        self._log(f"worker {number}: {kind.lower()} {found.get('status', {}).get('phase', '')}")
        with self._lock:
            if ended is None:
                if (trouble := pending.of_pod(found, whose="a worker")) is not None:
                    self._troubles.note(number, trouble)
                elif found.get("spec", {}).get("nodeName"):
                    self._troubles.forget(number)
                return
            self._troubles.forget(number)
            if kind == "DELETED":
                self._made.discard(number)
            unasked = number in self._wanted and number not in self._ended
            self._ended.add(number)
            self._wanted.discard(number)
            callback = self._on_end
            if unasked and callback is None:
                self._early.append((number, ended))
            # There is room now for one that was refused.
            for other in self._again:
                self._again[other] = time.monotonic()
        if unasked and callback is not None:
            callback(number, ended)

    def _tell(self) -> None:
        with self._lock:
            wanted = len(self._wanted)
        self._troubles.tell(wanted)
