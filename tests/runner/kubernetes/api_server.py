"""A server on this machine that answers as a test says, down to the byte, over HTTP or TLS."""

import contextlib
import json
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that has come."""

    method: str
    place: str
    """The path without its query."""
    query: dict[str, str]
    headers: Message
    body: bytes


class Exchange(BaseHTTPRequestHandler):
    """One connection, and the request that it is at."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "ApiServer"

    def setup(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()

    def handle(self) -> None:
        with self.server.lock:
            self.server.connections += 1
        super().handle()

    def answer(self) -> None:
        parts = urlsplit(self.path)
        self.asked = Asked(
            method=self.command,
            place=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers=self.headers,
            body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )
        with self.server.lock:
            self.server.requests.append(self.asked)
        self.server.reply(self)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 http.server calls them so

    def log_message(self, *_: object) -> None:
        pass

    def json(self, status: int, value: object, **headers: str) -> None:
        """A whole answer, with its length."""
        self.send_response(status)
        data = json.dumps(value).encode()
        for name, text in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(data)

    def fail(self, status: int, reason: str = "", message: str = "no", **more: Any) -> None:
        """A failure in the API's own form; `headers` among the rest are the answer's."""
        headers = more.pop("headers", {})
        self.json(status, failure(status, reason, message, **more), **headers)

    def begin(self) -> None:
        """The head of an answer without a length."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def event(self, kind: str, value: object) -> None:
        """One event of a watch."""
        self.chunk(json.dumps({"type": kind, "object": value}).encode() + b"\n")

    def end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def cut(self) -> None:
        """Close the connection without another word."""
        self.close_connection = True

    def reset(self) -> None:
        """Close it as a machine does that has lost it."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.cut()

    def gone(self) -> None:
        """Wait until the client has closed the connection."""
        while self.connection.recv(4096):
            pass


class ApiServer(ThreadingHTTPServer):
    """The server; as a context manager it is up inside the block, and nothing of it is left after."""

    request_queue_size = 256
    daemon_threads = False

    def __init__(self, reply: Callable[[Exchange], None], *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.reply = reply
        self.tls = tls
        self.lock = threading.Lock()
        self.connections = 0
        self.requests: list[Asked] = []
        self.errors: list[BaseException] = []
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Exchange)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.server_address[1]}"

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self.lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self.lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        error = sys.exception()
        if error is not None and not isinstance(error, OSError | ValueError):
            self.errors.append(error)

    def hang_up(self) -> None:
        """Close every connection, as a server that restarts."""
        with self.lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def __enter__(self) -> "ApiServer":
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.hang_up()
        self.server_close()
        assert self.errors == []


def failure(status: int, reason: str = "", message: str = "no", **more: Any) -> dict[str, Any]:
    """The `Status` object of a failure."""
    return {"kind": "Status", "status": "Failure", "code": status, "reason": reason, "message": message, **more}
