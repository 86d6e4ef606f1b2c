"""Runs flows as processes of this machine.

A run is a process in a session of its own, so it outlives the client and the terminal that started it. It is known by
its records (see `run_directory`), which any client of the same user can read.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from runner.environment import Environment
from runner.errors import PenstockError, UnavailableError, UsageError
from runner.launch.base import Collected, Reach, RunRecord
from runner.launch.dashboard import require
from runner.launch.folders import runs_folder
from runner.launch.run_directory import AttemptDirectory, RunDirectory
from runner.launch.wait import Pause
from runner.outcome import Outcome, State
from runner.request import RunRequest
from runner.sections import Local

CHUNK = 64 * 1024
LEFTOVER_SECONDS = 3600
"""A partly written or partly removed folder of this age belongs to no command that still works on it."""


def launcher(environment: Environment, reach: Reach) -> "LocalLauncher":  # noqa: ARG001 this machine is the only one
    """The launcher of an environment of kind `local`."""
    return LocalLauncher()


class LocalLauncher:
    """The launcher of kind `local`."""

    def submit(
        self,
        environment: Environment,
        request: RunRequest,
        *,
        bundle: bytes | None = None,  # noqa: ARG002 the code is where it is
        notice: Callable[[str], object] = lambda _: None,  # noqa: ARG002 a local run waits for nothing
    ) -> bool:
        """See `Launcher.submit`."""
        run = RunDirectory(request.run_id)
        if not run.create(environment, request):
            _refuse_other_request(run, environment, request)
        return self._start(run, run.attempt())

    def retry(self, run_id: str) -> int:
        """See `Launcher.retry`."""
        run = RunDirectory(run_id)
        last = run.attempt()
        if not last.outcome().state.ended:
            raise UsageError(
                f"The run {run_id} has not ended. Follow it with `penstock logs -f {run_id}`, or cancel it."
            )
        request = replace(last.request(), attempt=last.number + 1, accepted_at=time.time())
        run.add_attempt(request)
        self._start(run, run.attempt())
        return request.attempt

    def follow(
        self,
        run_id: str,
        write: Callable[[bytes], object],
        *,
        skip: int = 0,
        notice: Callable[[str], object] = lambda _: None,  # noqa: ARG002 a local run waits for nothing
        dashboard: bool = False,
    ) -> Outcome:
        """See `Launcher.follow`. The run itself prints where its dashboard is, which is on this machine."""
        run = RunDirectory(run_id)
        attempt = run.attempt()
        if dashboard:
            require(run_id, attempt.request().executor or run.environment().executor)
        pause = Pause()
        with attempt.log_file.open("rb", buffering=0) as log:
            log.seek(skip)
            while True:
                outcome = attempt.outcome() if pause.idle else None
                # The outcome is recorded after the last line: what is read now is the rest.
                while data := log.read(CHUNK):
                    write(data)
                    pause.reset()
                if outcome is not None and outcome.state.ended:
                    return outcome
                pause.sleep()

    def log(self, run_id: str, *, tail: int | None = None, attempt: int | None = None) -> bytes:
        """See `Launcher.log`."""
        with RunDirectory(run_id).attempt(attempt).log_file.open("rb") as log:
            if tail == 0:
                return b""
            if tail is not None:
                log.seek(_start_of_tail(log.fileno(), tail))
            return log.read()

    def worker_log(self, run_id: str, *, attempt: int | None = None) -> bytes:
        """See `Launcher.worker_log`."""
        self.find(run_id, attempt=attempt)
        raise _no_workers(run_id)

    def follow_workers(self, run_id: str, write: Callable[[bytes], object]) -> Outcome:  # noqa: ARG002 there is none
        """See `Launcher.follow_workers`."""
        self.find(run_id)
        raise _no_workers(run_id)

    def stop(self, run_id: str, *, interrupt: bool = False) -> None:
        """See `Launcher.stop`."""
        attempt = RunDirectory(run_id).attempt()
        pause = Pause()
        while not attempt.outcome().state.ended:
            # A runner that has only just been started has the lock, and writes its process id a moment later.
            pid = attempt.runner_pid() if attempt.runner_is_up() else None
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):  # it has ended since its lock was seen
                    os.kill(pid, signal.SIGINT if interrupt else signal.SIGTERM)
                return
            pause.sleep()

    def find(self, run_id: str, *, attempt: int | None = None) -> RunRecord:
        """See `Launcher.find`."""
        found = RunDirectory(run_id).attempt(attempt)
        return RunRecord(outcome=found.outcome(), accepted_at=found.request().accepted_at)

    def runs(self) -> Iterator[RunRecord]:
        """See `Launcher.runs`."""
        folder = runs_folder()
        names = [path.name for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
        for name in names:
            try:
                yield self.find(name)
            except (PenstockError, OSError):  # damaged, or removed meanwhile: no reason not to list the others
                yield RunRecord(outcome=Outcome(run_id=name, state=State.UNKNOWN), accepted_at=0.0)

    def collect(self, *, dry_run: bool) -> Collected:
        """See `Launcher.collect`."""
        folder = runs_folder()
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        leftovers = [name for name in names if name.startswith(".") and _age(folder / name) > LEFTOVER_SECONDS]
        due = [name for name in names if not name.startswith(".") and _is_due(RunDirectory(name))]
        if not dry_run:
            import shutil  # not for every start of a run

            for name in due:
                RunDirectory(name).remove()
            for name in leftovers:
                shutil.rmtree(folder / name, ignore_errors=True)
        return Collected(runs=tuple(due), leftovers=tuple(leftovers), kept=len(names) - len(due) - len(leftovers))

    def _start(self, run: RunDirectory, attempt: AttemptDirectory) -> bool:
        with attempt.try_lock() as lock:
            if lock is None or attempt.outcome_file.exists():
                return False
            environment = run.environment()
            section = environment.local or Local()
            directory = section.working_directory or os.getcwd()  # noqa: PTH109 a Path says nothing more
            python = section.python or sys.executable
            command = [python, "-P", "-m", "runner"]
            command += ["--environment", str(run.path / "environment.json"), "--request", str(attempt.request_file)]
            command += ["--outcome", str(attempt.outcome_file), "--artifacts", str(attempt.artifacts)]
            command += ["--lock-fd", str(lock)]
            try:
                with attempt.log_file.open("ab", buffering=0) as log:
                    subprocess.Popen(
                        command,
                        cwd=directory,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                        pass_fds=[lock],
                    ).returncode = 0  # it is to outlive this process, so nobody here waits for it
            except OSError as error:
                if attempt.number == 1:
                    run.remove()  # nothing has come into being but its records
                place = f"{python} in {directory}" if Path(directory).is_dir() else f"the folder {directory}"
                raise UnavailableError(
                    f"The run {run.run_id} could not be started with {place} ({error.strerror}). "
                    "Correct working_directory or python of the environment, then run it again."
                ) from None
            return True


def _refuse_other_request(run: RunDirectory, environment: Environment, request: RunRequest) -> None:
    first = run.attempts()[0].request()
    same = replace(request, accepted_at=first.accepted_at, attempt=first.attempt)
    if first != same or run.environment().name != environment.name:
        raise UsageError(
            f"A run {request.run_id!r} exists already, of {first.flow} with other parameters or options. "
            "Choose another --run-id, or leave it out for a new one."
        )


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime


def _is_due(run: RunDirectory) -> bool:
    try:
        attempt = run.attempt()
        outcome = attempt.outcome()
        retention = run.environment().retention
    except (PenstockError, OSError):
        return False  # damaged: nobody knows whether it is to be kept, so a person has to say
    if not outcome.state.ended:
        return False
    limit = retention.succeeded_seconds if outcome.state is State.SUCCEEDED else retention.failed_seconds
    return _age(attempt.outcome_file if attempt.outcome_file.exists() else attempt.request_file) > limit


def _start_of_tail(fd: int, lines: int) -> int:
    """Offset in the file at which its last lines begin."""
    end = os.fstat(fd).st_size
    position, wanted = end, lines
    while position > 0:
        start = max(0, position - CHUNK)
        block = os.pread(fd, position - start, start)
        found = len(block)
        # The newline that ends the file ends its last line, and begins none.
        if position == end and block.endswith(b"\n"):
            found -= 1
        while (found := block.rfind(b"\n", 0, found)) >= 0:
            wanted -= 1
            if wanted == 0:
                return start + found + 1
        position = start
    return 0


def _no_workers(run_id: str) -> UsageError:
    return UsageError(
        f"The run {run_id} was on this machine, where Dask's workers print into the run's own log. "
        f"See it with `penstock logs {run_id}`."
    )
