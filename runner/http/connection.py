"""One HTTP connection to a server, through a proxy and TLS where they are configured."""

import http.client
import select
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import SplitResult

from runner.http.proxy import Proxy

CONNECT_SECONDS = 5.0
"""For TCP, for the proxy's answer and for TLS, each: a server that is up needs milliseconds."""

KEEPALIVE = (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
"""A peer that has vanished is noticed after 30 s of silence, and what keeps track of connections forgets none."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request."""

    method: str
    target: str
    """Path and query, as on the wire."""
    path: str
    """The path without what the server's URL puts before it, for messages."""
    body: bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of this request's own."""

    @property
    def repeatable(self) -> bool:
        """Whether doing it twice is the same as doing it once."""
        return self.method != "POST"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One whole HTTP response."""

    status: int
    body: bytes
    retry_after: str
    """The header of that name; empty when there is none."""


class Connection(http.client.HTTPConnection):
    """A connection that is opened by its first request.

    Args:
        server: its base URL.
        server_name: name that the server's certificate must have.
        tls: null for none.
        proxy: null for none.
    """

    def __init__(self, server: SplitResult, server_name: str, tls: ssl.SSLContext | None, proxy: Proxy | None) -> None:
        host, port = server.hostname or "", server.port or (443 if server.scheme == "https" else 80)
        via = (proxy.host, proxy.port) if proxy else (host, port)
        super().__init__(*via, timeout=CONNECT_SECONDS)
        if proxy:
            self.set_tunnel(host, port, proxy.headers)
        self.server_name = server_name
        self.tls = tls

    @property
    def is_open(self) -> bool:
        """Whether it has been opened, and has not been closed on this side."""
        return self.sock is not None

    @property
    def is_stale(self) -> bool:
        """Whether the server has closed it while it was idle: an idle connection has nothing to read but its end."""
        if self.sock is None:
            return True
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))

    def connect(self) -> None:
        """See `HTTPConnection.connect`, which sets TCP_NODELAY and asks the proxy for the tunnel."""
        super().connect()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE:
            if hasattr(socket, name):
                self.sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if self.tls is not None:
            self.sock = self.tls.wrap_socket(self.sock, server_hostname=self.server_name)

    def ask(self, request: Request, token: str | None, read_seconds: float | None) -> http.client.HTTPResponse:
        """Send a request; what is returned has its headers, and its body is still to be read.

        Args:
            request: the request.
            token: bearer token.
            read_seconds: longest silence of the server; null for any.
        """
        if not self.is_open:
            self.connect()
        self.sock.settimeout(read_seconds)
        headers = {"Accept": "application/json, */*", "User-Agent": "penstock"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        headers |= request.headers
        try:
            self.request(request.method, request.target, body=request.body, headers=headers)
        except BrokenPipeError:
            # The server has closed its side already. It may have said why: a TLS alert, or an answer to the headers.
            if isinstance(self.sock, ssl.SSLSocket):
                self.sock.recv(1)
            raise
        return self.getresponse()


class Carrier(Protocol):
    """Who has a connection of its own, and may be closed by another thread while it is being opened."""

    def carry(self, connection: Connection) -> None:
        """Take a connection that is open now; one that was taken before has failed, and is closed."""

    def pause(self, seconds: float) -> None:
        """Wait before another try.

        Raises:
            ConnectionLost: it is closed meanwhile.
        """
