"""What workers on ECS print: of a run that has ended, of one that goes on, and of workers that ECS has forgotten."""

import threading
import time
from collections.abc import Callable

import pytest

from runner.errors import UsageError
from runner.http.errors import Unreachable
from runner.launch.ecs import follow
from runner.launch.ecs import workers as shown
from runner.outcome import Outcome, State
from runner.worker_mark import mark
from tests.runner.launch.ecs.conftest import WithWorkers
from tests.testbed.aws.faults import Kind
from tests.testbed.ecs_environment import Place

pytestmark = [pytest.mark.aws, pytest.mark.long]

NOTHING = "Nothing that workers of the-run printed is there. It had none, they printed nothing, or that is older than"


@pytest.fixture(autouse=True)
def no_late_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed can be read at once here."""
    monkeypatch.setattr(follow, "QUIET_SECONDS", 0.5)
    monkeypatch.setattr(shown, "LIST_SECONDS", 0.2)
    monkeypatch.setattr(shown, "LOOK_SECONDS", 0.1)


def printing(*lines: str, pause: float = 0.05) -> str:
    """A program that prints so, line after line."""
    return "\n".join(f"printf '%s\\n' '{line}'; sleep {pause}" for line in lines)


def ended(workers: WithWorkers, *scripts: str) -> list[str]:
    """Have a run that has ended, with such workers, one after the other; the result is their ids."""
    run, owner = workers.started(moment=time.time() + 120)
    found = []
    for script in scripts:
        found.append(workers.worker(owner, script))
        workers.await_stopped(owner)
    workers.launcher().stop("the-run")
    assert run.end().state is State.CANCELLED
    return found


def test_all_that_workers_have_printed_each_line_with_its_worker(workers: WithWorkers) -> None:
    _, unmarked, *_ = ended(
        workers,
        printing("before the mark", mark("the-run", 1, 7), "after it", "a\rb", mark("the-run", 1, 8)),
        printing("nobody knows", mark("another-run", 1, 9), mark("the-run", 10, 9)),
        "exit 0",
    )
    expected = [
        "worker 7 | before the mark",
        "worker 7 | after it",
        "worker 7 | a\rb",
        f"worker 7 | {mark('the-run', 1, 8)}",
        f"worker {unmarked[:8]} | nobody knows",
        f"worker {unmarked[:8]} | {mark('another-run', 1, 9)}",
        f"worker {unmarked[:8]} | {mark('the-run', 10, 9)}",
    ]

    assert workers.launcher().worker_log("the-run").decode() == "".join(f"{line}\n" for line in expected)

    workers.place.aws.await_stopped(workers.section.cluster_arn)
    workers.place.aws.forget()
    assert workers.launcher().worker_log("the-run", attempt=1).decode().splitlines() == [
        line for text in expected[:4] for line in text.splitlines()
    ]


def test_lines_of_several_workers_are_in_the_order_of_time(workers: WithWorkers) -> None:
    run, owner = workers.started(moment=time.time() + 120)
    for number in range(3):
        workers.worker(owner, printing(mark("the-run", 1, number), *map(str, range(10)), pause=0.1))
    workers.await_stopped(owner)

    lines = workers.launcher().worker_log("the-run").decode().splitlines()

    workers.launcher().stop("the-run")
    run.end()
    assert sorted(lines) == sorted(f"worker {worker} | {n}" for worker in range(3) for n in range(10))
    assert lines != sorted(lines)
    for worker in range(3):
        own = [line for line in lines if line.startswith(f"worker {worker} ")]
        assert own == [f"worker {worker} | {n}" for n in range(10)]


def test_lines_are_passed_on_as_they_come(workers: WithWorkers) -> None:
    _, owner = workers.started(moment=time.time() + 120)
    following = Follower(workers.launcher().follow_workers)
    workers.worker(owner, printing("early", mark("the-run", 1, 0), "up") + "\nsleep 60")
    following.await_line("worker 0 | up")
    workers.worker(owner, printing(mark("the-run", 1, 1), "late", "last"))
    following.await_line("worker 1 | late")

    workers.launcher().stop("the-run")

    assert following.end().state is State.CANCELLED
    text = b"".join(following.written).decode().splitlines()
    assert sorted(text) == ["worker 0 | early", "worker 0 | up", "worker 1 | last", "worker 1 | late"]


def test_workers_of_the_next_attempt_are_followed_as_well(workers: WithWorkers) -> None:
    workers.place.aws.inject(Kind.HOST, family=workers.place.name, delay=3.0)
    run = workers.start("wait_until", moment=time.time() + 8)
    following = Follower(run.launcher.follow_workers)
    for attempt in (1, 2):
        task = workers.attempt(attempt)
        owner = task["taskArn"].rpartition("/")[2]
        workers.worker(owner, printing(mark("the-run", attempt, 0), f"of attempt {attempt}"), attempt=attempt)
        following.await_line(f"worker 0 | of attempt {attempt}")

    assert (following.end().state, following.end().attempt) == (State.SUCCEEDED, 2)


def test_a_worker_without_a_number_is_waited_for_and_shown_in_the_end(workers: WithWorkers) -> None:
    run, owner = workers.started(moment=time.time() + 120)
    following = Follower(workers.launcher().follow_workers)
    worker = workers.worker(owner, printing("nobody knows"))
    workers.await_stopped(owner)

    workers.launcher().stop("the-run")

    assert following.end().state is run.end().state is State.CANCELLED
    assert following.written == [f"worker {worker[:8]} | nobody knows\n".encode()]


def test_what_keeps_workers_from_being_followed_is_told_when_the_run_has_ended(
    workers: WithWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers.started(moment=time.time() + 1.5)

    def refuse(*_: object) -> None:
        raise Unreachable("No answer. Check the network.", transient=True)

    monkeypatch.setattr(shown.Streams, "of", refuse)

    with pytest.raises(Unreachable, match="No answer"):
        workers.launcher().follow_workers("the-run", lambda _: None)


def test_a_run_that_had_none_says_so(workers: WithWorkers) -> None:
    run = workers.start("succeed")
    run.follow()

    with pytest.raises(UsageError, match=NOTHING):
        workers.launcher().worker_log("the-run")
    with pytest.raises(UsageError, match=NOTHING):
        workers.launcher().follow_workers("the-run", lambda _: None)


def test_a_run_of_the_other_kind_has_none(flows: Place) -> None:
    flows.start("succeed").follow()

    with pytest.raises(UsageError, match="The run the-run has no workers of its own"):
        flows.launcher().worker_log("the-run")
    with pytest.raises(UsageError, match="There is no run 'nothing'"):
        flows.launcher().worker_log("nothing")


def test_gc_removes_the_logs_of_workers_with_those_of_their_run(workers: WithWorkers) -> None:
    ended(workers, printing(mark("the-run", 1, 0), "words"), printing("nobody knows"))
    workers.place.aws.await_stopped(workers.section.cluster_arn)
    environment = workers.without_retention()

    done = workers.launcher(environment).collect(dry_run=False)

    logs = workers.place.aws.client("logs")
    left = logs.describe_log_streams(logGroupName=workers.section.log_group)["logStreams"]
    assert done.runs == ("the-run",)
    assert len(left) == 1  # of whose worker nobody knows; the log group's own retention removes it


class Follower:
    """Follows in a thread, and waits for lines."""

    def __init__(self, follow_workers: Callable[[str, Callable[[bytes], object]], Outcome]) -> None:
        self.written: list[bytes] = []
        self._changed = threading.Condition()
        self._outcome: Outcome | None = None

        def follow() -> None:
            self._outcome = follow_workers("the-run", self._take)

        self._thread = threading.Thread(target=follow, daemon=True)
        self._thread.start()

    def _take(self, data: bytes) -> None:
        with self._changed:
            self.written.append(data)
            self._changed.notify_all()

    def await_line(self, line: str) -> None:
        with self._changed:
            wanted = f"{line}\n".encode()
            assert self._changed.wait_for(lambda: wanted in b"".join(self.written), 20), self.written

    def end(self) -> Outcome:
        self._thread.join(30)
        assert self._outcome is not None
        return self._outcome
