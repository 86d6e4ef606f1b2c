"""Answers without an end, such as a watch or a log that is followed, which another thread can close at any time."""

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterable, Iterator

from runner.http.connection import Connection
from runner.kubernetes.errors import ConnectionLost

CHUNK = 64 * 1024


class Stream:
    """An iterator of byte chunks over a connection of its own, which is opened by the first `next`.

    It ends when the answer has ended, and when it is closed. One thread reads it, any may close it.

    Args:
        ask: opens a connection, hands it to `carry`, sends the request and returns the response.
        lost: makes the error for a connection that broke.
    """

    def __init__(
        self,
        ask: Callable[["Stream"], http.client.HTTPResponse],
        lost: Callable[[Exception], ConnectionLost],
    ) -> None:
        self._ask = ask
        self._lost = lost
        self._closed = threading.Event()
        self._reading = threading.Lock()
        self._socket_lock = threading.Lock()
        self._connection: Connection | None = None
        self._socket: socket.socket | None = None
        self._response: http.client.HTTPResponse | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with self._reading:
            try:
                chunk = b"" if self._closed.is_set() else self._read()
            except Exception:
                self._free()
                if not self._closed.is_set():
                    raise
                chunk = b""
            if chunk and not self._closed.is_set():
                return chunk
            self._free()
        raise StopIteration

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it: a reader that waits for the next chunk is woken, and finds the end.

        One that is connecting finds it when that is done, or has failed.
        """
        self._closed.set()
        with self._socket_lock:
            self._wake()
        # A socket that is being read is only shut down here, and freed by its reader: its number could be another's.
        if self._reading.acquire(blocking=False):
            try:
                self._free()
            finally:
                self._reading.release()

    def carry(self, connection: Connection) -> None:
        """Read from this open connection from now on."""
        with self._socket_lock:
            self._connection, self._socket = connection, connection.sock
            if self._closed.is_set():
                self._wake()

    def pause(self, seconds: float) -> None:
        """Wait before another try; being closed ends it.

        Raises:
            ConnectionLost: it is closed.
        """
        if self._closed.wait(seconds):
            raise ConnectionLost("The stream is closed. Open another.")

    def _read(self) -> bytes:
        if self._response is None:
            self._response = self._ask(self)
        response = self._response
        try:
            if chunk := response.read1(CHUNK):
                return chunk
            # An answer that says nowhere where it ends cannot be told from one that broke off.
            if not response.chunked and response.length != 0:
                raise http.client.IncompleteRead(b"")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._lost(error) from error
        return b""

    def _wake(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the server has closed it already
                # Not SSLSocket's own, which would drop the TLS state under the reader's feet.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _free(self) -> None:
        with self._socket_lock:
            self._socket = None
            if self._response is not None:
                self._response.close()
            if self._connection is not None:
                self._connection.close()


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their newlines, each as soon as it is complete; what follows the last newline comes at a clean end."""
    begun: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        begun.append(first)
        for other in others:
            begun.append(b"\n")
            yield b"".join(begun)
            begun = [other]
    if rest := b"".join(begun):
        yield rest


class CurrentStream:
    """The stream that a reader uses now: one after the other, until any thread closes it for good."""

    def __init__(self) -> None:
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._stream: Stream | None = None

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._closed.is_set()

    def use(self, stream: Stream) -> Stream:
        """Take the next stream; it is closed already when this is."""
        with self._lock:
            self._stream = stream
            if self.closed:
                stream.close()
        return stream

    def wait(self, seconds: float) -> None:
        """Wait so long, or until it is closed."""
        self._closed.wait(seconds)

    def close(self) -> None:
        """Close the stream in use, and all that follow."""
        self._closed.set()
        with self._lock:
            if self._stream is not None:
                self._stream.close()
