"""Leads connections to a port of this machine to a port of a pod, through the API: nothing of the pod is opened.

Guarantees: each connection goes to the pod that is meant when it comes; after `close` there is no thread and no socket
of it left, but for connections that are just being opened, which find it within a connection's time limits.
"""

import errno
import select
import socket
import threading
import time
from collections.abc import Callable

from runner.errors import PenstockError
from runner.kubernetes.client import Client, path
from runner.kubernetes.tunnel import Tunnel

HOST = "127.0.0.1"
MOST_CONNECTIONS = 100
"""More than a browser opens by far; what comes beyond that is turned away."""
CLOSE_SECONDS = 2.0
PAUSE_SECONDS = 0.1
"""After a connection could not be taken, for want of file descriptors say."""


class PortForward:
    """A port of this machine that leads into a pod, from when this is made until it is closed.

    Args:
        client: the cluster.
        namespace: of the pod.
        pod: called for each connection; the pod's name, or null when there is none now.
        port: the pod's port.
        preferred: port of this machine; a free one is taken where this one is not, and when it is 0.
        failed: called, by any thread, with why a connection could not be made, or broke.
    """

    def __init__(
        self,
        client: Client,
        namespace: str,
        pod: Callable[[], str | None],
        port: int,
        *,
        preferred: int = 0,
        failed: Callable[[PenstockError], object] = lambda _: None,
    ) -> None:
        self._client, self._namespace, self._pod, self._port = client, namespace, pod, port
        self._failed = failed
        self._lock = threading.Lock()
        self._tunnels: dict[threading.Thread, Tunnel] = {}
        self._closed = threading.Event()
        self._listener = _listen(preferred)
        self.local_port: int = self._listener.getsockname()[1]
        self._end, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._take_all, name="port-forward", daemon=True)
        self._thread.start()

    def __enter__(self) -> "PortForward":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take no more connections, and end those that there are."""
        self._closed.set()
        self._waker.close()
        self._thread.join()
        with self._lock:
            left = dict(self._tunnels)
        for tunnel in left.values():
            tunnel.close()
        until = time.monotonic() + CLOSE_SECONDS
        for thread in left:
            thread.join(max(0.0, until - time.monotonic()))

    def _take_all(self) -> None:
        poll = select.poll()
        with self._listener, self._end:
            poll.register(self._listener, select.POLLIN)
            poll.register(self._end, select.POLLIN)
            while not self._closed.is_set():
                poll.poll()
                try:
                    local, _ = self._listener.accept()
                except BlockingIOError:  # it has gone again, or this is the end
                    continue
                except OSError:
                    self._closed.wait(PAUSE_SECONDS)
                    continue
                self._take(local)

    def _take(self, local: socket.socket) -> None:
        pod = self._pod()
        if pod is None or len(self._tunnels) >= MOST_CONNECTIONS:
            local.close()
            return
        local.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        place = path("v1", "pods", namespace=self._namespace, name=pod, sub="portforward")
        tunnel = Tunnel(self._client, place, pod=pod, port=self._port, local=local)
        thread = threading.Thread(target=self._lead, args=(tunnel,), name="port-forward", daemon=True)
        with self._lock:
            self._tunnels[thread] = tunnel
        try:
            thread.start()
        except RuntimeError:  # the system has no more of them
            with self._lock:
                del self._tunnels[thread]
            local.close()

    def _lead(self, tunnel: Tunnel) -> None:
        try:
            tunnel.run()
        except PenstockError as error:
            self._failed(error)
        finally:
            with self._lock:
                del self._tunnels[threading.current_thread()]


def _listen(preferred: int) -> socket.socket:
    try:
        listener = socket.create_server((HOST, preferred))
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        listener = socket.create_server((HOST, 0))
    listener.setblocking(False)
    return listener
