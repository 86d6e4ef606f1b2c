"""Decides how an attempt ended: from the flow's own report, or from the way in which its process ended."""

import os
import signal
from dataclasses import dataclass
from enum import Enum

from runner.contract import decode
from runner.outcome import ExitCode, Failure, FailureClass, State


class Stop(Enum):
    """Why the supervisor asked the flow to stop."""

    DEADLINE = "deadline"
    INTERRUPTED = "interrupted"
    TERMINATED = "terminated"


@dataclass(frozen=True, kw_only=True)
class End:
    """How the flow ended: the part of an outcome that only the flow's process, or its death, can tell."""

    state: State
    exit_code: int
    failure: Failure | None = None
    result: object = None
    result_repr: str | None = None


def stopped(stop: Stop, *, run_seconds: float | None, killed: bool = False) -> End:
    """The end of a flow that was asked to stop; `killed` when it did not comply within its grace."""
    insisted = " and was killed, since it had not stopped within its grace" if killed else ""
    if stop is Stop.DEADLINE:
        failure = Failure(
            failure_class=FailureClass.DEADLINE,
            message=f"The flow ran for longer than its {run_seconds:,} seconds{insisted}.",
            next_step="Give it more time with --timeout, or with run_seconds in the environment.",
        )
        return End(state=State.FAILED, exit_code=ExitCode.DEADLINE, failure=failure)
    code = ExitCode.INTERRUPTED if stop is Stop.INTERRUPTED else ExitCode.TERMINATED
    failure = Failure(
        failure_class=FailureClass.CANCELLED,
        message=f"The run was {stop.value}{insisted}.",
        next_step="Start it again with `penstock retry` when it should run after all.",
    )
    return End(state=State.CANCELLED, exit_code=code, failure=failure)


def of_report(report: object, *, stop: Stop | None, ended_after_stop: bool, run_seconds: float | None) -> End:
    """The end that the flow's process reported, unless it ended well only after it should have stopped."""
    end = decode(End, report, subject="the flow's report", warn=_ignore)
    if stop is not None and ended_after_stop and end.state is State.SUCCEEDED:
        return stopped(stop, run_seconds=run_seconds)
    return end


def of_status(status: int, *, stop: Stop | None, run_seconds: float | None, out_of_memory: bool) -> End:
    """The end of a flow whose process ended without a report.

    Args:
        status: wait status of the process.
        stop: why it had been asked to stop, if it had.
        run_seconds: the time limit in force.
        out_of_memory: whether the kernel killed a process of this cgroup for memory meanwhile.
    """
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if stop is not None:
        return stopped(stop, run_seconds=run_seconds, killed=number == signal.SIGKILL)
    if number:
        return _ended_by_signal(number, out_of_memory=out_of_memory)
    code = os.WEXITSTATUS(status)
    of_the_flow = 1 <= code < ExitCode.USAGE
    failure = Failure(
        failure_class=FailureClass.FLOW if of_the_flow else FailureClass.CRASH,
        message=f"The flow's process exited with status {code} before the flow returned.",
        next_step="Look for os._exit, or for a native library that ends the process.",
    )
    return End(state=State.FAILED, exit_code=code if of_the_flow else ExitCode.FLOW_FAILED, failure=failure)


def _ended_by_signal(number: int, *, out_of_memory: bool) -> End:
    names = {signal_.value: signal_.name for signal_ in signal.Signals}  # real-time signals have none
    name = names.get(number, f"signal {number}")
    if number == signal.SIGKILL and out_of_memory:
        failure = Failure(
            failure_class=FailureClass.OOM,
            message="The kernel killed the flow's process because its memory was used up.",
            next_step="Give it more memory, or process the data in smaller parts.",
            evidence="The cgroup's oom_kill counter rose during the run.",
        )
    else:
        hints: dict[int, str] = {
            signal.SIGKILL: "Something outside the run killed it: when memory was short, give the machine more.",
            signal.SIGSEGV: "A native library crashed: run the flow with PYTHONFAULTHANDLER=1 to see where.",
        }
        failure = Failure(
            failure_class=FailureClass.CRASH,
            message=f"The flow's process was ended by {name}.",
            next_step=hints.get(number, "Look at the end of the log for what it did last."),
        )
    return End(state=State.FAILED, exit_code=ExitCode.SIGNAL_BASE + number, failure=failure)


def _ignore(_: str) -> None:
    """Unknown keys do not occur: both ends are of the same version."""
