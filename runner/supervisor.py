"""The process around the flow: forks it, passes on its output and signals, keeps its time, and reports how it ended.

It stays up whatever the flow's process does, so that a crash, `os._exit`, an out-of-memory kill or a flow that ignores
signals still ends in a true outcome. It may be PID 1: it reaps every child and leaves no process of the flow behind.
It imports little, because its memory is part of every run.
"""

import contextlib
import fcntl
import os
import select
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from runner import verdict
from runner.attempt import Attempt
from runner.channel import ReportReader, Reports
from runner.memory import oom_kills
from runner.outcome import Artifact, ExitCode, LogSummary, Outcome, State
from runner.record import write_outcome
from runner.stop import StopNotice

try:  # hashlib would load OpenSSL: 4 MB in every container for one hash
    from _sha2 import sha256  # type: ignore[import-not-found]
except ImportError:  # Python 3.11
    from _sha256 import sha256  # type: ignore[import-not-found]

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
CHUNK = 64 * 1024
DRAIN_SECONDS = 1.0
"""How long output may still come after the flow's processes are gone: from ones that left its process group."""
KILL_MARGIN_SECONDS = 1.0
"""The kill comes this long before the grace is over, so that the outcome is recorded within it."""
MAX_ARTIFACTS = 1000


def supervise(attempt: Attempt) -> int:
    """Run the attempt; the result is the exit code. Returns in the flow's own process too, with that one's."""
    if attempt.lock_fd is not None:
        os.write(attempt.lock_fd, str(os.getpid()).encode())
    supervisor = _Supervisor(attempt)
    supervisor.record(supervisor.outcome)
    child_exit_code = supervisor.start("flow")
    if child_exit_code is not None:
        return child_exit_code
    supervisor.watch()
    supervisor.judge()
    if supervisor.must_call_on_exit:
        child_exit_code = supervisor.start("on_exit")
        if child_exit_code is not None:
            return child_exit_code
        supervisor.watch()
    return supervisor.finish()


