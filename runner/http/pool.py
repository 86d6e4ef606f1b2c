"""Connections that many threads share: a bounded number in use at a time, each kept open for the next."""

import contextlib
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator

from runner.http.connection import Connection


class Turns:
    """So many at a time, in the order in which they came: who leaves hands its place to whom waits longest."""

    def __init__(self, places: int) -> None:
        self._lock = threading.Lock()
        self._free = places
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            turn.acquire()
        except BaseException:  # Ctrl-C; the place may have been handed over already
            with self._lock:
                handed_over = turn not in self._waiting
                if not handed_over:
                    self._waiting.remove(turn)
            if handed_over:
                self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


class Pool:
    """Connections to one server.

    Args:
        connect: makes a connection, which need not be open, with a TLS context.
        size: most connections at a time.
    """

    def __init__(self, connect: Callable[[ssl.SSLContext | None], Connection], size: int) -> None:
        self._connect = connect
        self._turns = Turns(size)
        self._idle: list[Connection] = []
        self._closed = False

    @contextlib.contextmanager
    def borrow(self, tls: ssl.SSLContext | None, *, fresh: bool = False) -> Iterator[Connection]:
        """A connection for one exchange; it is kept when the block ends well, and closed when it raises.

        Args:
            tls: context that the connection must have been made with.
            fresh: whether it must not have been used before.
        """
        with self._turns:
            # One is taken out in any case, so that those in use and those that are idle are never more than the size.
            idle = self._take(tls)
            if idle is not None and fresh:
                idle.close()
            connection = self._connect(tls) if idle is None or fresh else idle
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            if self._closed:
                connection.close()
            elif connection.is_open:
                self._idle.append(connection)

    def _take(self, tls: ssl.SSLContext | None) -> Connection | None:
        while True:
            try:
                connection = self._idle.pop()  # the last used: the others may be closed by the server for idleness
            except IndexError:
                return None
            if connection.tls is tls and not connection.is_stale:
                return connection
            connection.close()

    def close(self) -> None:
        """Close the connections: the idle ones now, the others after their exchange."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
