"""Logs of containers over connections that break."""

import threading
import time
from datetime import timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from runner.http import retry
from runner.kubernetes import logs
from runner.kubernetes.client import Client
from runner.kubernetes.config import Access
from runner.kubernetes.errors import ApiError, ConnectionLost, Forbidden, NotFound, NotStarted
from runner.kubernetes.logs import PodLog, read
from tests.runner.kubernetes.api_server import ApiServer, Exchange
from tests.runner.kubernetes.kubelet import SECOND, Record, chunked, log_of, served, stamp, text_of
from tests.runner.kubernetes.replies import client_of, fails, in_turn

LOG = [
    Record(0, b"first\n"),
    Record(SECOND - 1, b"last of its second\n"),
    Record(SECOND, b"same\n"),
    Record(SECOND, b"same\n"),
    Record(SECOND, b"same time, other text\n"),
    Record(SECOND, b"same\n"),
    Record(SECOND + 1, b"\n"),
    Record(SECOND + 2, b"\xff\xfe\x00 not UTF-8 \r\r\n"),
    Record(SECOND + 3, b"2023-11-14T22:13:21.000000001Z looks like a time\n"),
    Record(3 * SECOND + 5, b"later, of stdout\n"),
    Record(3 * SECOND - 5, b"earlier, of stderr\n"),
    Record(3 * SECOND + 6, b"of stdout again\n"),
    Record(5 * SECOND - 7, b"long " * 5),
    Record(5 * SECOND + 2, b"line " * 5),
    Record(5 * SECOND + 4, b"in three parts\n"),
    Record(5 * SECOND + 5, b"after it\n"),
    Record(6 * SECOND, b"asked for since the second in which the long line went on\n"),
    Record(8 * SECOND, b"the end\n"),
]


def pod_log(client: Client, *, finished: bool = True) -> PodLog:
    log = PodLog(client, namespace="ns", pod="p", container="c")
    if finished:
        log.finish()
    return log


def test_the_log_is_asked_for_and_comes_without_its_times() -> None:
    with client_of(log_of(LOG)) as (client, server):
        found = list(pod_log(client))
        (asked,) = server.requests

    assert b"".join(found) == text_of(LOG)
    assert found[0] == b"first\n"
    assert found[12] == b"long " * 5 + b"line " * 5 + b"in three parts\n"
    assert asked.place == "/prefix/api/v1/namespaces/ns/pods/p/log"
    assert asked.query == {"container": "c", "follow": "false", "timestamps": "true"}


def test_cut_at_any_byte_the_log_is_the_same() -> None:
    whole = len(chunked(served(LOG, None)))
    server = ApiServer(log_of(LOG))
    with server, Client(Access(server=server.url)) as client:
        for position in range(whole):
            server.reply = log_of(LOG, position)
            assert b"".join(pod_log(client)) == text_of(LOG), position


