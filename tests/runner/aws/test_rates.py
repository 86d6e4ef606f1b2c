"""Calls are held to a rate, whoever makes them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from runner.aws import rates
from runner.aws.rates import RATES, Rate, Rates
from tests.runner.aws.services import client_of, refuses
from tests.runner.kubernetes.replies import fine, in_turn


class Clock:
    """A time that only sleeping moves, for each thread by itself."""

    def __init__(self) -> None:
        self._own = threading.local()

    def monotonic(self) -> float:
        return getattr(self._own, "now", 1000.0)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self._own.now = self.monotonic() + seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(rates, "time", made)
    return made


def most_in_a_second(at: list[float]) -> int:
    """Most calls within any second, its end left out."""
    times = sorted(at)
    return max(sum(start <= moment < start + 1 - 1e-9 for moment in times) for start in times)


@pytest.mark.parametrize("rate", sorted(set(RATES.values())))
def test_no_second_has_more_calls_than_the_rate_and_what_goes_at_once(clock: Clock, rate: tuple[float, int]) -> None:
    per_second, burst = rate
    limit = Rate(per_second, burst)
    at = []

    for _ in range(500):
        limit.wait()
        at.append(clock.monotonic())

    assert most_in_a_second(at) <= per_second + burst
    assert at[burst - 1] == at[0]
    assert at[-1] - at[0] == pytest.approx((500 - burst) / per_second)


def test_threads_that_come_at_once_wait_one_behind_the_other(clock: Clock) -> None:
    limit = Rate(10.0, 5)

    def called(_: int) -> float:
        clock._own.now = 1000.0  # each comes at the same moment
        limit.wait()
        return clock.monotonic()

    with ThreadPoolExecutor(8) as threads:
        at = sorted(threads.map(called, range(100)))

    assert at == pytest.approx([1000.0] * 5 + [1000.0 + n / 10 for n in range(1, 96)])


def test_a_pause_brings_back_no_more_than_may_go_at_once(clock: Clock) -> None:
    limit = Rate(10.0, 5)
    for _ in range(7):
        limit.wait()
    clock.sleep(3600)
    before = clock.monotonic()

    at = []
    for _ in range(6):
        limit.wait()
        at.append(clock.monotonic() - before)

    assert at == pytest.approx([0, 0, 0, 0, 0, 0.1])


def test_each_operation_has_a_rate_of_its_own_and_others_have_none(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    limits = Rates("ecs")
    per_second, burst = RATES["ecs", "RunTask"]

    for _ in range(burst + 1):
        limits.wait("RunTask")
    late = clock.monotonic()
    for operation in ("StopTask", "DescribeTasks", "TagResource", "GetLogEvents"):
        limits.wait(operation)

    assert late == pytest.approx(1000.0 + 1 / per_second)
    assert clock.monotonic() == late


@pytest.mark.usefixtures("keys")
def test_every_try_of_a_client_takes_its_turn(clock: Clock) -> None:
    per_second, burst = RATES["ecs", "RunTask"]

    with client_of(in_turn(refuses(500, "ServerException"), fine)) as (client, server):
        for _ in range(burst):
            client.call("RunTask")

    assert len(server.requests) == burst + 1
    assert clock.monotonic() == pytest.approx(1000.0 + 1 / per_second)
