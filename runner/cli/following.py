"""Follows a run to its end, as `run`, `retry` and `logs -f` do."""

import os
import signal
import sys
from types import FrameType

from runner import contract
from runner.cli.command import print_json, say
from runner.cli.render import exit_code, headline, summary
from runner.launch.base import Launcher
from runner.outcome import ExitCode


class Hangup(BaseException):
    """The client itself was asked to end, with SIGTERM."""


def follow_to_end(launcher: Launcher, run_id: str, *, as_json: bool, dashboard: bool = False) -> int:
    """Pass the run's output on, then print its outcome; the result is the run's exit code.

    The first Ctrl-C cancels the run and waits for its end, the second leaves it alone and returns at once. SIGTERM
    cancels it too: whoever ends the client, a CI system say, means the run.
    """
    # With --json stdout is for the outcome alone.
    sink = _Sink(2 if as_json else 1)
    signal.signal(signal.SIGTERM, _hang_up)
    try:
        outcome = launcher.follow(run_id, sink.write, notice=tell, dashboard=dashboard)
    except (KeyboardInterrupt, Hangup) as asked:
        by_terminal = isinstance(asked, KeyboardInterrupt)
        again = " Press Ctrl-C again to leave it alone and return at once." if by_terminal else ""
        told = False
        try:
            launcher.stop(run_id, interrupt=by_terminal)
            told = True
            say(f"\npenstock: cancelling {run_id}, which has its grace to end.{again}")
            outcome = launcher.follow(run_id, sink.write, skip=sink.written, notice=tell)
        except (KeyboardInterrupt, Hangup):
            state = "is still ending" if told else "was not asked to stop"
            say(f"penstock: detached; `penstock logs -f {run_id}` follows the run, which {state}.")
            return ExitCode.INTERRUPTED
    sys.stdout.flush()
    say(summary(outcome))
    if sink.lines < outcome.log.lines:
        say(f"  The flow printed {outcome.log.lines} lines, and only {sink.lines} could be kept: is the disk full?")
    if as_json:
        print_json(contract.encode(outcome))
    return exit_code(outcome)


def pass_on_to_end(launcher: Launcher, run_id: str, *, skip: int, dashboard: bool = False) -> None:
    """Pass the run's output on without a hand in the run: Ctrl-C only stops looking."""
    launcher.follow(run_id, _Sink(1).write, skip=skip, notice=tell, dashboard=dashboard)


def pass_on_workers_to_end(launcher: Launcher, run_id: str) -> None:
    """Pass the output of the run's workers on, as `pass_on_to_end` does the run's."""
    launcher.follow_workers(run_id, _Sink(1).write)


def detached(launcher: Launcher, run_id: str, *, as_json: bool, dashboard: bool = False) -> int:
    """Say how to find a run that goes on by itself."""
    outcome = launcher.find(run_id).outcome
    say(headline(outcome))
    say(f"  Follow it with `penstock logs -f {run_id}`, stop it with `penstock cancel {run_id}`.")
    if dashboard:
        say(f"  See Dask's dashboard with `penstock logs -f {run_id} --dashboard`.")
    if as_json:
        print_json(contract.encode(outcome))
    else:
        print(run_id)
    return ExitCode.OK


class _Sink:
    """Writes to a file descriptor at once, and counts."""

    def __init__(self, fd: int) -> None:
        self.written = 0
        self._newlines = 0
        self._partial_line = False
        self._fd = fd

    @property
    def lines(self) -> int:
        """Number of lines written, a last one without a newline included."""
        return self._newlines + self._partial_line

    def write(self, data: bytes) -> None:
        self._newlines += data.count(b"\n")
        self._partial_line = not data.endswith(b"\n")
        while data:
            count = os.write(self._fd, data)
            self.written += count
            data = data[count:]


def tell(sentence: str) -> None:
    """Tell people what there is to know about a run that is followed."""
    say(f"penstock: {sentence}")


def _hang_up(_: int, __: FrameType | None) -> None:
    raise Hangup
