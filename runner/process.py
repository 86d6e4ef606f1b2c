"""The flow's process: forked from the supervisor, with pipes for its output and its reports, in a group of its own."""

import contextlib
import fcntl
import gc
import os
import signal
import sys
from collections.abc import Callable

from runner.channel import Reports
from runner.outcome import ExitCode
from runner.stop import StopNotice

Work = Callable[[Reports, StopNotice], int]
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class FlowProcess:
    """The process, seen from the supervisor.

    Args:
        work: what the new process does; its result is that process's exit code.
        deadline: when the flow must have ended, in seconds since 1970; null for never.
        lifeline: a pipe whose writing end only the supervisor has.
        own: the supervisor's other file descriptors, which the new process closes.
    """

    def __init__(self, work: Work, *, deadline: float | None, lifeline: tuple[int, int], own: tuple[int, ...]) -> None:
        self.status: int | None = None
        """Wait status, once it has ended."""
        output, report = os.pipe(), os.pipe()
        self.output, self.report = output[0], report[0]
        # Until the child listens, signals wait: one that came in between would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        gc.freeze()  # what there is by now stays: at its exit each process would look through all of it for garbage
        self.pid = os.fork()
        if self.pid == 0:
            _become_child(lifeline[0], output[1])
            for fd in (*own, lifeline[1], *output, report[0]):
                os.close(fd)
            sys.exit(_listening(work, Reports(report[1]), StopNotice(deadline=deadline)))
        with contextlib.suppress(OSError):
            os.setpgid(self.pid, self.pid)  # as the child does itself: who comes first is open
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        os.close(output[1])
        os.close(report[1])

    def ask_to_stop(self, number: int) -> None:
        """Send the flow itself a signal; its own children, Dask workers say, are for the flow to end."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the flow and all that it started."""
        # Nothing of it may be left; on macOS a group of zombies answers with a permission error.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def read_rest_of_report(self) -> bytes:
        """What the process reported and nobody has read, once it has ended."""
        os.set_blocking(self.report, False)
        rest = b""
        # A process that left the flow's group may still hold the pipe, so its end cannot be waited for.
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.report, 64 * 1024):
                rest += data
        os.close(self.report)
        return rest


def _listening(work: Work, reports: Reports, notice: StopNotice) -> int:
    try:
        notice.listen()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        return work(reports, notice)
    except KeyboardInterrupt:
        return ExitCode.TERMINATED  # outside of anything that had to be cleaned up; the supervisor knows why


def _become_child(lifeline: int, output: int) -> None:
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    _die_with_the_supervisor(lifeline)


def _die_with_the_supervisor(lifeline: int) -> None:
    """Have the kernel kill the flow's process group when the supervisor's end of the lifeline closes."""
    if not hasattr(fcntl, "F_SETSIG"):
        return  # Linux only; elsewhere a flow outlives a supervisor that was killed with SIGKILL
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
