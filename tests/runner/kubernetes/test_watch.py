"""Watches that break in every way."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from runner.http import retry
from runner.http.errors import Unreachable
from runner.kubernetes import watch
from runner.kubernetes.errors import Forbidden
from runner.kubernetes.watch import Watch
from tests.runner.kubernetes.api_server import ApiServer, Exchange, failure
from tests.runner.kubernetes.replies import client_of, in_turn

Reply = Callable[[Exchange], None]
PLACE = "/api/v1/namespaces/ns/pods"


def thing(name: str, version: int, *, uid: str | None = None) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": uid or f"uid-{name}", "resourceVersion": str(version)}}


def listing(version: int, *items: dict[str, Any], more: str | None = None) -> Reply:
    metadata = {"resourceVersion": str(version), **({"continue": more} if more else {})}
    return lambda exchange: exchange.json(200, {"metadata": metadata, "items": list(items)})


def watching(*events: tuple[str, dict[str, Any]], then: Reply = Exchange.end) -> Reply:
    def reply(exchange: Exchange) -> None:
        exchange.begin()
        for kind, item in events:
            exchange.event(kind, item)
        then(exchange)

    return reply


def forever(exchange: Exchange) -> None:
    exchange.begin()
    exchange.gone()


@contextmanager
def watch_of(*replies: Reply, budget_seconds: float = 5) -> Iterator[tuple[Watch, ApiServer]]:
    """A watch of a server with one reply for each request."""
    with (
        client_of(in_turn(*replies), budget_seconds=budget_seconds) as (client, server),
        Watch(client, PLACE, label_selector="a=b", field_selector="metadata.name=x") as found,
    ):
        yield found, server


def take(found: Watch, number: int) -> list[tuple[str, str, str]]:
    """So many events, as type, name and version."""
    taken: list[tuple[str, str, str]] = []
    for event in found:
        metadata = event.object.get("metadata", {})
        taken.append((event.type, metadata.get("name", ""), metadata.get("resourceVersion", "")))
        if len(taken) == number:
            break
    return taken


def _versions(server: ApiServer) -> list[str | None]:
    """What each watch has asked for; null for a list."""
    return [asked.query.get("resourceVersion") for asked in server.requests]


def test_what_is_there_comes_first_then_the_mark_then_what_changes() -> None:
    changes = watching(
        ("ADDED", thing("c", 11)), ("MODIFIED", thing("a", 12)), ("DELETED", thing("b", 13)), then=Exchange.gone
    )
    with watch_of(listing(10, thing("a", 3), thing("b", 4)), changes) as (found, server):
        assert take(found, 6) == [
            ("ADDED", "a", "3"),
            ("ADDED", "b", "4"),
            ("LISTED", "", ""),
            ("ADDED", "c", "11"),
            ("MODIFIED", "a", "12"),
            ("DELETED", "b", "13"),
        ]
        first, second = server.requests

    assert first.query == {"labelSelector": "a=b", "fieldSelector": "metadata.name=x", "limit": "500"}
    assert first.place == second.place == f"/prefix{PLACE}"
    seconds = int(second.query.pop("timeoutSeconds"))
    assert 300 <= seconds <= 600
    assert second.query == {
        "labelSelector": "a=b",
        "fieldSelector": "metadata.name=x",
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "10",
    }


def test_a_long_list_comes_in_pages() -> None:
    pages = (listing(10, thing("a", 1), more="one"), listing(10, more="two"), listing(10, thing("b", 2)))
    with watch_of(*pages, forever) as (found, server):
        assert take(found, 3) == [("ADDED", "a", "1"), ("ADDED", "b", "2"), ("LISTED", "", "")]

    assert [asked.query.get("continue") for asked in server.requests] == [None, "one", "two"]


def test_a_list_whose_pages_expire_begins_anew() -> None:
    expired = lambda exchange: exchange.fail(410, "Expired")  # noqa: E731
    replies = (listing(10, thing("a", 1), more="one"), expired, listing(12, thing("a", 1), thing("b", 11)), forever)
    with watch_of(*replies) as (found, _):
        assert take(found, 3) == [("ADDED", "a", "1"), ("ADDED", "b", "11"), ("LISTED", "", "")]


@pytest.mark.parametrize("end", [Exchange.end, Exchange.cut, Exchange.reset])
def test_a_break_is_bridged_from_the_last_version(end: Reply) -> None:
    replies = (
        listing(10, thing("a", 3)),
        watching(("MODIFIED", thing("a", 11)), then=end),
        watching(("BOOKMARK", thing("", 20)), then=end),
        watching(then=end),
        watching(("DELETED", thing("a", 21)), then=Exchange.gone),
    )
    with watch_of(*replies) as (found, server):
        assert take(found, 4) == [
            ("ADDED", "a", "3"),
            ("LISTED", "", ""),
            ("MODIFIED", "a", "11"),
            ("DELETED", "a", "21"),
        ]

    # A connection that was reset may have been so before its last event was read.
    if end is not Exchange.reset:
        assert _versions(server) == [None, "10", "11", "20", "20"]


def test_an_event_that_is_cut_anywhere_comes_whole_after_the_break() -> None:
    line = json.dumps({"type": "MODIFIED", "object": thing("a", 11)}).encode() + b"\n"
    whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(line), line)
    for position in range(len(whole) + 1):

        def cut(exchange: Exchange, sent: bytes = whole[:position]) -> None:
            exchange.wfile.write(sent)
            exchange.cut()

        def rest(exchange: Exchange) -> None:
            missing = [("MODIFIED", thing("a", 11))] if exchange.asked.query["resourceVersion"] == "10" else []
            watching(*missing, ("DELETED", thing("a", 12)), then=Exchange.gone)(exchange)

        with watch_of(listing(10, thing("a", 3)), cut, rest) as (found, _):
            assert [kind for kind, _, _ in take(found, 4)] == ["ADDED", "LISTED", "MODIFIED", "DELETED"], position


def _gone_as_answer(exchange: Exchange) -> None:
    exchange.fail(410, "Expired", "too old resource version")


def _gone_as_event(exchange: Exchange) -> None:
    watching(("ERROR", failure(410, "Gone", "too old resource version")))(exchange)


@pytest.mark.parametrize("gone", [_gone_as_answer, _gone_as_event])
def test_after_a_version_that_is_forgotten_only_the_differences_are_told(gone: Reply) -> None:
    replies = (
        listing(10, thing("a", 1), thing("b", 2), thing("c", 3), thing("d", 4, uid="old")),
        gone,
        listing(50, thing("a", 1), thing("b", 40), thing("d", 41, uid="new"), thing("e", 42)),
        watching(("MODIFIED", thing("a", 51))),
        gone,
        listing(60, thing("a", 51), thing("b", 40), thing("d", 41, uid="new")),
        forever,
    )
    with watch_of(*replies) as (found, server):
        assert take(found, 5)[-1] == ("LISTED", "", "")
        assert take(found, 6) == [
            ("DELETED", "c", "3"),
            ("DELETED", "d", "4"),
            ("MODIFIED", "b", "40"),
            ("ADDED", "d", "41"),
            ("ADDED", "e", "42"),
            ("MODIFIED", "a", "51"),
        ]
        assert take(found, 1) == [("DELETED", "e", "42")]

    assert _versions(server)[:4] == [None, "10", None, "50"]


def test_what_is_told_again_unchanged_is_seen_once() -> None:
    again = watching(
        ("ADDED", thing("a", 3)),
        ("MODIFIED", thing("a", 3)),
        ("DELETED", thing("never-seen", 9)),
        ("ADDED", thing("a", 12)),
        ("MODIFIED", thing("b", 13)),
        then=Exchange.gone,
    )
    with watch_of(listing(10, thing("a", 3)), again) as (found, _):
        assert take(found, 4)[2:] == [("MODIFIED", "a", "12"), ("ADDED", "b", "13")]


@pytest.mark.parametrize("code", [500, 504, 429])
def test_an_error_that_passes_is_a_break(code: int) -> None:
    error = watching(("ERROR", failure(code, "InternalError")))
    with watch_of(listing(10), error, watching(("ADDED", thing("a", 11)), then=Exchange.gone)) as (found, server):
        assert take(found, 2) == [("LISTED", "", ""), ("ADDED", "a", "11")]

    assert _versions(server) == [None, "10", "10"]


def test_an_error_that_lasts_is_raised() -> None:
    forbidden = failure(403, "Forbidden", "cannot watch")
    for replies in (
        (listing(10), watching(("ERROR", forbidden))),
        (listing(10), lambda exchange: exchange.json(403, forbidden)),
        (lambda exchange: exchange.json(403, forbidden),),
    ):
        with watch_of(*replies) as (found, _), pytest.raises(Forbidden, match="cannot watch"):
            list(found)


@pytest.mark.parametrize("line", [b"{}\n", b"nonsense\n", b'{"type": "ADDED", "object": 3}\n'])
def test_what_is_no_event_is_a_break(line: bytes) -> None:
    def nonsense(exchange: Exchange) -> None:
        exchange.begin()
        exchange.chunk(line)
        exchange.gone()

    with watch_of(listing(10), nonsense, watching(("ADDED", thing("a", 11)), then=Exchange.gone)) as (found, _):
        assert take(found, 2)[1] == ("ADDED", "a", "11")


@pytest.mark.parametrize("broken", [Exchange.reset, watching(), watching(then=Exchange.cut)])
def test_breaks_that_last_longer_than_the_budget_are_an_error(broken: Reply, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "LONGEST_SECONDS", 0.05)
    monkeypatch.setattr(watch, "LONGEST_SECONDS", 0.05)
    with watch_of(listing(10), broken, budget_seconds=0.5) as (found, server):
        began = time.monotonic()
        with pytest.raises(Unreachable):
            list(found)

    assert 0.2 < time.monotonic() - began < 3
    assert len(server.requests) > 4


def test_a_quiet_watch_that_is_cut_now_and_then_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LONGEST_SECONDS", 0.02)

    def quiet(exchange: Exchange) -> None:
        exchange.begin()
        time.sleep(0.05)  # as what closes idle connections does
        exchange.cut()

    replies = (listing(10), *[quiet] * 10, watching(("ADDED", thing("a", 11)), then=Exchange.gone))
    with watch_of(*replies, budget_seconds=0.2) as (found, _):
        assert take(found, 2)[1] == ("ADDED", "a", "11")


def test_after_an_error_it_goes_on_where_it_was() -> None:
    replies = (
        listing(10, thing("a", 3)),
        lambda exchange: exchange.fail(403, "Forbidden"),
        watching(("DELETED", thing("a", 11)), then=Exchange.gone),
    )
    with watch_of(*replies) as (found, server):
        with pytest.raises(Forbidden):
            list(found)
        assert take(found, 1) == [("DELETED", "a", "11")]

    assert _versions(server) == [None, "10", "10"]


def test_another_thread_can_close_it() -> None:
    with watch_of(listing(10), forever) as (found, server):
        seen: list[str] = []
        reader = threading.Thread(target=lambda: seen.extend(event.type for event in found))
        reader.start()
        while len(server.requests) < 2:
            time.sleep(0.002)  # another thread's start has no event here
        found.close()
        reader.join(2)

        assert not reader.is_alive()
        assert seen == ["LISTED"]
        assert list(found) == []


def test_closing_ends_the_wait_for_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "SHORTEST_SECONDS", 4.0)
    with watch_of(listing(10), watching(), budget_seconds=60) as (found, server):
        reader = threading.Thread(target=lambda: list(found))
        reader.start()
        while len(server.requests) < 2:
            time.sleep(0.002)  # another thread's start has no event here
        found.close()
        reader.join(2)
        assert not reader.is_alive()


def test_nothing_comes_after_it_was_closed() -> None:
    many = watching(*(("ADDED", thing(f"n{number}", 11 + number)) for number in range(100)), then=Exchange.gone)
    with watch_of(listing(10), many) as (found, _):
        seen = 0
        for event in found:
            seen += event.type == "ADDED"
            if seen == 3:
                found.close()

    assert seen == 3
