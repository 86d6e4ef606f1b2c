"""The file of what workers print, each line with its worker."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.clusters import worker_log
from runner.clusters.worker_log import LONGEST_LINE, WorkerLog
from runner.outcome import WORKER_LOG_ARTIFACT


@pytest.fixture
def log(tmp_path: Path) -> WorkerLog:
    return WorkerLog(str(tmp_path))


def kept(folder: Path) -> str:
    return (folder / WORKER_LOG_ARTIFACT).read_text()


def test_each_line_has_its_worker_in_the_order_in_which_it_came(log: WorkerLog, tmp_path: Path) -> None:
    log.take(0, "one\ntwo\n")
    log.take(1, "three\n")
    log.take(0, "\nfour\n")

    assert kept(tmp_path) == "worker 0 | one\nworker 0 | two\nworker 1 | three\nworker 0 | \nworker 0 | four\n"
    log.close()


def test_a_line_is_written_when_it_is_whole(log: WorkerLog, tmp_path: Path) -> None:
    log.take(0, "half")
    log.take(1, "other\nha")
    log.take(0, " and half\n")

    assert kept(tmp_path) == "worker 1 | other\nworker 0 | half and half\n"
    log.close()
    assert kept(tmp_path).endswith("worker 1 | ha\n")


def test_without_a_line_there_is_no_file(log: WorkerLog, tmp_path: Path) -> None:
    log.take(0, "")
    log.close()

    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_nothing_is_kept() -> None:
    log = WorkerLog(None)
    log.take(0, "one\n")
    log.add_last_words(0, "two")
    log.close()


def test_last_words_are_marked_and_take_the_place_of_a_line_that_was_begun(log: WorkerLog, tmp_path: Path) -> None:
    log.take(3, "Fatal Py")
    log.add_last_words(3, "Fatal Python error\n  in main")
    log.close()

    assert kept(tmp_path) == (
        "worker 3 | (ended; the last that the cluster kept of its output)\n"
        "worker 3 | Fatal Python error\n"
        "worker 3 |   in main\n"
    )


def test_what_is_no_text_is_kept_so_that_it_can_be_read(log: WorkerLog, tmp_path: Path) -> None:
    log.take(0, "\ud800 Zürich\n")
    log.close()

    assert kept(tmp_path) == "worker 0 | \\ud800 Zürich\n"


def test_more_than_there_is_room_for_is_left_out_and_that_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_log, "LONGEST", 40)
    log = WorkerLog(str(tmp_path))
    for _ in range(4):
        log.take(0, "123456789\n")
    log.add_last_words(0, "more")
    log.close()

    line = "worker 0 | 123456789\n"
    assert kept(tmp_path) == f"{line}(the rest is left out: more than 40 bytes)\n"


@given(st.lists(st.tuples(st.integers(0, 2), st.text("ab\n\r", max_size=6))))
def test_however_it_is_cut_each_workers_text_is_whole(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[int, str]]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = WorkerLog(str(folder))
    for number, text in pieces:
        log.take(number, text)
    log.close()

    data = (folder / WORKER_LOG_ARTIFACT).read_bytes().decode() if (folder / WORKER_LOG_ARTIFACT).exists() else ""
    for number in range(3):
        whole = "".join(text for each, text in pieces if each == number)
        lines = [line.partition(" | ")[2] for line in data.split("\n") if line.startswith(f"worker {number} | ")]
        expected = whole.split("\n")
        assert lines == (expected if expected[-1] else expected[:-1])


def test_a_line_without_an_end_is_written_before_it_grows_too_long(log: WorkerLog, tmp_path: Path) -> None:
    log.take(0, "x" * (LONGEST_LINE + 1))
    log.take(0, "rest\n")
    log.close()

    assert (tmp_path / WORKER_LOG_ARTIFACT).read_text() == f"worker 0 | {'x' * (LONGEST_LINE + 1)}\nworker 0 | rest\n"
