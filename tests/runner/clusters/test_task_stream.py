"""The picture of Dask's task stream: equal records give equal bytes, few of them, and whole XML whatever ran."""

import random
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.clusters.task_records import Worker
from runner.clusters.task_stream import LEFT, MAX_ROWS, PALETTE, PLOT, picture
from tests.runner.strategies import ANY_TEXT

ADDRESSES = [f"tls://10.0.0.{number}:4000" for number in range(200)]
LIMIT = 200_000

Record = dict[str, Any]


def record(
    key: object, *parts: tuple[str, float, float], worker: str = ADDRESSES[0], thread: int = 1, status: str = "OK"
) -> Record:
    """A record as distributed has it, without what the picture does not show."""
    spans = tuple({"action": action, "start": start, "stop": stop} for action, start, stop in parts)
    return {"key": key, "worker": worker, "thread": thread, "status": status, "startstops": spans, "nbytes": 28}


def numbered(count: int, threads: int = 1) -> dict[str, Worker]:
    return {ADDRESSES[number]: Worker(name=str(number), threads=threads) for number in range(count)}


def busy_cluster(tasks: int, workers: int, threads: int, names: int, gap: float = 0.1) -> list[Record]:
    """Records of threads that always have something to do; the same for the same arguments."""
    chance = random.Random(7)  # noqa: S311 a picture is no secret
    at = {(worker, thread): 1e9 for worker in range(workers) for thread in range(threads)}
    found = []
    for number in range(tasks):
        worker, thread = list(at)[number % len(at)]
        start = at[worker, thread]
        parts: list[tuple[str, float, float]] = []
        if number % 7 == 0:
            action = ("transfer", "disk-read", "disk-write", "deserialize")[number // 7 % 4]
            parts.append((action, start, start + chance.random() / 4))
            start = parts[0][2]
        stop = start + chance.expovariate(2)
        parts.append(("compute", start, stop))
        at[worker, thread] = stop + gap * chance.random()
        status = "error" if number % 50 == 49 else "OK"
        name = f"step{chance.randrange(names)}-{number:032x}"
        found.append(record(name, *parts, worker=ADDRESSES[worker], thread=thread, status=status))
    return found


def elements(svg: str, tag: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(f"{{http://www.w3.org/2000/svg}}{tag}"))  # noqa: S314 our own


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in elements(svg, "text")]


def boxes(svg: str) -> list[ET.Element]:
    return [path for path in elements(svg, "path") if len(path)]


def colours(svg: str) -> dict[str, str]:
    """The colours of the boxes by name."""
    return {path[0].text or "": path.attrib["stroke"] for path in boxes(svg)}


def test_the_picture_of_a_busy_cluster(golden: Callable[[str, bytes], None]) -> None:
    golden("task-stream.svg", picture(busy_cluster(120, 3, 2, 5), numbered(4, threads=2)).encode())


def test_headline_and_legend_say_how_much_there_was() -> None:
    records = [
        record("square-1", ("transfer", 100.0, 101.0), ("compute", 101.0, 104.0)),
        record("square-2", ("compute", 104.0, 105.0)),
        record(("sum-a1b2c3d4", 0), ("compute", 100.0, 110.0), worker=ADDRESSES[1]),
        record("sum-2", ("compute", 110.0, 110.5), worker=ADDRESSES[1], status="error"),
    ]

    shown = texts(picture(records, numbered(2, threads=2)))

    assert shown[:2] == ["4 tasks on 2 workers in 10.5 s", "4 threads, busy for 35% of the time"]
    assert shown[shown.index("worker 0") :] == [
        *("worker 0", "worker 1"),
        *("sum", "1 in 10.0 s", "square", "2 in 4.00 s", "failed", "1 in 0.500 s"),
        *("transfer between workers", "1 in 1.00 s"),
        "A row is a thread. Pale: busy for a part of that time only.",
    ]


def test_one_task_and_none_at_all() -> None:
    one = texts(picture([record("square-1", ("compute", 5.0, 5.00005))], numbered(1)))

    assert one[:2] == ["1 task on 1 worker in 0.001 s", "1 thread, busy for 5% of the time"]
    assert one[-3:-1] == ["square", "1 in < 0.001 s"]
    assert texts(picture([], numbered(2)))[:2] == ["No task ran on 2 workers", "2 threads, busy for 0% of the time"]
    assert texts(picture([], {}))[0] == "No task ran on 0 workers"


@pytest.mark.parametrize(
    ("seconds", "first", "last"),
    [
        (0.002, "0.0000 s", "0.0020 s"),
        (1, "0.0 s", "1.0 s"),
        (7, "0 s", "7 s"),
        (90, "0 s", "90 s"),
        (50_000, "0 s", "50,000 s"),
    ],
)
def test_the_scale_has_ten_steps_at_most_that_are_easy_to_read(seconds: float, first: str, last: str) -> None:
    shown = [text for text in texts(picture([record("a", ("compute", 0, seconds))], {})) if text.endswith(" s")]
    scale = [text for text in shown if " in " not in text]

    assert (scale[0], scale[-1]) == (first, last)
    assert 5 <= len(scale) <= 11