def test_cut_again_and_again_on_a_node_in_another_timezone_the_log_is_the_same() -> None:
    offset = timezone(timedelta(hours=-5, minutes=-30))
    whole = len(chunked(served(LOG, None, offset)))
    server = ApiServer(log_of(LOG))
    with server, Client(Access(server=server.url)) as client:
        for position in range(0, whole, 19):
            cuts = [position, max(0, position - 300), position // 2, 150, 90, position // 3]
            server.reply = log_of(LOG, *cuts, offset=offset)
            assert b"".join(pod_log(client)) == text_of(LOG), position


TIME = b"2023-11-14T22:13:20Z "
records = some.lists(
    some.tuples(
        some.sampled_from([0, 0, 0, 1, 400_000_000, SECOND, 3 * SECOND]),
        some.integers(0, 20_000_000),
        some.sampled_from([b"\n", b"a\n", b"a\n", b"b\n", b"part", b"\xff\n", TIME + b"x\n"]),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(records, some.lists(some.integers(0, 1500), max_size=5))
def test_any_log_cut_anywhere_is_the_same(steps: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
    # Times go on by steps, and each may be a little late, as those of stdout and stderr are to each other. The parts of
    # a line are of one of them, and none looks like a time: where a log is asked for from a part on, that is one.
    in_parts = any(not text.endswith(b"\n") for _, _, text in steps)
    log, now = [], 0
    for step, late, text in steps:
        now += step
        log.append(Record(now if in_parts else now - late, text.removeprefix(TIME) if in_parts else text))
    server = ApiServer(log_of(log, *cuts))
    with server, Client(Access(server=server.url)) as client:
        assert b"".join(pod_log(client)) == text_of(log)


def test_after_a_clock_was_set_back_nothing_is_lost_that_follows() -> None:
    log = [Record(at * SECOND, b"%d\n" % at) for at in (100, 101, 102, 50, 51, 52, 53)]
    seen = len(chunked(served(log[:4], None)))
    server = ApiServer(log_of(log))
    with server, Client(Access(server=server.url)) as client:
        for position in range(seen, len(chunked(served(log, None)))):
            server.reply = log_of(log, position)
            assert set(pod_log(client)) == {record.text for record in log}, position


def test_lines_that_were_rotated_away_meanwhile_hide_none_that_follow() -> None:
    before = [Record(number, b"before %d\n" % number) for number in range(5)]
    after = [*before[3:], *(Record(10 + number, b"after %d\n" % number) for number in range(5))]
    cut = len(chunked(served(before, None))) - 5
    with client_of(in_turn(log_of(before, cut), log_of(after))) as (client, _):
        assert list(pod_log(client)) == [record.text for record in [*before, *after[2:]]]


def test_lines_come_at_once_and_parts_of_lines_do_not() -> None:
    seen = threading.Semaphore(0)

    def reply(exchange: Exchange) -> None:
        exchange.begin()
        for number in range(5):
            exchange.chunk(stamp(number) + b" line\n" + stamp(number) + b" begun, ")
            assert seen.acquire(timeout=5)
            exchange.chunk(b"and ended\n")
            assert seen.acquire(timeout=5)
        exchange.gone()

    with client_of(reply) as (client, server), pod_log(client, finished=False) as log:
        found = []
        for line in log:
            found.append(line)
            seen.release()
            if len(found) == 10:
                break

    assert found == [b"line\n", b"begun, and ended\n"] * 5
    assert server.requests[0].query["follow"] == "true"


def test_what_ends_while_the_container_runs_is_followed_again_until_it_has_ended() -> None:
    log = [Record(number, b"line %d\n" % number) for number in range(6)]
    left = [70, 70, 130, 140]

    def reply(exchange: Exchange) -> None:
        # A server that is replaced ends what it passes on wherever it is, and as if that were all.
        whole = served(log, exchange.asked.query.get("sinceTime"))
        exchange.wfile.write(chunked(whole[: left.pop(0)] if left else whole))
        if not left:
            found.finish()

    with client_of(reply) as (client, server):
        found = pod_log(client, finished=False)
        assert list(found) == [record.text for record in log]

    assert [asked.query["follow"] for asked in server.requests][:4] == ["true"] * 4
    assert server.requests[-1].query["follow"] == "false"


def test_the_end_of_the_container_ends_a_stream_that_hangs_and_loses_nothing() -> None:
    log = [*LOG, Record(9 * SECOND, b"no newline")]

    def reply(exchange: Exchange) -> None:
        if exchange.asked.query["follow"] == "false":
            log_of(log)(exchange)
            return
        exchange.begin()
        exchange.chunk(served(log, None)[:300])
        exchange.gone()

    with client_of(reply) as (client, server):
        found = pod_log(client, finished=False)
        lines = []
        for line in found:
            lines.append(line)
            if len(lines) == 5:
                began = time.monotonic()
                found.finish()
        assert time.monotonic() - began < 2

    assert lines[-1] == b"no newline"
    assert b"".join(lines) == text_of(log)
    assert len(server.requests) == 2


def test_whenever_the_end_is_noted_nothing_is_lost() -> None:
    def reply(exchange: Exchange) -> None:
        follow = exchange.asked.query["follow"] == "true"
        log_of(LOG, 100)(exchange) if follow else log_of(LOG)(exchange)

    def finish_often(found: PodLog) -> None:
        for _ in range(100):
            found.finish()

    with ApiServer(reply) as server, Client(Access(server=server.url)) as client:
        for number in range(200):
            found = pod_log(client, finished=False)
            timer = threading.Timer(number / 20_000, finish_often, args=(found,))
            timer.start()
            assert b"".join(found) == text_of(LOG)
            timer.join()


def test_the_end_of_the_container_is_awaited_and_not_polled_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "SHORTEST_SECONDS", 100.0)
    monkeypatch.setattr(retry, "LONGEST_SECONDS", 100.0)
    with client_of(log_of(LOG)) as (client, server):
        found = pod_log(client, finished=False)
        timer = threading.Timer(0.2, found.finish)
        timer.start()
        began = time.monotonic()
        assert b"".join(found) == text_of(LOG)
        assert time.monotonic() - began < 5
        timer.join()

    assert len(server.requests) == 2


@pytest.mark.timeout(30)
def test_lines_of_megabytes_and_many_lines_are_read_fast() -> None:
    log = [Record(number, b"x" * 3_000_000 + b"\n") for number in range(5)]
    log += [Record(SECOND + number, b"y" * 50 + b"\n") for number in range(100_000)]
    answer = chunked(served(log, None), size=16_384)

    def reply(exchange: Exchange) -> None:
        exchange.wfile.write(answer)

    with client_of(reply) as (client, _):
        began = time.monotonic()
        assert b"".join(pod_log(client)) == text_of(log)
        assert time.monotonic() - began < 10


def test_a_container_that_waits_to_start_is_told_apart() -> None:
    words = 'container "c" in pod "p" is waiting to start: ContainerCreating'
    with client_of(fails(400, "BadRequest", message=words)) as (client, server):
        with pytest.raises(NotStarted, match="is waiting to start: ContainerCreating") as caught:
            list(pod_log(client, finished=False))
        with pytest.raises(NotStarted):
            read(client, "ns", "p", "c")
    other_words = fails(400, "BadRequest", message="container x is not valid for pod p")
    with client_of(other_words) as (client, server), pytest.raises(ApiError, match="is not valid for pod") as other:
        list(pod_log(client, finished=False))

    assert (caught.value.status, caught.value.reason, caught.value.message) == (400, "BadRequest", words)
    assert type(other.value) is ApiError
    assert len(server.requests) == 1


def test_a_pod_that_is_gone_is_an_error_unless_its_end_was_seen() -> None:
    gone = fails(404, "NotFound", message='pods "p" not found', details={"name": "p", "kind": "pods"})
    cut = len(chunked(served(LOG, None))) - 200
    for finished in (False, True):
        with client_of(gone) as (client, _), pytest.raises(NotFound):
            list(pod_log(client, finished=finished))
    with client_of(in_turn(log_of(LOG, cut), gone)) as (client, _), pytest.raises(NotFound):
        list(pod_log(client, finished=False))
    with client_of(in_turn(log_of(LOG, cut), gone)) as (client, _):
        assert text_of(LOG).startswith(b"".join(pod_log(client)))


def test_a_kubelet_that_is_restarted_is_waited_for() -> None:
    # As the API server passes them on, in this order.
    away = fails(500, message='Get "https://node:10250/containerLogs/ns/p/c": connect: connection refused')
    unknown = fails(404, "NotFound", message="the server could not find the requested resource ( pods/log p)",
                    details={"name": "p", "kind": "pods/log"})  # fmt: skip
    waiting = fails(400, "BadRequest", message='container "c" in pod "p" is waiting to start: ContainerCreating')
    cut = len(chunked(served(LOG, None))) - 200
    with client_of(in_turn(log_of(LOG, cut), away, away, unknown, waiting, log_of(LOG))) as (client, server):
        assert b"".join(pod_log(client)) == text_of(LOG)

    assert len(server.requests) == 6


def test_a_kubelet_that_stays_away_is_an_error_after_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "LONGEST_SECONDS", 0.05)
    with (
        client_of(fails(500, message="refused"), budget_seconds=0.3) as (client, _),
        pytest.raises(ApiError, match="500"),
    ):
        list(pod_log(client))
    with client_of(fails(403, "Forbidden")) as (client, _), pytest.raises(Forbidden):
        list(pod_log(client))


def test_a_quiet_log_that_is_cut_now_and_then_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LONGEST_SECONDS", 0.02)

    def quiet(exchange: Exchange) -> None:
        exchange.begin()
        time.sleep(0.05)  # as what closes idle connections does
        exchange.cut()

    with client_of(in_turn(*[quiet] * 10, log_of(LOG)), budget_seconds=0.2) as (client, _):
        assert b"".join(pod_log(client)) == text_of(LOG)


def test_after_an_error_it_goes_on_where_it_was() -> None:
    cut = len(chunked(served(LOG, None))) - 300
    with client_of(in_turn(log_of(LOG, cut), fails(403, "Forbidden"), log_of(LOG))) as (client, _):
        log, found = pod_log(client), []

        def take() -> None:
            for line in log:
                found.append(line)

        with pytest.raises(Forbidden):
            take()
        assert 5 < len(found) < 15
        found += log

    assert b"".join(found) == text_of(LOG)


def test_the_kubelets_own_words_are_no_line_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "LONGEST_SECONDS", 0.05)
    words = chunked(b"unable to retrieve container logs for containerd://abc")

    def unable(exchange: Exchange) -> None:
        exchange.wfile.write(words)

    with client_of(in_turn(unable, log_of(LOG))) as (client, _):
        assert b"".join(pod_log(client)) == text_of(LOG)
    told = r"cannot be read \(unable to retrieve container logs for containerd://abc\)\. Try again later\."
    with client_of(unable, budget_seconds=0.3) as (client, _), pytest.raises(ConnectionLost, match=told):
        list(pod_log(client))


def test_another_thread_can_close_it() -> None:
    reached = threading.Event()

    def reply(exchange: Exchange) -> None:
        exchange.begin()
        exchange.chunk(stamp(0) + b" a\n" + stamp(1) + b" begun")
        reached.set()
        exchange.gone()

    with client_of(reply) as (client, _):
        log = pod_log(client, finished=False)
        seen: list[bytes] = []
        reader = threading.Thread(target=lambda: seen.extend(log))
        reader.start()
        assert reached.wait(5)
        while not seen:
            time.sleep(0.002)  # another thread's progress has no event here
        log.close()
        reader.join(2)
        assert not reader.is_alive()

    assert seen == [b"a\n"]
    assert list(log) == []


def test_only_the_newest_seconds_are_remembered() -> None:
    log = [Record(number * SECOND // 10, b"%d\n" % number) for number in range(1000)]
    with client_of(log_of(log)) as (client, _):
        found = pod_log(client)
        assert len(list(found)) == 1000

    assert sum(map(len, found._seen.values())) == 20
    assert logs.OVERLAP_SECONDS == 1


def test_a_log_can_be_read_once() -> None:
    def reply(exchange: Exchange) -> None:
        exchange.wfile.write(chunked(b"\xff\nlast"))

    with client_of(reply) as (client, server):
        assert read(client, "ns", "p", "c") == b"\xff\nlast"
        assert read(client, "ns", "p", "c", tail_lines=0) == b"\xff\nlast"

    assert [asked.query for asked in server.requests] == [{"container": "c"}, {"container": "c", "tailLines": "0"}]
