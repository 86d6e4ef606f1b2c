"""The process around the flow: passes on its output and signals, keeps its time, and reports how it ended.

It stays up whatever the flow's process does, so that a crash, `os._exit`, an out-of-memory kill or a flow that ignores
signals still ends in a true outcome. It may be PID 1: it reaps every child and leaves no process of the flow behind.
It imports little, because its memory is part of every run.
"""

import os
import select
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from runner import artifacts, inputs, verdict
from runner.attempt import Attempt
from runner.channel import ReportReader, Reports
from runner.memory import oom_kills
from runner.outcome import Artifact, ExitCode, LogSummary, Outcome, State
from runner.output import write_all
from runner.process import STOP_SIGNALS, FlowProcess, Work
from runner.record import write_outcome
from runner.sha256 import sha256
from runner.stop import StopNotice

if TYPE_CHECKING:
    from runner.awslogs import Encoder

CHUNK = 64 * 1024
DRAIN_SECONDS = 1.0
"""How long output may still come after the flow's processes are gone: from ones that left its process group."""
KILL_MARGIN_SECONDS = 1.0
"""The kill comes this long before the grace is over, so that the outcome is recorded within it."""
SHORT_RECORD = 4096
"""Bytes of a short outcome where a long one stands in several events of a log: as Kubernetes keeps of a container."""
STORE_SECONDS = 60.0
"""How long putting the run's files into the bucket may take."""
STORE_AFTER_GRACE_SECONDS = 3.0
"""And when the run was stopped, after the end of its grace: ECS kills the runner five seconds after that."""
LONGEST_WAIT_SECONDS = 3600
"""poll takes no more than 24 days; waking up once an hour costs nothing."""


def supervise(attempt: Attempt) -> int:
    """Run the attempt; the result is the exit code. In the flow's process it does not return: that one exits."""
    supervisor = _Supervisor(attempt)
    if attempt.lock_fd is not None:
        # Whoever reads this may send a signal at once.
        os.write(attempt.lock_fd, str(os.getpid()).encode())
    supervisor.run_flow()
    supervisor.judge()
    supervisor.run_on_exit_if_the_flow_could_not()
    return supervisor.finish()


def _encoder() -> "Encoder":
    from runner.awslogs import Encoder

    return Encoder()