def test_workers_are_in_the_order_of_their_numbers_and_named_by_address_when_they_are_gone() -> None:
    records = [record("a", ("compute", 0, 1), worker=ADDRESSES[number]) for number in (10, 9, 2, 11)]
    workers = {ADDRESSES[number]: Worker(name=str(number), threads=1) for number in (10, 9, 2)}

    shown = texts(picture(records, workers))

    assert [text for text in shown if text.startswith(("worker", "10.0"))] == [
        "10.0.0.11:4000",
        *("worker 2", "worker 9", "worker 10"),
    ]


def test_a_name_keeps_its_colour_whatever_else_ran_as_long_as_no_other_wants_the_same() -> None:
    alone = colours(picture([record("merge-1", ("compute", 0, 1))], {}))
    beside = colours(
        picture([record(f"{name}-1", ("compute", at, at + 1)) for at, name in enumerate(("inc", "merge", "zip"))], {})
    )

    assert beside["merge"] == alone["merge"]
    all_names = colours(picture(busy_cluster(300, 2, 2, len(PALETTE)), {}))
    assert len(set(all_names.values())) == len(all_names)


def test_names_beyond_the_legend_are_one_entry() -> None:
    shown = texts(picture(busy_cluster(2000, 2, 2, 40), numbered(2, threads=2)))

    assert len([text for text in shown if text.startswith("step")]) == len(PALETTE)
    assert shown.count("other names") == 1


def test_transfers_and_disk_are_thin_lines_of_their_own() -> None:
    parts = [("transfer", 0, 1), ("disk-write", 1, 2), ("disk-read", 2, 3), ("new-in-dask", 3, 4), ("compute", 4, 10)]
    found = boxes(picture([record("transfer-1", *parts)], {}))

    assert {(path[0].text, path.attrib["stroke"], path.attrib["stroke-width"]) for path in found} == {
        ("transfer", "#3b6fb6", "14"),
        ("transfer between workers", "#e0352b", "3"),
        ("disk", "#f08a24", "3"),
        ("deserialization", "#8a93a3", "3"),
    }


def test_the_last_tasks_are_told_when_the_scheduler_keeps_no_more() -> None:
    records = [record("a", ("compute", number, number + 1)) for number in range(100)]

    assert texts(picture(records, {}, limit=100))[0] == "The last 100 tasks on 1 worker in 100 s"
    assert texts(picture(records, {}, limit=101))[0] == "100 tasks on 1 worker in 100 s"


def test_only_the_busiest_threads_are_rows_when_there_are_too_many() -> None:
    records = [record("a", ("compute", 0, 1 + number), thread=number) for number in range(150)]

    shown = texts(picture(records, {}))

    assert shown[1].endswith(f"; the {MAX_ROWS} busiest are shown")


@pytest.mark.parametrize(
    "key",
    ["<b>&amp;</b>", "a\"b'c", "]]>", "\x00\x1b[31m", "\ud800", "\ufffe", "x" * 10_000, "", b"bytes-1", 7, None],
)
def test_any_key_is_a_name_in_a_whole_document(key: object) -> None:
    svg = picture([record(key, ("compute", 0, 1))], {ADDRESSES[0]: Worker(name=str(key), threads=1)})

    assert len(svg.encode()) < 10_000 + 12_000
    assert texts(svg)[0] == "1 task on 1 worker in 1.00 s"


TIMES = st.floats(0, 1e6) | st.sampled_from([0.0, 1.0, 1.0000001])
PARTS = st.builds(
    lambda action, start, took: (action, start, start + took),
    st.sampled_from(["compute", "transfer", "disk-read", "disk-write", "deserialize", "other"]),
    TIMES,
    TIMES,
)
RECORDS = st.builds(
    lambda key, parts, worker, thread, status: record(key, *parts, worker=worker, thread=thread, status=status),
    ANY_TEXT,
    st.lists(PARTS, max_size=4),
    st.sampled_from(ADDRESSES[:3]) | ANY_TEXT,
    st.integers(0, 3),
    st.sampled_from(["OK", "error"]),
)


@given(
    st.lists(RECORDS, max_size=30),
    st.dictionaries(st.sampled_from(ADDRESSES[:4]), st.builds(Worker, name=ANY_TEXT, threads=st.integers(0, 4))),
)
def test_any_records_give_a_whole_picture_whose_boxes_are_in_the_plot(
    records: list[Record], workers: dict[str, Worker]
) -> None:
    svg = picture(records, workers)

    assert svg == picture(list(records), dict(workers))
    for path in boxes(svg):
        for line in path.attrib["d"].split("M")[1:]:
            start, *steps = line.replace("h", " h ").replace("m", " m ").split()
            moves = [int(step) for step in steps[1:] if step not in {"h", "m", "0"}]
            assert LEFT <= int(start) < int(start) + sum(moves) <= LEFT + PLOT


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("tasks", "workers", "threads", "gap"),
    [(1, 1, 1, 0.1), (2_000, 4, 2, 0.1), (100_000, 16, 4, 2.0), (100_000, 100, 8, 2.0)],
)
def test_the_picture_stays_small_whatever_ran(tasks: int, workers: int, threads: int, gap: float) -> None:
    records = busy_cluster(tasks, workers, threads, 30, gap)
    names = {ADDRESSES[number]: Worker(name="&" * 500 + str(number), threads=threads) for number in range(workers)}

    size = len(picture(records, names).encode())

    assert size < min(LIMIT, 3_000 + 700 * tasks)
