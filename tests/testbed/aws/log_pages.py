"""Pages of a log's events and the tokens between them, as CloudWatch Logs gives them.

Source: "GetLogEvents" and "FilterLogEvents" in the CloudWatch Logs API reference.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from moto.logs.exceptions import InvalidParameterException

PAGE_EVENTS = 10_000
PAGE_BYTES = 1024 * 1024
EVENT_BYTES = 26
"""What CloudWatch counts for each event beside its message, in bytes."""
TOKEN = re.compile(r"(?P<direction>[fb])/(?P<index>[0-9]{56})/(?P<turn>[st])")
MARK = re.compile(r"(?P<time>[0-9]+):(?P<id>[0-9]+):(?P<turn>[st])")
TURNS = {"s": "t", "t": "s"}
"""The end of a token: a page without events has a token of its own as long as there is more."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a page is asked for with."""

    limit: int | None = None
    token: str | None = None
    start: int | None = None
    """Milliseconds since 1970: the first that counts."""
    end: int | None = None
    """Milliseconds since 1970: the first that does not count any more."""
    empty: bool = False
    """Whether nothing is to come this time, though there is more."""

    @property
    def most(self) -> int:
        """The most events of the page."""
        if self.limit is not None and not 1 <= self.limit <= PAGE_EVENTS:
            raise InvalidParameterException(
                constraint="Member must have value less than or equal to 10000", parameter="limit", value=self.limit
            )
        return self.limit or PAGE_EVENTS

    def counts(self, event: Any) -> bool:
        """Whether an event is of the time that is asked for."""
        return (self.start is None or event.timestamp >= self.start) and (
            self.end is None or event.timestamp < self.end
        )


def of_stream(events: Sequence[Any], asked: Asked, *, from_head: bool) -> tuple[list[Any], str, str]:
    """A page of a stream, in the order of time, with the tokens backward and forward.

    Asked with the token of the end, the answer has the same token, and nothing else tells the end.
    """
    ordered = sorted(events, key=lambda event: event.timestamp)
    token = asked.token and TOKEN.fullmatch(asked.token)
    if asked.token and not token:
        raise InvalidParameterException("The specified nextToken is invalid.")
    forward = token["direction"] == "f" if token else from_head
    first = last = min(int(token["index"]), len(ordered)) if token else 0 if from_head else len(ordered)
    turn = token["turn"] if token else "s"
    if asked.empty:
        return [], _token("b", first, turn), _token("f", last, TURNS[turn] if forward else turn)
    page = _Page(asked.most)
    if forward:
        while last < len(ordered) and (not asked.counts(ordered[last]) or page.take(ordered[last])):
            last += 1
    else:
        while first > 0 and (not asked.counts(ordered[first - 1]) or page.take(ordered[first - 1])):
            first -= 1
        page.events.reverse()
    moved = first != last
    return page.events, _token("b", first, "s" if moved else turn), _token("f", last, "s" if moved else turn)


def of_group(
    events: Sequence[tuple[str, Any]], asked: Asked, matches: Callable[[str], bool]
) -> tuple[list[tuple[str, Any]], str | None]:
    """A page of what matches in the streams of a group, with the token for more; null at the end.

    Args:
        events: name of the stream and event.
        asked: the page.
        matches: whether a message is asked for.
    """
    mark = asked.token and MARK.fullmatch(asked.token)
    if asked.token and not mark:
        raise InvalidParameterException("The specified nextToken is invalid.")
    after = (int(mark["time"]), int(mark["id"])) if mark else (-1, -1)
    if asked.empty:
        return [], f"{max(after[0], 0)}:{max(after[1], 0)}:{TURNS[mark['turn']] if mark else 's'}"
    page = _Page(asked.most)
    for name, event in sorted(events, key=lambda item: _place(item[1])):
        if _place(event) <= after or not asked.counts(event) or not matches(event.message):
            continue
        if not page.take(event, (name, event)):
            return page.events, f"{after[0]}:{after[1]}:s"
        after = _place(event)
    return page.events, None


class _Page:
    """Events, as long as there is room."""

    def __init__(self, most: int) -> None:
        self.events: list[Any] = []
        self._most = most
        self._bytes = 0

    def take(self, event: Any, what: Any = None) -> bool:
        """Whether there was room for it."""
        self._bytes += len(event.message.encode(errors="surrogatepass")) + EVENT_BYTES
        if len(self.events) >= self._most or (self.events and self._bytes > PAGE_BYTES):
            return False
        self.events.append(what or event)
        return True


def _token(direction: str, index: int, turn: str) -> str:
    return f"{direction}/{index:056d}/{turn}"


def _place(event: Any) -> tuple[int, int]:
    return event.timestamp, event.event_id + 1
