"""The record behind the log: what is written is what is read, and the flow's output stays as it was, byte for byte."""

import base64
import json
import random
import tracemalloc
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.compression import MAX_EXPANDED_BYTES, compressed, expanded
from runner.contract import to_bytes
from runner.outcome import Artifact, Failure, FailureClass, Outcome, State
from runner.trailer import LONGEST, Record, Splitter, shortened, trailer
from tests.runner.strategies import OUTCOMES

MARK = b"\x1epenstock run-1/2 "
OUTCOME = Outcome(
    run_id="run-1",
    attempt=2,
    environment="batch",
    kind="kubernetes-job",
    flow="flow.py:main",
    state=State.SUCCEEDED,
    exit_code=0,
    result={"stadt": "Köln\n\x1e"},
    artifacts=(
        Artifact(name="plots/a b.png", path="/tmp/a/plots/a b.png"),
        Artifact(name="large", path="/tmp/a/large"),
    ),
)
FILES = {"plots/a b.png": bytes(range(256)), "ü": b""}
SMALL = {name: compressed(data) for name, data in FILES.items()}
LINE = trailer(OUTCOME, SMALL)
FAILURE = Failure(failure_class=FailureClass.FLOW, message="ValueError: no such city", next_step="Name another.")


def split(chunks: list[bytes]) -> tuple[bytes, Record | None]:
    splitter = Splitter("run-1", 2)
    output = b"".join(splitter.feed(chunk) for chunk in chunks)
    return output + splitter.rest(), splitter.record


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The data in chunks that begin at these places."""
    places = sorted({0, *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in zip(places, [*places[1:], len(data)], strict=True)]


def test_hashes_of_files_that_are_elsewhere_come_with_the_record() -> None:
    stored = {"plots/a b.png": "0" * 64, "ü": "1" * 64}

    output, record = split([b"words" + trailer(OUTCOME, {}, stored)])

    assert output == b"words"
    assert record == Record(outcome=OUTCOME, artifacts={}, stored=stored)
    assert trailer(OUTCOME, SMALL, {}) == LINE


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", "", "a//b", "."])
def test_a_line_that_names_a_file_outside_as_stored_is_no_record(name: str) -> None:
    line = trailer(OUTCOME, {}, {name: "0" * 64})

    assert split([line]) == (line, None)


def test_a_trailer_is_one_line_with_the_whole_outcome_and_the_files() -> None:
    assert LINE.startswith(MARK + b'{"artifacts":{},"compressed":{')
    assert LINE.endswith(b"}\n")
    assert LINE.count(b"\n") == LINE.count(b"\x1e") == 1
    body = json.loads(LINE[len(MARK) :])
    assert body["outcome"] == json.loads(to_bytes(OUTCOME))
    assert {name: zlib.decompress(base64.b64decode(text)) for name, text in body["compressed"].items()} == FILES


@pytest.mark.parametrize("output", [b"", b"no newline", b"a line\n", b"\x00\xff\x1e \x1epenstock run-1/", MARK])
def test_what_stands_before_the_trailer_is_the_output_whatever_its_last_byte(output: bytes) -> None:
    assert split([output + LINE]) == (output, Record(outcome=OUTCOME, artifacts=FILES))


def test_every_cut_in_two_gives_the_same() -> None:
    data = b"before\x1e" + LINE + b"after\n"

    for place in range(len(data) + 1):
        assert split([data[:place], data[place:]]) == (b"before\x1eafter\n", Record(outcome=OUTCOME, artifacts=FILES))


def test_single_bytes_give_the_same() -> None:
    assert split(cut(b"before" + LINE, [*range(len(LINE) + 6)])) == (
        b"before",
        Record(outcome=OUTCOME, artifacts=FILES),
    )


def test_output_comes_at_once_and_only_the_beginning_of_a_mark_waits() -> None:
    splitter = Splitter("run-1", 2)

    assert splitter.feed(b"progress: 10 %") == b"progress: 10 %"
    assert splitter.feed(b"\r 20 %\x1e") == b"\r 20 %"
    assert splitter.feed(b"penstock run-") == b""
    assert splitter.feed(b"7") == b"\x1epenstock run-7"
    assert splitter.feed(MARK) == b""
    assert splitter.record is None
    assert splitter.feed(LINE[len(MARK) : -1]) == b""
    assert splitter.record is None
    assert splitter.feed(b"\n") == b""
    assert splitter.record == Record(outcome=OUTCOME, artifacts=FILES)


PIECES = st.sampled_from(
    [
        LINE,
        trailer(replace(OUTCOME, state=State.FAILED, failure=FAILURE), {}),
        trailer(replace(OUTCOME, attempt=1), {}),
        MARK + b"{}\n",
        MARK + b'{"outcome": {}, "artifacts": {}}\n',
        MARK,
        MARK[:7],
        b"\x1e",
        b"\n",
        b"text",
    ]
) | st.binary(max_size=8)


@given(st.lists(PIECES, max_size=8).map(b"".join), st.lists(st.integers(0, 10**6), max_size=12))
def test_any_chunks_of_any_log_give_the_same_output_and_record(data: bytes, places: list[int]) -> None:
    assert split(cut(data, places)) == split([data])


@given(st.binary(max_size=200), st.binary(max_size=20), st.lists(st.integers(0, 10**6), max_size=12))
def test_output_is_passed_on_byte_for_byte_in_any_chunks(output: bytes, after: bytes, places: list[int]) -> None:
    assert split(cut(output + LINE + after, places)) == (output + after, Record(outcome=OUTCOME, artifacts=FILES))


@given(st.binary(max_size=200), st.lists(st.integers(0, 10**6), max_size=12))
def test_a_log_without_a_trailer_is_passed_on_byte_for_byte(output: bytes, places: list[int]) -> None:
    assert split(cut(output, places)) == (output, None)


@given(
    OUTCOMES.map(lambda outcome: replace(outcome, run_id="run-1", attempt=2)),
    st.dictionaries(st.just("a/b"), st.binary()),
)
def test_every_outcome_comes_back_from_its_trailer(outcome: Outcome, files: dict[str, bytes]) -> None:
    small = {name: compressed(data) for name, data in files.items()}
    assert split([trailer(outcome, small)]) == (b"", Record(outcome=outcome, artifacts=files))


def body(**change: Any) -> bytes:
    whole = {"outcome": json.loads(to_bytes(OUTCOME)), "artifacts": {}, **change}
    return MARK + json.dumps(whole).encode() + b"\n"


@pytest.mark.parametrize(
    "line",
    [
        trailer(replace(OUTCOME, run_id="run-2"), {}),
        trailer(replace(OUTCOME, attempt=1), {}),
        trailer(replace(OUTCOME, attempt=22), {}),
        MARK + b"not JSON\n",
        MARK + b"[]\n",
        MARK + b"[" * 100_000 + b"\n",
        MARK + b'{"artifacts": {}}\n',
        body(outcome=None),
        body(outcome={"schema_version": 2, "run_id": "run-1", "attempt": 2, "state": "succeeded"}),
        body(outcome={"schema_version": 1, "run_id": "run-2", "attempt": 2, "state": "succeeded"}),
        body(outcome={"schema_version": 1, "run_id": "run-1", "attempt": 2, "state": "\ud800"}),
        body(artifacts=[]),
        body(artifacts={"a": 1}),
        body(artifacts={"a": "no base64"}),
        body(artifacts={"../a": ""}),
        body(artifacts={"/etc/passwd": ""}),
        body(artifacts={"a//b": ""}),
        body(artifacts={"": ""}),
        body(compressed=[]),
        body(compressed={"a": 1}),
        body(compressed={"a": "no base64"}),
        body(compressed={"../a": ""}),
        LINE.replace(MARK, b"\x1epenstock  run-1/2 "),
        LINE.replace(b"\x1e", b""),
    ],
)
def test_what_no_runner_has_written_for_this_run_is_output(line: bytes) -> None:
    assert split([b"a", line, b"b"]) == (b"a" + line + b"b", None)


def test_keys_of_a_newer_runner_do_no_harm() -> None:
    newer = {**json.loads(to_bytes(OUTCOME)), "colour": "red"}

    assert split([body(outcome=newer, more=1)]) == (b"", Record(outcome=OUTCOME, artifacts={}))


def test_the_last_trailer_counts_and_none_of_them_is_output() -> None:
    forged = trailer(replace(OUTCOME, result="forged by the flow"), {})

    assert split([b"a" + forged + b"b" + LINE]) == (b"ab", Record(outcome=OUTCOME, artifacts=FILES))


def test_a_mark_without_its_line_does_not_hide_the_trailer_behind_it() -> None:
    assert split([MARK + b"{" + LINE])[0] == MARK + b"{"
    assert split([MARK + b"{" + LINE])[1] == Record(outcome=OUTCOME, artifacts=FILES)


def test_a_trailer_that_was_cut_off_is_neither_output_nor_record() -> None:
    assert split([b"output", LINE[:-1]]) == (b"output", None)
    assert split([b"output", LINE[: len(MARK)]]) == (b"output", None)
    assert split([b"output", LINE[: len(MARK) - 1]]) == (b"output" + LINE[: len(MARK) - 1], None)


def test_a_line_without_an_end_is_passed_on_before_it_fills_the_memory() -> None:
    splitter = Splitter("run-1", 2)
    chunk = b"x" * 65_536
    output = splitter.feed(MARK)
    while len(output) == 0:
        output = splitter.feed(chunk)

    assert len(output) <= LONGEST + len(MARK) + len(chunk)
    assert output.startswith(MARK + b"xx")
    assert splitter.feed(b"more") == b"more"


@pytest.mark.timeout(20)
def test_hostile_output_costs_no_more_time_than_any_other() -> None:
    """Quadratic searching would take minutes."""
    for data in (MARK * 200_000, b"\x1e" * 4_000_000, (MARK + b"\n") * 100_000, MARK + b'{"a":' * 700_000 + b"\n"):
        assert split(cut(data, [*range(0, len(data), 4096)])) in [(data, None), (data[: -len(MARK)], None)]


def test_the_largest_trailer_is_read() -> None:
    large = replace(OUTCOME, result="x" * 262_000, failure=replace(FAILURE, detail="\u20ac" * 200_000))
    files = {"a": random.Random(1).randbytes(1024 * 1024 - 400)}  # noqa: S311 no secret
    line = trailer(large, {"a": compressed(files["a"])})

    assert 2_200_000 < len(line) < LONGEST
    assert split(cut(line, [*range(0, 3_000_000, 16_384)])) == (b"", Record(outcome=large, artifacts=files))


def encoded(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(data).decode() for name, data in files.items()}


def test_the_line_of_an_earlier_runner_is_read() -> None:
    assert split([body(artifacts=encoded(FILES))]) == (b"", Record(outcome=OUTCOME, artifacts=FILES))
    assert split([body()]) == (b"", Record(outcome=OUTCOME, artifacts={}))


def test_an_earlier_client_finds_the_outcome_and_no_files() -> None:
    """It reads these two keys, and would keep whatever stands under `artifacts` as it is."""
    sent = json.loads(LINE[len(MARK) :])

    assert (sent["outcome"], sent["artifacts"]) == (json.loads(to_bytes(OUTCOME)), {})


BOMB = zlib.compress(bytes(100 * 1024 * 1024))


@pytest.mark.parametrize(
    "data",
    [BOMB, b"", b"no zlib", compressed(b"cut off")[:-1], compressed(b"one") + b"more", zlib.compress(b"x")[2:-4]],
    ids=["bomb", "empty", "text", "cut", "more", "raw"],
)
def test_a_file_that_no_runner_has_compressed_stays_where_it_is(data: bytes) -> None:
    files = encoded({"before": compressed(b"1"), "bad": data})

    assert split([body(compressed=files)]) == (b"", Record(outcome=OUTCOME, artifacts={"before": b"1"}))


def test_files_may_be_as_large_in_all_as_a_runner_sends() -> None:
    half = bytes(MAX_EXPANDED_BYTES // 2)
    whole = {"a": half, "b": half, "c": b""}
    small = {name: compressed(data) for name, data in whole.items()}

    assert split([trailer(OUTCOME, small)]) == (b"", Record(outcome=OUTCOME, artifacts=whole))
    assert split([trailer(OUTCOME, {**small, "c": compressed(b"x")})])[1] == Record(
        outcome=OUTCOME, artifacts={"a": half, "b": half}
    )


@pytest.mark.timeout(20)
def test_bombs_cost_neither_memory_nor_time() -> None:
    """Expanding each would take 30 GB."""
    line = body(compressed=encoded({f"{number:03}": BOMB for number in range(25)}))
    assert len(line) < LONGEST
    data = line * 12
    tracemalloc.start()
    try:
        record = split([data])[1]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert record == Record(outcome=OUTCOME, artifacts={})
    assert peak < 4 * len(data) + 3 * MAX_EXPANDED_BYTES


@given(st.binary(max_size=300), st.integers(0, 400))
def test_what_is_expanded_is_what_was_compressed_or_nothing(data: bytes, room: int) -> None:
    assert expanded(compressed(data), room) == (data if len(data) <= room else None)


def test_a_short_outcome_stays_as_it_is() -> None:
    assert shortened(OUTCOME, 4096) is OUTCOME
    assert shortened(OUTCOME, len(to_bytes(OUTCOME))) is OUTCOME


def test_artifacts_are_left_out_from_the_end_and_the_result_stays() -> None:
    many = tuple(Artifact(name=f"{number:03}", path=f"/tmp/penstock/artifacts/{number:03}") for number in range(200))
    short = shortened(replace(OUTCOME, artifacts=many), 4096)

    assert short == replace(OUTCOME, artifacts=many[: len(short.artifacts)], partial=True)
    assert 3900 < len(to_bytes(short)) <= 4096


def test_a_result_that_is_too_long_is_told_by_its_size_and_the_artifacts_stay() -> None:
    short = shortened(replace(OUTCOME, result="x" * 10_000), 4096)

    words = "10,002 bytes of JSON, for which this record has no room"
    assert short == replace(OUTCOME, result=None, result_repr=words, partial=True)


def test_a_result_in_words_stays() -> None:
    many = (Artifact(name="a" * 5_000, path="/a"),)

    short = shortened(replace(OUTCOME, result=None, result_repr="<DataFrame>", artifacts=many), 4096)

    assert (short.result_repr, short.artifacts, short.partial) == ("<DataFrame>", (), True)


def test_a_long_detail_goes_before_the_evidence_and_the_message() -> None:
    failure = replace(FAILURE, detail="x" * 5_000, evidence="exit status 1")
    failed = replace(OUTCOME, state=State.FAILED, exit_code=1, failure=failure, result=None)

    assert shortened(failed, 4096) == replace(failed, failure=replace(failure, detail=None), partial=True)
    long = replace(failed, failure=replace(failure, evidence="y" * 5_000))
    assert shortened(long, 4096) == replace(failed, failure=replace(FAILURE), partial=True)


@pytest.mark.parametrize("letter", ["x", "ü", "\u20ac", "\n", "\x01", "\U0001f600"])
def test_a_message_that_is_too_long_is_cut_where_the_room_ends(letter: str) -> None:
    failed = replace(OUTCOME, state=State.FAILED, failure=replace(FAILURE, message=letter * 5_000, next_step=None))

    short = shortened(failed, 4096)

    assert short.failure is not None
    assert short.failure.message == letter * (len(short.failure.message) - 1) + "…"
    assert short.failure.failure_class is FailureClass.FLOW
    assert 4000 < len(to_bytes(short)) <= 4096


def test_a_long_name_of_the_flow_makes_room_for_the_message() -> None:
    failed = replace(OUTCOME, flow=f"{'long/' * 1000}flow.py:main", failure=FAILURE)

    short = shortened(failed, 4096)

    assert short.failure == FAILURE
    assert short.flow is not None
    assert len(short.flow) < 130
    assert short.flow.startswith("long/long/")
    assert short.flow.endswith("…")


LONG_TEXT = st.sampled_from(["x", "\u20ac", "\\", "\x02"]).flatmap(
    lambda letter: st.integers(0, 9000).map(letter.__mul__)
)


@given(
    OUTCOMES.map(lambda outcome: replace(outcome, log=OUTCOME.log)),
    st.integers(1024, 6000),
    st.lists(LONG_TEXT, min_size=7),
)
def test_every_outcome_becomes_as_short_as_it_must_and_tells_its_end(
    outcome: Outcome, limit: int, texts: list[str]
) -> None:
    message, detail, evidence, next_step, flow, result, name = texts[:7]
    failure = Failure(
        failure_class=FailureClass.CRASH, message=message, detail=detail, evidence=evidence, next_step=next_step
    )
    long = replace(outcome, failure=failure, waiting=failure, flow=flow, result=result, partial=False)
    long = replace(long, artifacts=(Artifact(name=name, path="/a"), *outcome.artifacts))

    short = shortened(long, limit)

    assert len(to_bytes(short)) <= limit
    assert (short.run_id, short.attempt, short.state, short.exit_code, short.ledger, short.log) == (
        (long.run_id, long.attempt, long.state, long.exit_code, long.ledger, long.log)
    )
    assert short.failure is not None
    assert short.failure.failure_class is FailureClass.CRASH
    assert short == long or short.partial
    assert shortened(short, limit) == short
    assert split([trailer(replace(short, run_id="run-1", attempt=2), {})])[1] is not None
