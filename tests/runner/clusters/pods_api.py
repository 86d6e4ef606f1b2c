"""What an API server does about the pods and Secrets of one namespace, but for what a test has it do otherwise."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from runner.kubernetes import names
from runner.kubernetes.client import Client
from tests.runner.clusters.worker_pods import OWNER, told_pod
from tests.runner.kubernetes.api_server import Asked, Exchange
from tests.runner.kubernetes.replies import client_of

Reply = Callable[[Exchange], None]
PODS = f"/prefix/api/v1/namespaces/{OWNER.namespace}/pods"
SECRETS = f"/prefix/api/v1/namespaces/{OWNER.namespace}/secrets"
SECONDS = 5.0


class PodsApi:
    """The server's state, which answers as `reply`."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.asked: list[Asked] = []
        """The requests that change something, in order."""
        self.creating: Callable[[int, int], Reply | None] = lambda *_: None
        """What is done instead of creating a worker, by its number and how often it has been asked for before."""
        self.keeping: Reply | None = None
        """What is done instead of creating a Secret."""
        self.deleting: Reply | None = None
        """What is done instead of deleting something."""
        self.watching: Reply | None = None
        """What is done instead of letting pods be watched."""
        self.watches = 0
        self._pods: dict[int, dict[str, Any]] = {}
        self._times: dict[int, int] = {}
        self._events: list[tuple[str, dict[str, Any]]] = []
        self._epoch = 0
        self._stopped = False

    @property
    def there(self) -> list[int]:
        """Numbers of the pods that there are."""
        with self.changed:
            return sorted(self._pods)

    def wait_for(self, satisfied: Callable[[], bool]) -> None:
        """Wait until the server has been asked for something, say."""
        with self.changed:
            assert self.changed.wait_for(satisfied, SECONDS), [(one.method, one.place) for one in self.asked]

    def posts(self) -> list[int]:
        """Numbers of the workers that were asked for, in order."""
        bodies = [json.loads(one.body) for one in self.asked if (one.method, one.place) == ("POST", PODS)]
        return [int(body["metadata"]["labels"][names.WORKER]) for body in bodies]

    def deletions(self) -> list[str]:
        """Names of what was to be deleted, in order."""
        return [one.place.rpartition("/")[2] for one in self.asked if one.method == "DELETE"]

    def tell(self, number: int, kind: str = "MODIFIED", **status: Any) -> None:
        """Tell those who watch of a pod, which is so from now on."""
        with self.changed:
            pod = told_pod(number, len(self._events) + 1, **status)
            self._keep(kind, number, pod)

    def break_watches(self) -> None:
        """End every watch that there is."""
        with self.changed:
            self._epoch += 1
            self.changed.notify_all()

    def break_watches_and_await_the_next(self) -> None:
        """End every watch, and wait until there is one again."""
        so_far = self.watches
        self.break_watches()
        self.wait_for(lambda: self.watches > so_far)

    def stop(self) -> None:
        """Let nobody watch any more."""
        self._stopped = True
        self.break_watches()

    def reply(self, exchange: Exchange) -> None:
        asked = exchange.asked
        if asked.method == "GET":
            (self._watch if "watch" in asked.query else self._list)(exchange)
            return
        with self.changed:
            self.asked.append(asked)
            self.changed.notify_all()
        if asked.method == "DELETE":
            (self.deleting or self._delete)(exchange)
        elif asked.place == SECRETS:
            (self.keeping or _keep_secret)(exchange)
        else:
            self._create(exchange)

    def create(self, number: int) -> None:
        """Create a worker's pod."""
        with self.changed:
            self._keep("ADDED", number, told_pod(number, len(self._events) + 1))

    def _keep(self, kind: str, number: int, pod: dict[str, Any]) -> None:
        if kind == "DELETED":
            self._pods.pop(number, None)
        else:
            self._pods[number] = pod
        self._events.append((kind, pod))
        self.changed.notify_all()

    def _create(self, exchange: Exchange) -> None:
        body = json.loads(exchange.asked.body)
        number = int(body["metadata"]["labels"][names.WORKER])
        with self.changed:
            times = self._times.get(number, 0)
            self._times[number] = times + 1
        if other := self.creating(number, times):
            other(exchange)
        elif number in self.there:
            exchange.fail(409, "AlreadyExists")
        else:
            self.create(number)
            exchange.json(201, body)

    def _delete(self, exchange: Exchange) -> None:
        name = exchange.asked.place.rpartition("/")[2]
        with self.changed:
            for number, pod in list(self._pods.items()):
                if pod["metadata"]["name"] == name:
                    self.tell(number, "DELETED")
                    exchange.json(200, pod)
                    return
        if name.endswith("-keys"):
            exchange.json(200, {})
        else:
            exchange.fail(404, "NotFound")

    def _list(self, exchange: Exchange) -> None:
        with self.changed:
            value = {"metadata": {"resourceVersion": str(len(self._events))}, "items": list(self._pods.values())}
        exchange.json(200, value)

    def _watch(self, exchange: Exchange) -> None:
        with self.changed:
            self.watches += 1
            epoch = self._epoch
            self.changed.notify_all()
        if self.watching is not None:
            self.watching(exchange)
            return
        exchange.begin()
        at = int(exchange.asked.query["resourceVersion"])
        while self._epoch == epoch and not self._stopped:
            with self.changed:
                while self._epoch == epoch and not self._stopped and len(self._events) == at:
                    self.changed.wait()
                new, at = self._events[at:], len(self._events)
            for kind, pod in new:
                exchange.event(kind, pod)
        exchange.end()


@contextmanager
def pods_api(*, budget_seconds: float = 5) -> Iterator[tuple[PodsApi, Client]]:
    """Such a server, and a client of it."""
    api = PodsApi()
    with client_of(api.reply, budget_seconds=budget_seconds) as (client, _):
        try:
            yield api, client
        finally:
            api.stop()


def _keep_secret(exchange: Exchange) -> None:
    exchange.json(201, json.loads(exchange.asked.body))


def eventually(satisfied: Callable[[], bool]) -> None:
    """Wait until something is so that another thread does, which has no event here."""
    until = time.monotonic() + SECONDS
    while not satisfied():
        assert time.monotonic() < until
        time.sleep(0.005)
