"""A TCP proxy that cuts connections at random moments, hard, as a lost network or a restarted load balancer does."""

import contextlib
import random
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from runner.kubernetes.config import Access

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends a reset, and what was on its way is lost."""


class CuttingProxy:
    """Forwards to a server; each connection lives for a random time.

    Args:
        target: host and port of the server.
        longest: seconds that a connection lives at most.
    """

    def __init__(self, target: tuple[str, int], *, longest: float) -> None:
        self.cuts = 0
        self._target = target
        self._longest = longest
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cut everything."""
        self._closed = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in list(self._open):
            self._cut(end)

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
            except OSError:
                return
            for end in (client, server):
                self._open.add(end)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()
            timer = threading.Timer(random.uniform(0.02, self._longest), self._end, args=(client, server))  # noqa: S311
            timer.daemon = True
            timer.start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            self._cut(end)

    def _end(self, client: socket.socket, server: socket.socket) -> None:
        if client in self._open:
            self.cuts += 1
        for end in (client, server):
            self._cut(end)

    def _cut(self, end: socket.socket) -> None:
        self._open.discard(end)
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextlib.contextmanager
def through_cuts(access: Access, *, longest: float) -> Iterator[tuple[Access, CuttingProxy]]:
    """The same access through a proxy that cuts its connections."""
    place = urlsplit(access.server)
    proxy = CuttingProxy((place.hostname or "", place.port or 443), longest=longest)
    try:
        yield replace(access, server=f"https://127.0.0.1:{proxy.port}"), proxy
    finally:
        proxy.close()
