"""Frames and messages of WebSocket."""

import contextlib
from email.message import Message
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.kubernetes import websocket
from runner.kubernetes.websocket import Messages, Opcode, ViolationError
from tests.runner.kubernetes.pod_port import BINARY, CLOSE, CONTINUATION, PING, server_frame

SIZES = st.integers(0, 300) | st.sampled_from([125, 126, 65535, 65536])
PLANS = st.lists(st.tuples(SIZES, st.lists(st.floats(0, 1), max_size=3), st.integers(0, 125)), max_size=5)
"""Messages: how large each is, where it is cut into frames, and the size of the pings between those."""


@given(PLANS, st.integers(1, 300))
def test_messages_are_read_however_they_are_cut(plan: list[tuple[int, list[float], int]], reads: int) -> None:
    expected, sent = [], b""
    for size, cuts, ping in plan:
        payload = bytes(number % 251 for number in range(size))
        places = [0, *sorted(int(cut * size) for cut in cuts), size]
        for number, (start, end) in enumerate(pairwise(places)):
            kind, final = CONTINUATION if number else BINARY, number == len(cuts)
            sent += server_frame(PING, payload[:ping]) + server_frame(kind, payload[start:end], final=final)
            expected.append((PING, payload[:ping]))
        expected.append((BINARY, payload))
    messages, step = Messages(), len(sent) // reads + 1

    found = [item for at in range(0, len(sent), step) for item in messages.feed(sent[at : at + step])]

    assert found == expected


@given(SIZES)
def test_what_is_sent_is_whole_and_masked(size: int) -> None:
    payload = bytes(number % 251 for number in range(size))
    sent = websocket.frame(Opcode.BINARY, payload)
    short = sent[1] & 0x7F
    wide = {126: 2, 127: 8}.get(short, 0)
    mask, content = sent[2 + wide : 6 + wide], sent[6 + wide :]

    assert sent[0] == 0x82
    assert sent[1] & 0x80
    assert (int.from_bytes(sent[2 : 2 + wide], "big") if wide else short) == size == len(content)
    assert bytes(byte ^ mask[i % 4] for i, byte in enumerate(content)) == payload


@given(st.binary(max_size=200))
def test_any_bytes_are_messages_or_a_violation(data: bytes) -> None:
    with contextlib.suppress(ViolationError):
        for opcode, payload in Messages().feed(data):
            assert opcode in set(Opcode) - {Opcode.CONTINUATION}
            assert len(payload) < len(data)


@pytest.mark.parametrize(
    ("sent", "what"),
    [
        (b"\x82\x81\0\0\0\0x", "is no frame of a server"),
        (b"\xc2\x01x", "is no frame of a server"),
        (b"\x83\x01x", "is no frame of a server"),
        (b"\x8b\x00", "is no frame of a server"),
        (server_frame(CONTINUATION, b"x"), "parts of messages in a wrong order"),
        (server_frame(BINARY, b"x", final=False) + server_frame(BINARY, b"x"), "parts of messages in a wrong order"),
        (server_frame(PING, b"x", final=False), "control frame that is in parts or too long"),
        (server_frame(CLOSE, b"x" * 126), "control frame that is in parts or too long"),
        (b"\x82\x7f" + (11).to_bytes(8, "big"), "a message that is too large"),
        (b"\x82\x7f" + b"\xff" * 8, "a message that is too large"),
        (b"\x02\x06123456" + b"\x80\x05", "a message that is too large"),
    ],
)
def test_violations_are_seen_before_their_end(sent: bytes, what: str) -> None:
    with pytest.raises(ViolationError, match=what):
        list(Messages(largest=10).feed(sent))


def test_the_acceptance_is_that_of_the_rfc() -> None:
    assert websocket.acceptance("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_each_handshake_has_a_key_of_its_own() -> None:
    asked = websocket.handshake("p")
    assert asked["Sec-WebSocket-Key"] != websocket.handshake("p")["Sec-WebSocket-Key"]

    answered = Message()
    assert not websocket.accepts(asked, 101, answered)
    answered["upgrade"], answered["connection"] = "WebSocket", "keep-alive, Upgrade"
    answered["sec-websocket-accept"] = websocket.acceptance(asked["Sec-WebSocket-Key"])
    assert not websocket.accepts(asked, 101, answered)
    answered["sec-websocket-protocol"] = "p"
    assert websocket.accepts(asked, 101, answered)
    assert not websocket.accepts(asked, 200, answered)
