"""What a worker's Python code prints: it is shown where it is, and sent to the scheduler."""

import io
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from distributed.core import Status

from runner.clusters.output import LONGEST, SECONDS, Output
from runner.clusters.worker_log import OUTPUT


class Loop:
    """An event loop that does what is due when it is told to."""

    def __init__(self) -> None:
        self.due: list[tuple[float, Callable[[], object]]] = []

    def add_callback(self, callback: Callable[..., object], *arguments: Any) -> None:
        callback(*arguments)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        self.due.append((seconds, callback))

    def go_on(self) -> None:
        due, self.due = self.due, []
        for _, callback in due:
            callback()


class Worker:
    """What `Output` needs of a Dask worker."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.status = Status.running
        self.handlers: dict[str, Callable[[], str]] = {}
        self.sent: list[object] = []

    def batched_send(self, message: object) -> None:
        self.sent.append(message)


class Printing:
    """The process's own streams are others while a test runs, so that those that copy take the place of these."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stdout, self.stderr = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stdout", self.stdout)
        monkeypatch.setattr(sys, "stderr", self.stderr)
        self.output = Output()

    def worker(self) -> Worker:
        """A worker that sends what is printed."""
        found = Worker()
        self.output.send_with(found)
        return found


def message(text: str) -> dict[str, str]:
    return {"op": OUTPUT, "text": text}


def test_what_is_printed_is_shown_at_once_and_sent_together_a_moment_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    printing = Printing(monkeypatch)
    worker = printing.worker()
    print("one")
    print("two", file=sys.stderr)
    print("three")

    assert (printing.stdout.getvalue(), printing.stderr.getvalue()) == ("one\nthree\n", "two\n")
    assert worker.sent == []
    assert [seconds for seconds, _ in worker.loop.due] == [SECONDS]
    worker.loop.go_on()
    assert worker.sent == [message("one\ntwo\nthree\n")]
    assert worker.loop.due == []


def test_what_is_printed_afterwards_is_sent_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Printing(monkeypatch).worker()
    for word in ("one", "two"):
        print(word)
        worker.loop.go_on()

    assert worker.sent == [message("one\n"), message("two\n")]


def test_the_scheduler_can_ask_for_what_has_not_been_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Printing(monkeypatch).worker()
    print("one")

    assert worker.handlers[OUTPUT]() == "one\n"
    assert worker.handlers[OUTPUT]() == ""
    worker.loop.go_on()
    assert worker.sent == []


def test_what_is_printed_before_there_is_a_worker_is_sent_with_what_comes_then(monkeypatch: pytest.MonkeyPatch) -> None:
    printing = Printing(monkeypatch)
    print("early")
    worker = printing.worker()
    print("late")
    worker.loop.go_on()

    assert worker.sent == [message("early\nlate\n")]


@pytest.mark.parametrize("status", [Status.init, Status.closing, Status.closed])
def test_nothing_is_sent_while_nobody_could_take_it_and_it_is_kept(
    monkeypatch: pytest.MonkeyPatch, status: Status
) -> None:
    worker = Printing(monkeypatch).worker()
    worker.status = status
    print("one")
    worker.loop.go_on()
    assert worker.sent == []

    worker.status = Status.running
    print("two")
    worker.loop.go_on()
    assert worker.sent == [message("one\ntwo\n")]


@pytest.mark.parametrize("status", [Status.paused, Status.closing_gracefully])
def test_a_worker_that_takes_no_tasks_any_more_still_sends(monkeypatch: pytest.MonkeyPatch, status: Status) -> None:
    worker = Printing(monkeypatch).worker()
    worker.status = status
    print("one")
    worker.loop.go_on()

    assert worker.sent == [message("one\n")]


def test_more_than_can_be_sent_is_left_out_and_shown_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    printing = Printing(monkeypatch)
    worker = printing.worker()
    sys.stdout.write("x" * (LONGEST + 1))
    sys.stdout.write("left out")
    worker.loop.go_on()
    print("again")
    worker.loop.go_on()

    assert worker.sent == [message("x" * (LONGEST + 1)), message("again\n")]
    assert printing.stdout.getvalue() == f"{'x' * (LONGEST + 1)}left outagain\n"


def test_no_line_is_lost_or_sent_twice_when_many_threads_print(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Printing(monkeypatch).worker()

    def talk(number: int) -> None:
        for i in range(100):
            sys.stdout.write(f"{number}-{i}\n")
            if i % 10 == 0:
                worker.loop.go_on()

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worker.loop.go_on()
    rest = worker.handlers[OUTPUT]()

    texts = [text["text"] for text in worker.sent if isinstance(text, dict)]
    assert sorted("".join([*texts, rest]).split()) == sorted(f"{number}-{i}" for number in range(8) for i in range(100))


def test_the_streams_are_in_all_else_what_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    Printing(monkeypatch)
    stream: Any = sys.stdout

    assert stream.write("four") == 4
    assert stream.getvalue() == "four"
    assert not stream.isatty()
    stream.flush()
