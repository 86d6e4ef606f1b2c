"""Reads the log of a container, and follows it over every break.

Guarantees of `PodLog`: each byte that the kubelet has comes once and in order, however often the connection breaks;
a line is passed on as soon as it is whole, and never in part. The API can be asked for what was written since a whole
second only, so the lines of the newest seconds are remembered, and those that come again are left out. Only a node
whose clock is set back during a break can make lines get lost or come again.
"""

import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from runner.http.retry import LONGEST_SECONDS, Attempts, Backoff
from runner.kubernetes.client import Client, path
from runner.kubernetes.errors import ApiError, ConnectionLost, NotFound, NotStarted
from runner.kubernetes.stream import CurrentStream, Stream, lines

TIME = "%Y-%m-%dT%H:%M:%SZ"
STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)")

OVERLAP_SECONDS = 1
"""How far back a line may be dated after a newer one: stdout and stderr are stamped apart, and written in turn."""


def read(client: Client, namespace: str, pod: str, container: str, tail_lines: int | None = None) -> bytes:
    """The log of a container as it is now.

    Args:
        client: asks.
        namespace: of the pod.
        pod: its name.
        container: its name in the pod.
        tail_lines: how many of the last lines; null for all.

    Raises:
        NotStarted: the container waits to start.
        NotFound: there is no such pod.
    """
    place = path("v1", "pods", namespace=namespace, name=pod, sub="log")
    return client.raw("GET", place, container=container, tailLines=tail_lines)


class PodLog:
    """An iterable of the lines of a container, with their newlines.

    It ends when `finish` was called and the whole log has been read. After an error the iteration can be begun again,
    and goes on where it was. `finish` and `close` are for any thread.

    Args:
        client: asks.
        namespace: of the pod.
        pod: its name.
        container: its name in the pod.
    """

    def __init__(self, client: Client, *, namespace: str, pod: str, container: str) -> None:
        self._client = client
        self._path = path("v1", "pods", namespace=namespace, name=pod, sub="log")
        self._container = container
        self._current = CurrentStream()
        self._finished = threading.Event()
        self._followed: Stream | None = None
        """The last stream that goes on while the container runs; never one that reads the rest."""
        self._seen: dict[int, dict[int, int]] = {}
        """By second: how often a line with this hash, its time included, was passed on."""
        self._newest: int | None = None
        self._prefix = b""
        self._bucket: dict[int, int] = {}

    def __enter__(self) -> "PodLog":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def finish(self) -> None:
        """Note that the container has ended, as its status says: what is left of its log is read, and is the end.

        The kubelet looks once a second whether a container whose log is followed still runs; its status is earlier.
        """
        self._finished.set()
        if self._followed is not None:
            self._followed.close()

    def close(self) -> None:
        """End the iteration."""
        self._current.close()
        self._finished.set()

    def __iter__(self) -> Iterator[bytes]:
        """The lines; only the very last may be without a newline.

        Raises:
            NotStarted: the container waits to start.
            NotFound: the pod is gone, and its container was not known to have ended.
            ApiError: the API refuses the log.
            Unreachable: nothing could be had for as long as the client's budget.
        """
        attempts = Attempts(self._client.budget_seconds)
        backoff = Backoff()
        while not self._current.closed:
            # What is asked for after the end is all there is; what is followed may end early, without a word.
            finished, began = self._finished.is_set(), time.monotonic()
            pause = self._current.wait if finished else self._finished.wait
            try:
                for line in self._lines(follow=not finished):
                    attempts.reset()
                    backoff.reset()
                    yield line
            except ConnectionLost as error:
                if time.monotonic() - began > LONGEST_SECONDS:
                    attempts.reset()
                pause(attempts.delay(error))
            except ApiError as error:
                if not self._kubelet_is_away(error):
                    if isinstance(error, NotFound) and finished and self._newest is not None:
                        return  # the pod was removed after its end, and there is no more to be had
                    raise
                pause(attempts.delay(error))
            else:
                if finished:
                    return
                pause(backoff.next())

    def _kubelet_is_away(self, error: ApiError) -> bool:
        """Whether the kubelet is being restarted: it is not reached, or does not know its pods or containers yet."""
        if isinstance(error, NotFound):
            return error.details.get("kind") == "pods/log"  # it is `pods` when the API server says so
        if isinstance(error, NotStarted):
            return self._newest is not None
        return error.status == 500 and not error.transient  # what is transient has been tried for long enough

    def _lines(self, *, follow: bool) -> Iterator[bytes]:
        since = None if self._newest is None else self._newest - OVERLAP_SECONDS
        again = {key: count for second in self._seen.values() for key, count in second.items()}
        stream = self._client.stream(
            self._path,
            container=self._container,
            follow=follow,
            timestamps=True,
            sinceTime=None if since is None else datetime.fromtimestamp(since, UTC).strftime(TIME),
        )
        if follow:
            self._followed = stream
        with self._current.use(stream) as chunks:
            if follow and self._finished.is_set():
                return
            begun_before = since is not None
            for line in lines(chunks):
                if self._current.closed or (follow and not line.endswith(b"\n")):
                    return  # the rest of a line comes with its beginning, once it is whole
                stamp, _, text = line.partition(b" ")
                if begun_before and not STAMP.fullmatch(stamp):
                    continue  # the rest of a long line that was begun before `since`, and was passed on
                begun_before = False
                key = hash(line)
                if left := again.get(key):
                    again[key] = left - 1
                    continue
                self._remember(stamp, key, line)
                yield text

    def _remember(self, stamp: bytes, key: int, line: bytes) -> None:
        prefix = stamp[:19] if stamp.endswith(b"Z") else stamp[:19] + stamp[-6:]
        if prefix != self._prefix:
            second = self._second(stamp, line)
            # A clock that was set back more than that counts anew.
            if self._newest is None or not self._newest - OVERLAP_SECONDS <= second <= self._newest:
                self._newest = second
                self._seen = {at: keys for at, keys in self._seen.items() if at >= second - OVERLAP_SECONDS}
            self._prefix, self._bucket = prefix, self._seen.setdefault(second, {})
        self._bucket[key] = self._bucket.get(key, 0) + 1

    def _second(self, stamp: bytes, line: bytes) -> int:
        if found := STAMP.fullmatch(stamp):
            return int(datetime.fromisoformat(f"{found[1].decode()}{found[2].decode()}").timestamp())
        # The kubelet has answered already when it finds that it cannot read the log, and says so in the log's place.
        said = line[:200].decode(errors="replace").strip()
        raise ConnectionLost(f"The log of the container {self._container} cannot be read ({said}). Try again later.")
