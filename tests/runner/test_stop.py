"""How a flow learns that it has to stop: by a signal, or because something that it waits for is never going to come."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from runner.errors import UnavailableError
from runner.stop import ABORT_SIGNAL, StopNotice, Terminated
from runner.verdict import Stop

LONG_SECONDS = 20.0
SIGNALS = (signal.SIGTERM, signal.SIGINT, ABORT_SIGNAL)
GONE = UnavailableError("No worker can be had. Wait.")


@pytest.fixture
def notice() -> Iterator[StopNotice]:
    """A notice that listens in this very process, whose handlers come back afterwards."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    found = StopNotice(deadline=None)
    found.listen()
    yield found
    for number, handler in before.items():
        signal.signal(number, handler)


def wait_while(work: Callable[[], object], wait: Callable[[float], object]) -> None:
    """Wait for long, while another thread does something."""
    threading.Thread(target=work).start()
    wait(LONG_SECONDS)


def test_abort_wakes_the_main_thread_and_keeps_why(notice: StopNotice) -> None:
    began = time.monotonic()
    with pytest.raises(Terminated, match="the flow cannot go on"):
        wait_while(lambda: notice.abort(GONE), time.sleep)

    assert time.monotonic() - began < LONG_SECONDS / 2
    assert (notice.error, notice.stop) == (GONE, None)


def test_only_the_first_abort_counts(notice: StopNotice) -> None:
    with pytest.raises(Terminated):
        notice.abort(GONE)
    notice.abort(UnavailableError("Another. Wait."))

    assert notice.error is GONE


def test_abort_interrupts_a_wait_for_another_thread(notice: StopNotice) -> None:
    began = time.monotonic()
    with pytest.raises(Terminated):
        wait_while(lambda: notice.abort(GONE), threading.Event().wait)

    assert time.monotonic() - began < LONG_SECONDS / 2


@pytest.mark.parametrize(
    ("number", "stop", "kind"),
    [(signal.SIGTERM, Stop.TERMINATED, Terminated), (signal.SIGINT, Stop.INTERRUPTED, KeyboardInterrupt)],
)
def test_a_signal_is_an_exception_once(
    notice: StopNotice, number: signal.Signals, stop: Stop, kind: type[BaseException]
) -> None:
    with pytest.raises(kind) as caught:
        os.kill(os.getpid(), number)
    assert type(caught.value) is kind
    for again in (signal.SIGTERM, signal.SIGINT):
        os.kill(os.getpid(), again)

    assert (notice.stop, notice.error) == (stop, None)


def test_a_stop_wins_over_an_abort(notice: StopNotice) -> None:
    with pytest.raises(Terminated, match="the run was asked to stop"):
        os.kill(os.getpid(), signal.SIGTERM)
    notice.abort(GONE)  # the clean-up goes on

    assert notice.stop is Stop.TERMINATED


def test_a_stop_after_an_abort_is_a_stop(notice: StopNotice) -> None:
    with pytest.raises(Terminated, match="the flow cannot go on"):
        notice.abort(GONE)
    with pytest.raises(Terminated, match="the run was asked to stop"):
        os.kill(os.getpid(), signal.SIGTERM)

    assert (notice.stop, notice.error) == (Stop.TERMINATED, GONE)


@pytest.mark.parametrize(("seconds", "stop"), [(-1.0, Stop.DEADLINE), (60.0, Stop.TERMINATED)])
def test_after_its_deadline_a_run_that_is_stopped_was_late(seconds: float, stop: Stop, notice: StopNotice) -> None:
    late = StopNotice(deadline=time.time() + seconds)
    late.listen()
    with pytest.raises(Terminated):
        os.kill(os.getpid(), signal.SIGTERM)

    assert late.stop is stop


PROGRAM = """
import sys, threading
from runner.errors import UnavailableError
from runner.stop import StopNotice

notice = StopNotice(deadline=None)
notice.listen()
try:
    threading.Thread(target=lambda: notice.abort(UnavailableError("gone"))).start()
    try:
        input()
    except Exception:
        print("taken for an error of the flow's")
except KeyboardInterrupt as found:
    print(type(found).__name__, notice.error)
"""


def test_abort_passes_what_catches_every_error_and_wakes_a_system_call() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.wait(LONG_SECONDS) == 0
            assert process.stdout is not None
            assert process.stdout.read() == "Terminated gone\n"
        finally:
            process.kill()
