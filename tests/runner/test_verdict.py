"""How an attempt ended, from its report or from the way in which its process ended."""

import signal

import pytest

from runner import contract
from runner.errors import ContractError
from runner.outcome import ExitCode, Failure, FailureClass, State
from runner.verdict import End, Stop, of_report, of_status, stopped


def exited(code: int) -> int:
    """The wait status of a process that exited."""
    return code << 8


def judged(status: int, *, stop: Stop | None = None, out_of_memory: bool = False) -> tuple[State, int, FailureClass]:
    end = of_status(status, stop=stop, run_seconds=90, out_of_memory=out_of_memory)
    assert end.failure is not None
    assert end.failure.next_step
    return end.state, end.exit_code, end.failure.failure_class


@pytest.mark.parametrize(
    ("status", "exit_code", "failure_class"),
    [
        (exited(0), 1, FailureClass.CRASH),
        (exited(1), 1, FailureClass.FLOW),
        (exited(63), 63, FailureClass.FLOW),
        (exited(64), 1, FailureClass.CRASH),
        (exited(255), 1, FailureClass.CRASH),
        (signal.SIGKILL, 137, FailureClass.CRASH),
        (signal.SIGSEGV, 139, FailureClass.CRASH),
        (signal.SIGSEGV | 0x80, 139, FailureClass.CRASH),
        (signal.SIGTERM, 143, FailureClass.CRASH),
        (signal.SIGRTMIN, 128 + signal.SIGRTMIN, FailureClass.CRASH),
    ],
)
def test_a_process_that_ended_without_a_report_is_a_failure_of_the_flow_or_a_crash(
    status: int, exit_code: int, failure_class: FailureClass
) -> None:
    assert judged(status) == (State.FAILED, exit_code, failure_class)


@pytest.mark.parametrize("number", range(1, signal.NSIG))
def test_every_signal_has_a_sentence(number: int) -> None:
    end = of_status(number, stop=None, run_seconds=None, out_of_memory=False)

    assert end.exit_code == 128 + number
    assert end.failure is not None
    assert end.failure.message.startswith("The flow's process was ended by ")


@pytest.mark.parametrize(
    ("status", "out_of_memory", "exit_code", "failure_class"),
    [
        (signal.SIGKILL, True, 137, FailureClass.OOM),
        (signal.SIGKILL, False, 137, FailureClass.CRASH),
        (signal.SIGSEGV, True, 139, FailureClass.CRASH),
        (exited(1), True, 1, FailureClass.FLOW),
    ],
)
def test_only_a_kill_while_the_counter_rose_is_out_of_memory(
    status: int, out_of_memory: bool, exit_code: int, failure_class: FailureClass
) -> None:
    assert judged(status, out_of_memory=out_of_memory) == (State.FAILED, exit_code, failure_class)


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        (Stop.DEADLINE, (State.FAILED, ExitCode.DEADLINE, FailureClass.DEADLINE)),
        (Stop.INTERRUPTED, (State.CANCELLED, ExitCode.INTERRUPTED, FailureClass.CANCELLED)),
        (Stop.TERMINATED, (State.CANCELLED, ExitCode.TERMINATED, FailureClass.CANCELLED)),
    ],
)
@pytest.mark.parametrize("status", [exited(0), exited(1), exited(130), signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_a_flow_that_was_asked_to_stop_ended_for_that_reason_however_it_did(
    stop: Stop, status: int, expected: tuple[State, int, FailureClass]
) -> None:
    assert judged(status, stop=stop, out_of_memory=True) == expected


@pytest.mark.parametrize(
    ("stop", "killed", "sentence"),
    [
        (Stop.DEADLINE, False, "The flow ran for longer than its 90 seconds."),
        (
            Stop.DEADLINE,
            True,
            "The flow ran for longer than its 90 seconds and was killed, since it had not stopped within its grace.",
        ),
        (Stop.INTERRUPTED, False, "The run was interrupted."),
        (Stop.TERMINATED, True, "The run was terminated and was killed, since it had not stopped within its grace."),
    ],
)
def test_a_stop_is_told_in_a_sentence(stop: Stop, killed: bool, sentence: str) -> None:
    end = stopped(stop, run_seconds=90, killed=killed)

    assert end.failure is not None
    assert end.failure.message == sentence


SUCCEEDED = End(state=State.SUCCEEDED, exit_code=0, result={"rows": 3})
FAILED = End(state=State.FAILED, exit_code=5, failure=Failure(failure_class=FailureClass.FLOW, message="SystemExit(5)"))


@pytest.mark.parametrize("end", [SUCCEEDED, FAILED])
@pytest.mark.parametrize(("stop", "late"), [(None, False), (Stop.DEADLINE, False), (Stop.TERMINATED, False)])
def test_a_report_from_before_the_stop_is_believed(end: End, stop: Stop | None, late: bool) -> None:
    assert of_report(contract.encode(end), stop=stop, ended_after_stop=late, run_seconds=90) == end


@pytest.mark.parametrize("stop", Stop)
def test_a_success_after_the_stop_is_none(stop: Stop) -> None:
    report = contract.encode(SUCCEEDED)

    assert of_report(report, stop=stop, ended_after_stop=True, run_seconds=90) == stopped(stop, run_seconds=90)


@pytest.mark.parametrize("stop", Stop)
def test_a_failure_after_the_stop_stays_the_flows_own(stop: Stop) -> None:
    assert of_report(contract.encode(FAILED), stop=stop, ended_after_stop=True, run_seconds=90) == FAILED


def test_a_report_of_another_shape_is_refused() -> None:
    with pytest.raises(ContractError, match=r"^the flow's report: state is missing"):
        of_report({}, stop=None, ended_after_stop=False, run_seconds=None)
