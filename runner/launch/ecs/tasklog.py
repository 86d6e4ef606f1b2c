"""Reads what the flow's container of a task has written, from CloudWatch Logs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runner.aws.client import Client
from runner.aws.errors import NotFound
from runner.awslogs import decoded

PAGE = 10_000
"""Most events in an answer of GetLogEvents (API reference)."""


class TaskLog:
    """A log from its beginning on, every event once.

    Args:
        client: of CloudWatch Logs.
        group: name of the log group.
        stream: name of the log stream.
    """

    def __init__(self, client: Client, group: str, stream: str) -> None:
        self._client = client
        self._where = {"logGroupName": group, "logStreamName": stream}
        self._token: str | None = None

    def read(self) -> Iterator[bytes]:
        """What has come since the last time, page by page; nothing where there is no stream yet."""
        for page in self.lines():
            yield b"".join(line.data for line in page)

    def lines(self) -> Iterator[list["Line"]]:
        """The same as events, each with its time."""
        while True:
            try:
                page = self._client.call(
                    "GetLogEvents", **self._where, startFromHead=True, limit=PAGE, nextToken=self._token
                )
            except NotFound:
                return
            token = page.get("nextForwardToken")
            yield _lines(page, self._where["logStreamName"])
            # The same token again says that there is nothing more for now (API reference of GetLogEvents).
            if token == self._token or not token:
                return
            self._token = token


def last(client: Client, group: str, stream: str, *, at_least: int) -> bytes:
    """The end of a log: whole events, as many as hold so many bytes, or all that there are.

    Raises:
        NotFound: there is no such group or stream.
    """
    pages: list[bytes] = []
    token: str | None = None
    while sum(map(len, pages)) < at_least:
        page = client.call(
            "GetLogEvents",
            logGroupName=group,
            logStreamName=stream,
            startFromHead=False,
            limit=PAGE,
            nextToken=token,
        )
        pages.insert(0, _bytes(page))
        if not page["events"] or page.get("nextBackwardToken") in {None, token}:
            break
        token = page["nextBackwardToken"]
    return b"".join(pages)


@dataclass(frozen=True, kw_only=True)
class Line:
    """An event of a log."""

    stream: str
    at: float
    """When it was written, in seconds since 1970."""
    data: bytes


def search(client: Client, group: str, phrase: str, *, streams: str, since: float = 0.0) -> Iterator[Line]:
    """The events of a log group that have a phrase in them, in no order.

    Args:
        client: of CloudWatch Logs.
        group: the group.
        phrase: text without quotes.
        streams: what the names of the streams begin with.
        since: no earlier ones than this, in seconds since 1970.

    Raises:
        NotFound: there is no such group.
    """
    token: str | None = None
    while True:
        page = client.call(
            "FilterLogEvents",
            logGroupName=group,
            logStreamNamePrefix=streams,
            filterPattern=f'"{phrase}"',
            startTime=int(since * 1000),
            nextToken=token,
        )
        yield from _lines(page)
        token = page.get("nextToken")
        if not token:
            return


def _lines(page: dict[str, Any], stream: str = "") -> list[Line]:
    """Events of a page, which names their streams if they are not all of one."""
    return [
        Line(stream=event.get("logStreamName", stream), at=event["timestamp"] / 1000, data=decoded(event["message"]))
        for event in page["events"]
    ]


def _bytes(page: dict[str, Any]) -> bytes:
    return b"".join(decoded(event["message"]) for event in page["events"])
