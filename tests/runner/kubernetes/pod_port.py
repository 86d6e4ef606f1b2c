"""The other side of a tunnel: what API server, kubelet and container runtime do, and what they should not."""

import base64
import hashlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.runner.kubernetes.api_server import Exchange

PORT = 8787
NAMED = PORT.to_bytes(2, "little")
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


@dataclass(frozen=True)
class Frame:
    """What the client sent."""

    opcode: int
    payload: bytes


def server_frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """A frame as a server sends it."""
    size = len(payload)
    length = (
        struct.pack("!B", size)
        if size < 126
        else struct.pack("!BH", 126, size)
        if size < 65536
        else struct.pack("!BQ", 127, size)
    )
    return bytes([(0x80 if final else 0) | opcode]) + length + payload


def data(content: bytes) -> bytes:
    """A message of the data channel."""
    return server_frame(BINARY, b"\0" + content)


def error(text: str) -> bytes:
    """A message of the error channel."""
    return server_frame(BINARY, b"\1" + text.encode())


def close(code: int = 1000) -> bytes:
    """A frame that closes."""
    return server_frame(CLOSE, code.to_bytes(2, "big"))


BEGINNING = server_frame(BINARY, b"\0" + NAMED) + server_frame(BINARY, b"\1" + NAMED)
"""The first message of each channel."""


def head(exchange: Exchange, *, accept: str | None = None, protocol: str | None = "v4.channel.k8s.io") -> bytes:
    """The answer that takes up the handshake."""
    key = exchange.asked.headers["Sec-WebSocket-Key"]
    right = base64.b64encode(
        hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False).digest()
    ).decode()
    lines = ["HTTP/1.1 101 Switching Protocols", "upgrade: WebSocket", "connection: upgrade"]
    lines += [f"Sec-WebSocket-Accept: {accept or right}"]
    lines += [f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def says(*parts: bytes) -> Callable[[Exchange], None]:
    """A pod's side that says this and waits for the end."""

    def reply(exchange: Exchange) -> None:
        exchange.wfile.write(head(exchange) + b"".join(parts))
        exchange.gone()

    return reply


def frames(exchange: Exchange) -> Iterator[Frame]:
    """What the client sends, to its end; each frame must be masked and whole."""
    exchange.close_connection = True
    while start := exchange.rfile.read(2):
        assert start[0] & 0xF0 == 0x80
        assert start[1] & 0x80
        size = start[1] & 0x7F
        if size > 125:
            size = int.from_bytes(exchange.rfile.read({126: 2, 127: 8}[size]), "big")
        mask, payload = exchange.rfile.read(4), exchange.rfile.read(size)
        if len(payload) < size:
            return
        yield Frame(start[0] & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)))


def echoes(exchange: Exchange) -> None:
    """A pod's side that gives back what it gets."""
    exchange.wfile.write(head(exchange) + BEGINNING)
    for frame in frames(exchange):
        if frame.opcode == CLOSE:
            return
        exchange.wfile.write(server_frame(frame.opcode, frame.payload))
