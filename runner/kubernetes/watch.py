"""Follows the objects of a collection: what is there, then every change, as it happens.

Guarantees, whatever breaks in between: no deletion is missed, and no state of an object is seen twice. It never polls.
A gap is bridged from the last resource version; where the server has forgotten that, the collection is listed again
and only what differs is told.
"""

import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from runner.http.retry import LONGEST_SECONDS, Attempts
from runner.kubernetes.client import READ_SECONDS, Client, JsonObject
from runner.kubernetes.errors import ConnectionLost, Expired
from runner.kubernetes.explain import api_error
from runner.kubernetes.stream import CurrentStream, lines

PAGE = 500
"""Objects in one answer to a list; kubectl's number."""

WATCH_SECONDS = 300
"""Shortest life that a watch asks for; up to twice that, so that many do not come back together. client-go's number."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """A change of one object, or the mark between what was there and what changes."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "LISTED"]
    """`LISTED` comes once, after the objects that were there at the beginning, which come as `ADDED`."""
    object: JsonObject
    """The object as it is, or last was; empty with `LISTED`."""


class Watch:
    """An iterable of events, which another thread can close at any time: the loop over it then ends.

    After an error the iteration can be begun again, and goes on where it was.

    Args:
        client: asks.
        path: a collection; see `runner.kubernetes.client.path`.
        label_selector: which objects, by labels.
        field_selector: which objects, by fields, such as `metadata.name=x`.
    """

    def __init__(
        self, client: Client, path: str, *, label_selector: str | None = None, field_selector: str | None = None
    ) -> None:
        self._client = client
        self._path = path
        self._selectors = {"labelSelector": label_selector, "fieldSelector": field_selector}
        self._current = CurrentStream()
        self._known: dict[str, JsonObject] = {}
        """By uid: one that is made anew under an old name is another."""
        self._version: str | None = None
        self._listed = False

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration: at once when it waits for changes, else when the list that it asks for has come."""
        self._current.close()

    def __iter__(self) -> Iterator[Event]:
        """The events.

        Raises:
            ApiError: the API refuses the list or the watch.
            Unreachable: nothing could be had for as long as the client's budget.
        """
        attempts = Attempts(self._client.budget_seconds)
        while not self._current.closed:
            version, began = self._version, time.monotonic()
            try:
                if version is None:
                    yield from self._list()
                    continue
                yield from self._changes(version)
                lost: Exception = self._lost("the watch was ended at once")
            except (ConnectionLost, Expired) as error:
                lost = error
            held = version is not None and time.monotonic() - began > LONGEST_SECONDS
            if held or self._version != version:
                attempts.reset()
            if isinstance(lost, Expired):
                self._version = None
            self._current.wait(attempts.delay(lost))

    def _list(self) -> Iterator[Event]:
        found: dict[str, JsonObject] = {}
        token: str | None = None
        while True:
            page = self._client.get(self._path, **self._selectors, limit=PAGE, **{"continue": token})
            found |= {_uid(item): item for item in page["items"] or ()}
            if not (token := page["metadata"].get("continue")):
                break
        for uid in [uid for uid in self._known if uid not in found]:
            yield Event(type="DELETED", object=self._known.pop(uid))
        for item in found.values():
            if event := self._change("ADDED", item):
                yield event
        self._version = page["metadata"]["resourceVersion"]
        if not self._listed:
            self._listed = True
            yield Event(type="LISTED", object={})

    def _changes(self, version: str) -> Iterator[Event]:
        seconds = random.randint(WATCH_SECONDS, 2 * WATCH_SECONDS)  # noqa: S311 it spreads load, and hides nothing
        stream = self._client.stream(
            self._path,
            read_seconds=seconds + READ_SECONDS,
            watch=True,
            allowWatchBookmarks=True,
            resourceVersion=version,
            timeoutSeconds=seconds,
            **self._selectors,
        )
        with self._current.use(stream) as chunks:
            for line in lines(chunks):
                if self._current.closed or not line.endswith(b"\n"):
                    return
                try:
                    told: Any = json.loads(line)
                    kind, item = told["type"], told["object"]
                    if kind == "ERROR":
                        self._refuse(item)
                    self._version = item["metadata"]["resourceVersion"]
                except (ValueError, KeyError, TypeError, RecursionError):
                    raise self._lost("it sent what is no event") from None
                if kind != "BOOKMARK" and (event := self._change(kind, item)):
                    yield event

    def _change(self, kind: str, item: JsonObject) -> Event | None:
        uid = _uid(item)
        known = self._known.get(uid)
        if kind == "DELETED":
            return Event(type="DELETED", object=item) if self._known.pop(uid, None) else None
        self._known[uid] = item
        if known is None:
            return Event(type="ADDED", object=item)
        same = known["metadata"]["resourceVersion"] == item["metadata"]["resourceVersion"]
        return None if same else Event(type="MODIFIED", object=item)

    def _refuse(self, status: Mapping[str, Any]) -> None:
        error = api_error(int(status["code"]), status, path=self._path, access=self._client.access)
        raise self._lost(error.message) if error.transient else error

    def _lost(self, why: str) -> ConnectionLost:
        label = self._client.access.label
        return ConnectionLost(f"{label} does not let {self._path} be watched: {why}. Ask who runs the cluster why.")


def _uid(item: JsonObject) -> str:
    return str(item["metadata"]["uid"])