class _Supervisor:
    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.child = 0
        self.status: int | None = None
        self.stop: verdict.Stop | None = None
        self.kill_at: float | None = None
        self.drain_until: float | None = None
        self.hash = sha256()
        self.lines = 0
        self.partial_line = False
        self.output_lost = False
        self.reported: object = None
        self.on_exit_called = False
        self.loaded = False
        self.deadline = attempt.deadline
        self.stop_at = self.ended_at = 0.0
        self.scratch: str | None = None
        self.oom_kills = oom_kills()
        request = attempt.request
        self.outcome = Outcome(
            run_id=request.run_id,
            attempt=request.attempt,
            environment=attempt.environment.name,
            kind=attempt.environment.kind,
            flow=request.flow,
            state=State.RUNNING,
            ledger={"started": self.since_accepted(attempt.started_at)},
        )
        self.lifeline = os.pipe()
        self.wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self.wakeup[1])
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)

    def since_accepted(self, at: float) -> float:
        return round(max(0.0, at - self.attempt.request.accepted_at), 4)

    def record(self, outcome: Outcome) -> None:
        if self.attempt.outcome_file is not None:
            write_outcome(self.attempt.outcome_file, outcome)

    def start(self, task: str) -> int | None:
        """Fork the process that runs the flow, or only the `on_exit` of a flow whose process is gone.

        Returns null in the supervisor, and in the new process its exit code when its work is done.
        """
        output, report = os.pipe(), os.pipe()
        self.status = self.drain_until = self.kill_at = None
        # Until the child can take them, signals wait: one that came in between would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        self.child = os.fork()
        if self.child:
            with contextlib.suppress(OSError):
                os.setpgid(self.child, self.child)  # as the child does itself: who comes first is open
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            os.close(output[1])
            os.close(report[1])
            self.output, self.report, self.reader = output[0], report[0], ReportReader()
            if task == "on_exit":
                self.deadline = None
                self.kill_at = time.monotonic() + self.attempt.environment.timeouts.grace_seconds
            return None
        self._become_child(output[1], report[1])
        return self._work(task, report[1])

    def _work(self, task: str, report: int) -> int:
        notice = StopNotice(deadline=self.attempt.deadline)
        try:
            notice.listen()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            from runner.execute import call_on_exit, run

            if task == "flow":
                return run(self.attempt, Reports(report), notice)
            return call_on_exit(self.attempt, self.outcome)
        except KeyboardInterrupt:
            return ExitCode.TERMINATED  # before there was anything to clean up; the supervisor knows why

    def _become_child(self, output: int, report: int) -> None:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        keep = {report, self.lifeline[0]}
        highest = max(*self.wakeup, *self.lifeline, output, report, self.attempt.lock_fd or 0)
        for fd in range(3, highest + 1):
            if fd not in keep:
                with contextlib.suppress(OSError):  # not open
                    os.close(fd)
        _die_with_the_supervisor(self.lifeline[0])

    def watch(self) -> None:
        """Pass on output, signals and time until the process has ended and its output is complete."""
        poll = select.poll()
        sources: dict[int, Callable[[bytes], None]] = {
            self.output: self.pass_on,
            self.report: self.read_report,
            self.wakeup[0]: self.take_signals,
        }
        for fd in sources:
            poll.register(fd, select.POLLIN)
        while self.status is None or self.output in sources:
            now = time.monotonic()
            if self.drain_until is not None and now >= self.drain_until:
                break
            for fd, _ in poll.poll(self._wait_ms(now)):
                data = os.read(fd, CHUNK)
                if data:
                    sources[fd](data)
                else:
                    poll.unregister(fd)
                    del sources[fd]
            self.keep_time()
        os.close(self.output)
        self.read_rest()

    def read_rest(self) -> None:
        os.set_blocking(self.report, False)
        try:
            while data := os.read(self.report, CHUNK):
                self.read_report(data)
        except BlockingIOError:
            pass  # a process that left the flow's group still holds the pipe: what the flow reported has been read
        os.close(self.report)

    def _wait_ms(self, now: float) -> int | None:
        until_deadline = None if self.deadline is None or self.stop else self.deadline - time.time()
        waits = [at - now for at in (self.kill_at, self.drain_until) if at is not None]
        waits += [] if until_deadline is None else [until_deadline]
        return None if not waits else max(0, int(min(waits) * 1000) + 1)

    def keep_time(self) -> None:
        if self.status is not None:
            return
        if self.deadline is not None and self.stop is None and time.time() >= self.deadline:
            self.ask_to_stop(verdict.Stop.DEADLINE, signal.SIGTERM)
        if self.kill_at is not None and time.monotonic() >= self.kill_at:
            self.kill_at = None
            _kill_group(self.child)

    def ask_to_stop(self, stop: verdict.Stop, number: int) -> None:
        """Ask the flow to end, and set the time at which it is killed."""
        if self.status is not None:
            return
        self.stop, self.stop_at = stop, time.time()
        grace = self.attempt.environment.timeouts.grace_seconds
        self.kill_at = self.kill_at or time.monotonic() + max(grace / 2, grace - KILL_MARGIN_SECONDS)
        os.kill(self.child, number)

    def take_signals(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGCHLD:
                self.reap()
            elif self.stop is None:
                stop = verdict.Stop.INTERRUPTED if number == signal.SIGINT else verdict.Stop.TERMINATED
                self.ask_to_stop(stop, number)

    def reap(self) -> None:
        """Collect every child that ended: as PID 1 there are also those that lost their own parent."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.child:
                self.status = status
                self.drain_until = time.monotonic() + DRAIN_SECONDS
                _kill_group(pid)

    def pass_on(self, data: bytes) -> None:
        self.hash.update(data)
        self.lines += data.count(b"\n")
        self.partial_line = not data.endswith(b"\n")
        while data and not self.output_lost:
            try:
                data = data[os.write(1, data) :]
            except OSError:  # the disk is full or the reader is gone; the flow goes on, and its output is still counted
                self.output_lost = True

    def read_report(self, data: bytes) -> None:
        for event in self.reader.feed(data):
            name, at = str(event["event"]), cast(float, event["at"])
            if name == "end":
                self.reported = event["end"]
            elif name == "on_exit":
                self.on_exit_called = True
            elif name == "loaded":
                self.loaded = True
            elif name == "scratch":
                self.scratch = str(event["path"])
            else:
                self.ended_at = at
                self.outcome = replace(self.outcome, ledger={**self.outcome.ledger, name: self.since_accepted(at)})
                self.record(self.outcome)

    @property
    def must_call_on_exit(self) -> bool:
        return self.attempt.callbacks.on_exit is not None and self.loaded and not self.on_exit_called

    def judge(self) -> None:
        """Turn the flow's own report, or the way in which its process ended, into the end of the run."""
        status = cast(int, self.status)
        out_of_memory = oom_kills() > self.oom_kills
        limit = self.attempt.run_seconds
        if self.reported is None:
            end = verdict.of_status(status, stop=self.stop, run_seconds=limit, out_of_memory=out_of_memory)
        else:
            late = self.stop is not None and self.ended_at > self.stop_at
            end = verdict.of_report(self.reported, stop=self.stop, ended_after_stop=late, run_seconds=limit)
        self.outcome = replace(
            self.outcome,
            state=end.state,
            exit_code=end.exit_code,
            failure=end.failure,
            result=end.result,
            result_repr=end.result_repr,
        )

    def finish(self) -> int:
        """Record the outcome; the result is the exit code."""
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)
        self.outcome = replace(
            self.outcome,
            ledger={**self.outcome.ledger, "finished": self.since_accepted(time.time())},
            log=LogSummary(lines=self.lines + self.partial_line, sha256=self.hash.hexdigest()),
            artifacts=_artifacts(self.attempt.artifacts),
        )
        self.record(self.outcome)
        return ExitCode.INTERNAL if self.outcome.exit_code is None else self.outcome.exit_code


def _kill_group(group: int) -> None:
    # Nothing of it may be left; on macOS a group of zombies answers with a permission error.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _die_with_the_supervisor(lifeline: int) -> None:
    """Have the kernel kill the flow's process group when the supervisor's end of the lifeline closes."""
    if not hasattr(fcntl, "F_SETSIG"):
        return  # Linux only; elsewhere a flow outlives a supervisor that was killed with SIGKILL
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def _artifacts(folder: str | None) -> tuple[Artifact, ...]:
    if folder is None:
        return ()
    names = sorted(
        os.fsencode(os.path.relpath(os.path.join(root, name), folder)).decode(errors="backslashreplace")  # noqa: PTH118 pathlib costs start-up time
        for root, _, names in os.walk(folder)
        for name in names
    )
    return tuple(Artifact(name=name, path=os.path.join(folder, name)) for name in names[:MAX_ARTIFACTS])  # noqa: PTH118
