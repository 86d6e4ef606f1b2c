"""Carries one TCP connection to a port of a pod, over one WebSocket to the API, in the thread that calls it.

Guarantees: bytes come in order and none twice; an end that the pod's side did not mean is passed on as a reset, so that
nobody takes a part for the whole; what a slow reader has not taken yet is bounded. The protocol cannot say that one
direction alone has ended: after the end of what comes from here, the pod may answer for as long as it pauses for less
than `HALF_CLOSED_SECONDS`.
"""

import contextlib
import http.client
import select
import socket
import ssl
import struct
import threading

from runner.http.connection import Connection
from runner.http.errors import Unreachable
from runner.kubernetes import websocket
from runner.kubernetes.client import Client
from runner.kubernetes.errors import ConnectionLost, Forbidden, NotListening
from runner.kubernetes.explain import connection_lost
from runner.kubernetes.websocket import Messages, Opcode, ViolationError

PROTOCOL = "v4.channel.k8s.io"
"""Each message begins with the number of its channel; the first one of each channel holds the port."""
DATA, ERROR = 0, 1
CHUNK = 64 * 1024
ROOM = 256 * 1024
"""Bytes that wait for a slow reader, beyond which no more are taken for it."""
HALF_CLOSED_SECONDS = 5.0
LONGEST_ERROR = 1000
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends a reset."""
NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Tunnel:
    """One connection on its way. Any thread may close it.

    Args:
        client: the cluster.
        place: path of the pod's `portforward`.
        pod: the pod's name, for messages.
        port: the pod's port.
        local: the connection on this machine; it is closed at the end.
    """

    def __init__(self, client: Client, place: str, *, pod: str, port: int, local: socket.socket) -> None:
        self._client = client
        self._place, self._pod, self._port = place, pod, port
        self._closed = threading.Event()
        self._sockets_lock = threading.Lock()
        self._connection: Connection | None = None
        self._socket: socket.socket | None = None
        """The connection's, which forgets it when it is closed."""
        self._local = _Side(local)
        self._remote: _Side
        """There is one when it is open."""
        self._messages = Messages()
        self._named: set[int] = set()
        self._answered = False
        self._error = bytearray()
        self._code: int | None = None
        """What the other side closed with."""

    def run(self) -> None:
        """Carry until one side has ended.

        Raises:
            NotListening: the pod does not take the connection.
            ApiError: the API refuses it.
            Unreachable: it could not be opened, or broke.
            ConfigError: the login command or token file fails.
        """
        try:
            self._carry(self._open())
        except Exception:
            with contextlib.suppress(OSError):
                self._local.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            if not self._closed.is_set():
                raise
        finally:
            with self._sockets_lock:
                self._local.socket.close()
                self._socket = None
                if self._connection is not None:
                    self._connection.close()

    def close(self) -> None:
        """End it: at once, but for one that is connecting, which finds it when that is done or has failed."""
        self._closed.set()
        with self._sockets_lock:
            for each in (self._socket, self._local.socket):
                if each is not None and each.fileno() >= 0:
                    with contextlib.suppress(OSError):  # the other side has closed it already
                        # Not SSLSocket's own, which would drop the TLS state under the other thread's feet.
                        socket.socket.shutdown(each, socket.SHUT_RDWR)

    def carry(self, connection: Connection) -> None:
        """See `Carrier.carry`."""
        with self._sockets_lock:
            self._connection, self._socket = connection, connection.sock
        if self._closed.is_set():
            self.close()

    def pause(self, seconds: float) -> None:
        """See `Carrier.pause`."""
        if self._closed.wait(seconds):
            raise ConnectionLost("The connection is closed. Open another.")

    def _open(self) -> bytes:
        """Open the WebSocket; the result is what has come already of what is said on it."""
        asked = websocket.handshake(PROTOCOL)
        label = self._client.access.label
        try:
            response = self._client.upgrade(self._place, self, asked, ports=self._port)
        except Forbidden as error:
            said = error.message.rstrip(".")
            raise Forbidden(
                f"{label} does not let you reach the ports of pods ({said}). "
                "Ask who runs the cluster for the rights to get and create pods/portforward there.",
                status=error.status,
                reason=error.reason,
                message=error.message,
                path=error.path,
            ) from None
        with response:
            if self._socket is None or not websocket.accepts(asked, response.status, response.headers):
                raise Unreachable(
                    f"{label} does not lead to the ports of pods: it answered {response.status} where a WebSocket for "
                    f"{PROTOCOL} was asked for. Check that no proxy in between keeps WebSockets out.",
                    transient=False,
                )
            self._remote = _Side(self._socket)
            return _read_with(response)

    def _carry(self, first: bytes) -> None:
        local, remote = self._local, self._remote
        try:
            self._understand(first)
            while True:
                moved = [self._take_local(), self._take_remote(), remote.send(), local.send()]
                if local.broken is not None or (remote.ended and not local.unsent):
                    break
                if not any(moved) and not self._wait():
                    break
        except ViolationError as error:
            self._say_last(websocket.closing(error.code))
            raise self._lost(f"it {error}") from None
        if remote.broken is not None:
            raise connection_lost(remote.broken, self._client.access)
        if self._error:
            said = " ".join(self._error.decode(errors="replace").split())[:LONGEST_ERROR].rstrip(".")
            if self._answered:
                raise self._lost(f"it said {said}")
            raise NotListening(
                f"The pod {self._pod} takes no connection at port {self._port} ({said}). "
                "Try again when something listens there."
            )
        if not remote.ended:
            self._say_last(websocket.closing(websocket.NORMAL))
        elif self._code != websocket.NORMAL:
            raise self._lost("it ended without a word" if self._code is None else f"it closed with {self._code}")

    def _take_local(self) -> bool:
        if self._local.ended or self._remote.is_full or self._remote.ended:
            return False
        data = self._local.receive()
        if data:
            self._remote.unsent += websocket.frame(Opcode.BINARY, bytes([DATA]) + data)
        return bool(data)

    def _take_remote(self) -> bool:
        if self._remote.ended or self._local.is_full:
            return False
        data = self._remote.receive()
        self._understand(data)
        return bool(data)

    def _understand(self, data: bytes) -> None:
        for opcode, payload in self._messages.feed(data):
            if opcode is Opcode.CLOSE:
                self._code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else websocket.NORMAL
                self._say_last(websocket.frame(Opcode.CLOSE, payload[:2]))
                self._remote.ended = True
                return
            if opcode is Opcode.PING and not self._remote.is_full:
                self._remote.unsent += websocket.frame(Opcode.PONG, payload)
            elif opcode is Opcode.BINARY:
                self._sort(payload)
            elif opcode is Opcode.TEXT:
                raise ViolationError("sent text")

    def _sort(self, message: bytes) -> None:
        """Take a message of one of the channels."""
        channel, content = message[:1], message[1:]
        if channel not in {bytes([DATA]), bytes([ERROR])}:
            raise ViolationError("sent a message for no channel")
        if channel[0] not in self._named:
            if content != self._port.to_bytes(2, "little"):
                raise ViolationError("named another port")
            self._named.add(channel[0])
        elif channel[0] == DATA:
            self._answered = True
            self._local.unsent += content
        else:
            self._error += content[: LONGEST_ERROR - len(self._error)]

    def _wait(self) -> bool:
        """Wait until something can be moved; false when there is nobody to move it for."""
        local, remote = self._local, self._remote
        poll = select.poll()
        # In any case, so that its end is seen, and that closing it wakes this thread.
        poll.register(local.socket, local.wanted(reading=not remote.is_full))
        if wanted := remote.wanted(reading=not local.is_full):
            poll.register(remote.socket, wanted)
        silent = local.ended and not local.unsent
        found = dict(poll.poll(HALF_CLOSED_SECONDS * 1000 if silent else None))
        return bool(found) and not found.get(local.socket.fileno(), 0) & (select.POLLHUP | select.POLLERR)

    def _say_last(self, data: bytes) -> None:
        """Say something if it can be said at once: nobody waits for an answer."""
        self._remote.unsent += data
        self._remote.send()

    def _lost(self, why: str) -> ConnectionLost:
        return ConnectionLost(
            f"{self._client.access.label} broke off the connection to port {self._port} of pod {self._pod}: {why}. "
            "Connect again."
        )


