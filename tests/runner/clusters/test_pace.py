"""When a run asks ECS how the tasks of its workers stand."""

from itertools import pairwise

import pytest

from runner.clusters import pace as module
from runner.clusters.pace import FIRST_LOOK_SECONDS, HURRY_SECONDS, IDLE_LOOK_SECONDS, LONGEST_LOOK_SECONDS, Pace


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


def looks(clock: Clock, pace: Pace, until: float, *, all_up: bool) -> list[float]:
    """The moments of looks, in seconds after now."""
    began, found = clock.now, []
    while pace.at <= began + until:
        clock.now = max(clock.now, pace.at)
        found.append(clock.now - began)
        pace.looked(all_up=all_up)
    return found


def test_the_first_look_comes_soon_and_then_ever_seldomer(clock: Clock) -> None:
    pace = Pace()
    pace.begin()

    found = looks(clock, pace, 120, all_up=False)

    assert found[0] == FIRST_LOOK_SECONDS
    pauses = [after - before for before, after in pairwise(found)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_LOOK_SECONDS
    assert len([moment for moment in found if moment <= 5]) <= 3


def test_tasks_that_are_all_up_are_looked_at_seldom(clock: Clock) -> None:
    pace = Pace()
    pace.begin()

    found = looks(clock, pace, 3600, all_up=True)

    assert {after - before for before, after in pairwise(found)} == {IDLE_LOOK_SECONDS}


def test_who_hurries_looks_at_once_and_often_for_a_while(clock: Clock) -> None:
    pace = Pace()
    pace.begin()
    looks(clock, pace, 300, all_up=True)
    pace.hurry()

    found = looks(clock, pace, 60, all_up=True)

    assert found[0] == 0
    often = [moment for moment in found if moment <= HURRY_SECONDS]
    assert len(often) == HURRY_SECONDS / FIRST_LOOK_SECONDS + 1
    assert found[len(often)] - found[len(often) - 1] == IDLE_LOOK_SECONDS


def test_what_is_started_anew_is_looked_at_soon(clock: Clock) -> None:
    pace = Pace()
    pace.begin()
    looks(clock, pace, 300, all_up=False)
    pace.begin()

    assert pace.at == clock.now + FIRST_LOOK_SECONDS
