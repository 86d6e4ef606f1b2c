"""Writing to readers that are slow, or gone."""

import os
import threading
from collections.abc import Iterator

import pytest

from runner.output import write_all

LARGE = bytes(range(256)) * 8192
"""Far more than a pipe holds."""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "non-blocking"])
def test_all_of_it_arrives_however_slowly_it_is_read(pipe: tuple[int, int], blocking: bool) -> None:
    os.set_blocking(pipe[1], blocking)
    arrived = bytearray()

    def read() -> None:
        while len(arrived) < len(LARGE):
            arrived.extend(os.read(pipe[0], 1000))

    reader = threading.Thread(target=read)
    reader.start()
    done = write_all(pipe[1], LARGE)
    reader.join()

    assert done
    assert arrived == LARGE


def test_a_reader_that_is_gone_is_told() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    assert not write_all(writing, b"x")
    os.close(writing)


def test_a_reader_that_goes_away_while_it_is_waited_for_is_told() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    leaves = threading.Timer(0.1, os.close, [reading])
    leaves.start()

    done = write_all(writing, LARGE)

    leaves.join()
    os.close(writing)
    assert not done


def test_a_full_disk_is_told() -> None:
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        assert not write_all(full.fileno(), b"x")


def test_nothing_is_written_of_nothing(pipe: tuple[int, int]) -> None:
    assert write_all(pipe[1], b"")