class _Supervisor:
    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.stop: verdict.Stop | None = None
        self.deadline = None if attempt.deadline is None else time.monotonic() + attempt.deadline - time.time()
        self.kill_at: float | None = None
        self.drain_until: float | None = None
        self.hash = sha256()
        self.lines = 0
        self.partial_line = False
        self.output_lost = False
        self.reported: object = None
        self.on_exit_called = False
        self.loaded = False
        self.stop_at = self.ended_at = 0.0
        self.stored: dict[str, str] = {}
        """SHA-256 of the files that are in the bucket, by name."""
        self.unstored: str | None = None
        """Why others are not."""
        self.scratch = [] if attempt.code is None else [attempt.code.folder]
        self.oom_kills = oom_kills()
        self.encoder = _encoder() if attempt.awslogs else None
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
        self.wakeup = os.pipe()
        for fd in self.wakeup:
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(self.wakeup[1])
        for number in (*STOP_SIGNALS, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        self.record()

    def since_accepted(self, at: float) -> float:
        return round(max(0.0, at - self.attempt.request.accepted_at), 4)

    def record(self) -> None:
        if self.attempt.outcome_file is not None:
            write_outcome(self.attempt.outcome_file, self.outcome, limit=self.attempt.outcome_limit)

    def run_flow(self) -> None:
        def work(reports: Reports, notice: StopNotice) -> int:
            from runner.execute import run

            return run(self.attempt, reports, notice)

        self.start(work)
        if self.attempt.awslogs:
            # The log is where the run is found when the platform has forgotten it, however the run ends. This stands
            # before all output; the flow's process gets ready meanwhile.
            self.write_trailer(self.outcome, {})
        self.watch()

    def run_on_exit_if_the_flow_could_not(self) -> None:
        if self.attempt.callbacks.on_exit is None or not self.loaded or self.on_exit_called:
            return

        def work(_: Reports, __: StopNotice) -> int:
            from runner.execute import call_on_exit

            return call_on_exit(self.attempt, self.outcome)

        self.deadline = None
        self.kill_at = time.monotonic() + self.attempt.environment.timeouts.grace_seconds
        self.start(work)
        self.watch()

    def start(self, work: Work) -> None:
        """Start a process."""
        own = self.wakeup if self.attempt.lock_fd is None else (*self.wakeup, self.attempt.lock_fd)
        self.process = FlowProcess(work, deadline=self.attempt.deadline, lifeline=self.lifeline, own=own)
        self.reader = ReportReader()

    def watch(self) -> None:
        """Pass on the process's output, signals and time until it has ended and its output is complete."""
        poll = select.poll()
        sources: dict[int, Callable[[bytes], None]] = {
            self.process.output: self.pass_on,
            self.process.report: self.read_report,
            self.wakeup[0]: self.take_signals,
        }
        for fd in sources:
            poll.register(fd, select.POLLIN)
        self.drain_until = None
        while self.process.status is None or self.process.output in sources:
            if self.drained:
                break
            for fd, _ in poll.poll(self._wait_ms()):
                data = os.read(fd, CHUNK)
                if data:
                    sources[fd](data)
                else:
                    poll.unregister(fd)
                    del sources[fd]
            self.keep_time()
        os.close(self.process.output)
        self.read_report(self.process.read_rest_of_report())

    @property
    def drained(self) -> bool:
        """Whether output has been waited for long enough after the process ended."""
        return self.drain_until is not None and time.monotonic() >= self.drain_until

    def _wait_ms(self) -> int | None:
        deadline = self.deadline if self.stop is None else None
        moments = [at for at in (deadline, self.kill_at, self.drain_until) if at is not None]
        if not moments:
            return None
        return max(0, int(min(min(moments) - time.monotonic(), LONGEST_WAIT_SECONDS) * 1000) + 1)

    def keep_time(self) -> None:
        now = time.monotonic()
        if self.process.status is not None:
            return
        if self.deadline is not None and self.stop is None and now >= self.deadline:
            self.ask_to_stop(verdict.Stop.DEADLINE, signal.SIGTERM)
        if self.kill_at is not None and now >= self.kill_at:
            self.kill_at = None
            self.process.kill()

    def ask_to_stop(self, stop: verdict.Stop, number: int) -> None:
        """Ask the flow to end, and set the time at which it is killed."""
        if self.process.status is not None:
            return
        self.stop, self.stop_at = stop, time.time()
        grace = self.attempt.environment.timeouts.grace_seconds
        kill_at = time.monotonic() + max(grace / 2, grace - KILL_MARGIN_SECONDS)
        self.kill_at = kill_at if self.kill_at is None else min(self.kill_at, kill_at)
        self.process.ask_to_stop(number)

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
            if pid == self.process.pid:
                self.process.status = status
                self.kill_at = None
                self.drain_until = time.monotonic() + DRAIN_SECONDS
                self.process.kill()

    def pass_on(self, data: bytes) -> None:
        self.hash.update(data)
        self.lines += data.count(b"\n")
        self.partial_line = not data.endswith(b"\n")
        # When the disk is full or the reader is gone, the flow goes on, and its output is still counted.
        self.output_lost = self.output_lost or not self.write(data)

    def write(self, data: bytes) -> bool:
        """Write to the run's log; false when the disk is full or the reader is gone."""
        return write_all(1, data if self.encoder is None else self.encoder.feed(data))

    def write_trailer(
        self, outcome: Outcome, files: Mapping[str, bytes], stored: Mapping[str, str] | None = None
    ) -> None:
        from runner.awslogs import LONGEST_PIECE
        from runner.trailer import shortened, trailer

        line = trailer(outcome, files, stored)
        if self.encoder is not None and len(line) > LONGEST_PIECE:
            self.write(trailer(shortened(outcome, SHORT_RECORD), {}))
        self.write(line)

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
                self.scratch.append(str(event["path"]))
            elif name == "stored":
                self.stored[str(event["name"])] = str(event["sha256"])
            elif name == "unstored":
                self.unstored = str(event["why"])
            else:
                self.ended_at = at
                self.outcome = replace(self.outcome, ledger={**self.outcome.ledger, name: self.since_accepted(at)})
                self.record()

    def judge(self) -> None:
        """Turn the flow's own report, or the way in which its process ended, into the end of the run."""
        status = cast(int, self.process.status)
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

    def store(self, found: tuple[Artifact, ...], place: str) -> tuple[Artifact, ...]:
        """Put the run's files into the bucket, in a process; the result is the files with the places of those there.

        Whatever comes of it, the run has ended as it has: the process is killed before the platform kills this one.
        """
        seconds = STORE_SECONDS
        if self.stop in {verdict.Stop.TERMINATED, verdict.Stop.INTERRUPTED}:
            grace = self.attempt.environment.timeouts.grace_seconds
            left = self.stop_at + grace + STORE_AFTER_GRACE_SECONDS - time.time()
            seconds = max(1.0, min(seconds, left))

        def work(reports: Reports, _: StopNotice) -> int:
            from runner.bucket_files import put

            return put(found, place, reports.send, seconds=seconds)

        self.stop = self.deadline = None
        self.kill_at = time.monotonic() + seconds
        self.start(work)
        self.watch()
        _, bucket, prefix = inputs.located(place)
        missing = sum(item.name not in self.stored for item in found)
        if missing:
            why = self.unstored or "it was stopped, or took too long"
            line = "\n" if self.partial_line else ""
            sentence = f"{missing} of the run's {len(found)} files could not be put into the bucket {bucket} ({why})."
            self.pass_on(f"{line}penstock: {sentence} Those that are small are in its log.\n".encode())
        places = {name: f"s3://{bucket}/{prefix}{name}" for name in self.stored}
        return tuple(replace(item, path=places.get(item.name, item.path)) for item in found)

    def finish(self) -> int:
        """Record the outcome, in the log last of all; the result is the exit code."""
        if self.scratch:
            import shutil

            for path in self.scratch:
                shutil.rmtree(path, ignore_errors=True)
        folder = self.attempt.artifacts
        found = () if folder is None else artifacts.listed(folder)
        if found and self.attempt.artifacts_to is not None:
            found = self.store(found, self.attempt.artifacts_to)
        self.outcome = replace(
            self.outcome,
            ledger={**self.outcome.ledger, "finished": self.since_accepted(time.time())},
            log=LogSummary(lines=self.lines + self.partial_line, sha256=self.hash.hexdigest()),
            artifacts=found,
        )
        self.record()
        if self.attempt.trailer:
            rest = [item for item in found if item.name not in self.stored]
            self.write_trailer(self.outcome, artifacts.contents(rest), self.stored)
        return ExitCode.INTERNAL if self.outcome.exit_code is None else self.outcome.exit_code
