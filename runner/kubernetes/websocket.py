"""The client's side of WebSocket (RFC 6455) as functions of bytes: the handshake's headers, frames and messages."""

import base64
import hashlib
import os
from collections.abc import Iterator, Mapping
from email.message import Message
from enum import IntEnum

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What the RFC has the server add to the client's key."""
LARGEST_MESSAGE = 1024 * 1024
"""Largest message that is taken, in bytes. The kubelet's are of 32 KiB."""
LARGEST_CONTROL = 125
NORMAL, VIOLATION, TOO_LARGE = 1000, 1002, 1009
"""Codes of a close."""


class Opcode(IntEnum):
    """Kinds of frame."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class ViolationError(Exception):
    """The other side does not keep to the protocol.

    Args:
        what: what it did, after "it".
        code: the code to close with.
    """

    def __init__(self, what: str, code: int = VIOLATION) -> None:
        super().__init__(what)
        self.code = code


def handshake(protocol: str) -> dict[str, str]:
    """Headers of a request for a WebSocket with a subprotocol; the key among them is another one each time."""
    return {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Protocol": protocol,
    }


def accepts(asked: Mapping[str, str], status: int, answered: Message) -> bool:
    """Whether an answer takes up the handshake.

    Args:
        asked: headers of the request.
        status: HTTP status of the answer.
        answered: its headers.
    """
    return (
        status == 101
        and (answered.get("Upgrade") or "").lower() == "websocket"
        and "upgrade" in (answered.get("Connection") or "").lower()
        and (answered.get("Sec-WebSocket-Accept") or "").strip() == acceptance(asked["Sec-WebSocket-Key"])
        and answered.get("Sec-WebSocket-Protocol") == asked["Sec-WebSocket-Protocol"]
    )


def acceptance(key: str) -> str:
    """What a server answers to a key."""
    return base64.b64encode(hashlib.sha1(f"{key}{GUID}".encode(), usedforsecurity=False).digest()).decode()


def frame(opcode: Opcode, payload: bytes) -> bytes:
    """A whole message, or a control frame, as a client sends it: masked."""
    size, mask = len(payload), os.urandom(4)
    if size <= 125:
        head = bytes([0x80 | opcode, 0x80 | size])
    elif size < 1 << 16:
        head = bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + mask + masked(payload, mask)


def closing(code: int) -> bytes:
    """A frame that closes."""
    return frame(Opcode.CLOSE, code.to_bytes(2, "big"))


def masked(payload: bytes, mask: bytes) -> bytes:
    """The payload under a mask, or without it: it is the same both ways."""
    size = len(payload)
    repeated = (mask * (size // 4 + 1))[:size]
    # One operation on large integers: a loop over bytes would cost a hundred times that.
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


class Messages:
    """Reads what a server sends, however it is cut.

    Args:
        largest: most bytes of a message.
    """

    def __init__(self, largest: int = LARGEST_MESSAGE) -> None:
        self._largest = largest
        self._received = bytearray()
        self._kind: Opcode | None = None
        """Of the message whose first frames have come."""
        self._begun = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Opcode, bytes]]:
        """Messages (text, binary) and control frames that are complete with these bytes, in order.

        Raises:
            ViolationError: these are not bytes that a server may send.
        """
        self._received += data
        while (found := self._frame()) is not None:
            final, opcode, payload = found
            if opcode >= Opcode.CLOSE:
                yield opcode, payload
                continue
            if (opcode is Opcode.CONTINUATION) is (self._kind is None):
                raise ViolationError("sent parts of messages in a wrong order")
            self._kind = opcode if self._kind is None else self._kind
            self._begun += payload
            if final:
                kind, message = self._kind, bytes(self._begun)
                self._kind, self._begun = None, bytearray()
                yield kind, message

    def _frame(self) -> tuple[bool, Opcode, bytes] | None:
        """Take the next frame; null while it is not complete."""
        there = self._received
        if len(there) < 2:
            return None
        final, low, length = bool(there[0] & 0x80), there[0] & 0x0F, there[1] & 0x7F
        if there[0] & 0x70 or there[1] & 0x80 or low not in set(Opcode):
            raise ViolationError("sent what is no frame of a server")
        if low >= Opcode.CLOSE and (not final or length > LARGEST_CONTROL):
            raise ViolationError("sent a control frame that is in parts or too long")
        wide = {126: 2, 127: 8}.get(length, 0)
        start = 2 + wide
        if len(there) < start:
            return None
        size = int.from_bytes(there[2:start], "big") if wide else length
        # Before it has come: what is too large is never kept.
        if low < Opcode.CLOSE and size + len(self._begun) > self._largest:
            raise ViolationError("sent a message that is too large", TOO_LARGE)
        if len(there) < start + size:
            return None
        payload = bytes(there[start : start + size])
        del there[: start + size]
        return final, Opcode(low), payload
