"""Serves a container's log as a kubelet does: records with a time each, which make up lines."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from tests.runner.kubernetes.api_server import Exchange

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
"""Nanoseconds since 1970."""


@dataclass(frozen=True)
class Record:
    """What the container runtime has written down: a line, or a part of one that ends without a newline."""

    at: int
    """Nanoseconds since `START`."""
    text: bytes


def stamp(at: int, offset: timezone = UTC) -> bytes:
    """A time as the kubelet writes it."""
    second, rest = divmod(START + at, SECOND)
    shown = datetime.fromtimestamp(second, offset)
    zone = "Z" if shown.utcoffset() == timedelta() else f"{shown:%z}"[:3] + ":" + f"{shown:%z}"[3:]
    return f"{shown:%Y-%m-%dT%H:%M:%S}.{rest:09d}{zone}".encode()


def served(records: list[Record], since: str | None, offset: timezone = UTC) -> bytes:
    """The log from a time on, each line after its time; the rest of a line that was begun before has none."""
    first = -(10**30) if since is None else int(datetime.fromisoformat(since).timestamp()) * SECOND - START
    found, new_line = [], True
    for record in records:
        if record.at >= first:
            found.append((stamp(record.at, offset) + b" " if new_line else b"") + record.text)
        new_line = record.text.endswith(b"\n")
    return b"".join(found)


def text_of(records: list[Record]) -> bytes:
    """What the container has printed."""
    return b"".join(record.text for record in records)


def chunked(data: bytes, size: int = 37) -> bytes:
    """A whole HTTP answer."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def log_of(records: list[Record], *cuts: int, offset: timezone = UTC) -> Callable[[Exchange], None]:
    """A reply with the log; the first answers are cut off after so many bytes, each after the one before."""
    left = list(cuts)

    def reply(exchange: Exchange) -> None:
        answer = chunked(served(records, exchange.asked.query.get("sinceTime"), offset))
        exchange.wfile.write(answer[: left.pop(0)] if left else answer)
        exchange.cut()

    return reply
