"""Ways through HTTP proxies."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runner.http.errors import Unreachable
from runner.http.proxy import ProxyError, proxy_for
from runner.kubernetes.client import Client
from runner.kubernetes.config import Access
from tests.runner.kubernetes.api_server import ApiServer
from tests.runner.kubernetes.certificates import Authority, server_context
from tests.runner.kubernetes.replies import fine


class TunnelProxy:
    """A proxy that opens tunnels, or refuses to."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.heads: list[list[str]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += connection.recv(1)
            self.heads.append(head.decode().split("\r\n"))
            if self.refusal:
                connection.sendall(f"HTTP/1.1 {self.refusal}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            host, _, port = head.split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_copy, args=(server, connection))
                back.start()
                _copy(connection, server)
                back.join()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def tunnel(refusal: str = "") -> Iterator[TunnelProxy]:
    proxy = TunnelProxy(refusal)
    try:
        yield proxy
    finally:
        proxy.close()


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_calls_and_streams_go_through_the_proxy_to_the_servers_own_tls(tmp_path: Path) -> None:
    authority = Authority()
    with tunnel() as proxy, ApiServer(fine, tls=server_context(authority.server(), tmp_path)) as server:
        url = f"http://us%40er:pass@{proxy.address}"
        with Client(Access(server=server.url, ca=authority.certificate, proxy=url)) as client:
            assert client.get("/x") == {"fine": True}
            assert b"".join(client.stream("/x")) == b'{"fine": true}'
        place = server.url.removeprefix("https://")

    assert [head[0].split()[:2] for head in proxy.heads] == [["CONNECT", place]] * 2
    assert "Proxy-Authorization: Basic dXNAZXI6cGFzcw==" in proxy.heads[0]
    assert [asked.headers["Host"] for asked in server.requests] == [place] * 2
    assert server.requests[0].headers["Proxy-Authorization"] is None


@pytest.mark.parametrize(("refusal", "transient"), [("407 Proxy Authentication Required", False), ("503 Busy", True)])
def test_a_proxy_that_refuses_is_told(refusal: str, transient: bool) -> None:
    with tunnel(refusal) as proxy:
        client = Client(Access(server="https://one.example", proxy=f"http://{proxy.address}"), budget_seconds=0)
        with pytest.raises(Unreachable) as caught:
            client.get("/x")

    assert f"cannot be reached: the proxy does not lead there ({refusal}). Check" in str(caught.value)
    assert caught.value.transient is transient


def test_the_environment_names_the_proxy_of_each_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_for(urlsplit("https://one.example"), None) is None
    monkeypatch.setenv("HTTPS_PROXY", "secure.example:3128")
    monkeypatch.setenv("http_proxy", "http://plain.example/")
    secure = proxy_for(urlsplit("https://one.example"), None)
    plain = proxy_for(urlsplit("http://one.example"), None)
    own = proxy_for(urlsplit("https://one.example"), "http://[fd00::1]:8080")

    assert (secure and (secure.host, secure.port)) == ("secure.example", 3128)
    assert (plain and (plain.host, plain.port)) == ("plain.example", 80)
    assert (own and (own.host, own.port)) == ("fd00::1", 8080)


@pytest.mark.parametrize(
    ("server", "rules", "exempt"),
    [
        ("https://one.example", "one.example", True),
        ("https://one.example", "two.example, ONE.example", True),
        ("https://deep.one.example", "one.example", True),
        ("https://one.example", ".one.example", False),
        ("https://deep.one.example", ".one.example", True),
        ("https://deep.one.example", "*.one.example", True),
        ("https://one.example", "ne.example", False),
        ("https://one.example", "one.example:443", True),
        ("https://one.example:6443", "one.example:443", False),
        ("https://one.example", "one.example:x", False),
        ("https://one.example", "*", True),
        ("https://one.example", "", False),
        ("https://10.1.2.3:6443", "10.1.2.3", True),
        ("https://10.1.2.3:6443", "10.1.2.3:6443", True),
        ("https://10.1.2.3:6443", "10.0.0.0/8", True),
        ("https://10.1.2.3:6443", "11.0.0.0/8,bad/8", False),
        ("https://[fd00::1]", "fd00::/8", True),
        ("https://[fd00::1]", "fd00:0::1", True),
        ("https://one.example", "10.0.0.0/8", False),
        ("https://127.0.0.1:6443", "", True),
        ("https://[::1]:6443", "", True),
        ("https://localhost:6443", "", True),
    ],
)
def test_hosts_can_be_exempt(server: str, rules: str, exempt: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    monkeypatch.setenv("NO_PROXY", rules)

    assert (proxy_for(urlsplit(server), None) is None) is exempt
    assert proxy_for(urlsplit(server), "http://proxy.example") is not None


@pytest.mark.parametrize(
    "url", ["https://user:hidden@proxy.example", "socks5://proxy.example:1080", "http://", "http://p:x"]
)
def test_other_kinds_of_proxy_are_refused(url: str) -> None:
    with pytest.raises(ProxyError, match="is of a kind that Penstock does not support") as caught:
        Client(Access(server="https://one.example", proxy=url))

    assert "hidden" not in str(caught.value)