class _Side:
    """One side: what has to be sent to it, and whether more can come from it."""

    def __init__(self, its_socket: socket.socket) -> None:
        its_socket.setblocking(False)
        self.socket = its_socket
        self.unsent = bytearray()
        self.ended = False
        self.broken: OSError | None = None

    @property
    def is_full(self) -> bool:
        return len(self.unsent) >= ROOM

    def receive(self) -> bytes:
        """What has come; empty when there is nothing now, or nothing more."""
        try:
            data = self.socket.recv(CHUNK)
        except NOT_NOW:
            return b""
        except OSError as error:
            self._break(error)
            return b""
        self.ended = not data
        return data

    def send(self) -> bool:
        """Send what can be sent now; whether that is anything."""
        if not self.unsent:
            return False
        try:
            count = self.socket.send(bytes(self.unsent[:CHUNK]))
        except NOT_NOW:
            return False
        except OSError as error:
            self._break(error)
            return False
        del self.unsent[:count]
        return count > 0

    def wanted(self, *, reading: bool) -> int:
        """What to wait for."""
        return (select.POLLIN if reading and not self.ended else 0) | (select.POLLOUT if self.unsent else 0)

    def _break(self, error: OSError) -> None:
        self.ended, self.broken = True, error
        self.unsent.clear()


def _read_with(response: http.client.HTTPResponse) -> bytes:
    """What has been read together with the head."""
    try:
        return bytes(response.fp.peek())
    except NOT_NOW:
        return b""
    except OSError:  # the next one to read meets it again
        return b""
