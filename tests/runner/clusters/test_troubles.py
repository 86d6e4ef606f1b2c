"""What keeps workers from starting: told once for each kind of it, when it lasts."""

import threading

import pytest

from runner.clusters import troubles as module
from runner.clusters.troubles import SETTLE_SECONDS, Troubles
from runner.outcome import Failure, FailureClass
from runner.trouble import Trouble


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def trouble(failure_class: str = "quota", message: str = "No room.", *, fatal: bool = False) -> Trouble:
    return Trouble(failure=Failure(failure_class=FailureClass(failure_class), message=message), fatal=fatal)


def test_what_lasts_is_told_once_and_how_many_it_concerns(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    troubles = Troubles()
    troubles.note(0, trouble())
    assert troubles.due_at() == clock.now + SETTLE_SECONDS
    troubles.tell(3)
    clock.now += SETTLE_SECONDS / 2
    troubles.note(1, trouble(message="No room, again."))
    troubles.tell(3)
    assert capsys.readouterr().err == ""

    clock.now += SETTLE_SECONDS / 2
    troubles.tell(3)
    clock.now += 60
    troubles.note(2, trouble())
    troubles.tell(3)

    assert capsys.readouterr().err == (
        "penstock: 2 of 3 workers wait (quota): No room. The flow goes on with those that there are.\n"
    )
    assert troubles.due_at() is None


def test_when_all_wait_so_does_the_flow(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    troubles = Troubles()
    troubles.note(0, trouble())
    clock.now += SETTLE_SECONDS
    troubles.tell(1)

    assert capsys.readouterr().err == "penstock: 1 of 1 workers wait (quota): No room. The flow waits for one.\n"


def test_each_kind_is_told(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    troubles = Troubles()
    troubles.note(0, trouble())
    troubles.note(1, trouble("registry", "It is busy"))
    clock.now += SETTLE_SECONDS
    troubles.tell(4)

    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("(")[2].partition(")")[0] for line in lines] == ["quota", "registry"]
    assert lines[1] == (
        "penstock: 1 of 4 workers wait (registry): It is busy. The flow goes on with those that there are."
    )


def test_what_passes_in_time_is_never_told(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    troubles = Troubles()
    troubles.note(0, trouble())
    troubles.forget(0)
    troubles.forget(5)
    clock.now += 60
    troubles.tell(1)

    assert (troubles.due_at(), troubles.waiting(), troubles.held()) == (None, None, 0)
    assert capsys.readouterr().err == ""


def test_a_worker_is_held_when_it_has_been_for_a_while_whatever_the_reason(clock: Clock) -> None:
    troubles = Troubles()
    troubles.note(0, trouble())
    clock.now += SETTLE_SECONDS / 2
    troubles.note(0, trouble("registry"))
    troubles.note(1, trouble())
    assert troubles.held() == 0

    clock.now += SETTLE_SECONDS / 2

    assert troubles.held() == 1
    last = troubles.of(0)
    assert last is not None
    assert last.failure.failure_class == "registry"
    assert troubles.of(7) is None


def test_the_worst_is_what_is_waited_for(clock: Clock) -> None:
    troubles = Troubles()
    troubles.note(0, trouble())
    troubles.note(1, trouble("config", fatal=True))
    troubles.note(2, trouble())

    worst = troubles.waiting()
    assert worst is not None
    assert worst.fatal


def test_any_thread_may_use_it() -> None:
    troubles = Troubles()

    def use(first: int) -> None:
        for number in range(first, first + 500):
            troubles.note(number, trouble())
            troubles.held()
            troubles.waiting()
            troubles.forget(number)

    threads = [threading.Thread(target=use, args=(1000 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert troubles.waiting() is None
