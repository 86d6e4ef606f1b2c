"""The records of a local run.

    <run id>/environment.json             the environment document that the run was started with
    <run id>/attempts/<n>/request.json    what was asked for
                          lock            locked while the attempt's runner is up; holds its process id
                          log             what the flow printed
                          outcome.json    how the attempt stands, written by the runner
                          artifacts/      what the flow left behind

A run's folder appears complete or not at all, and whoever holds an attempt's lock is the only one to start it, so that
two clients with one run id start one process, and a client that was killed half-way leaves a run that can be started.
"""

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from runner import contract, environment, request
from runner.environment import Environment
from runner.errors import UnavailableError, UsageError
from runner.launch.folders import runs_folder
from runner.outcome import SCHEMA_VERSION, ExitCode, Failure, FailureClass, Outcome, State
from runner.request import RUN_ID, RunRequest

START_SECONDS = 5.0
"""How long a run may have its records and no client that starts it before it counts as never started."""
LOCKING_SECONDS = 0.5
"""How long an attempt's lock may exist before it is locked."""
LOOKS = 20
EVIDENCE_BYTES = 500


class AttemptDirectory:
    """The records of one attempt."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = int(path.name)
        self.request_file = path / "request.json"
        self.outcome_file = path / "outcome.json"
        self.log_file = path / "log"
        self.lock_file = path / "lock"
        self.artifacts = path / "artifacts"

    def request(self) -> RunRequest:
        """What was asked for."""
        return request.read(_bytes(self.request_file, request.SUBJECT), warn=_ignore)

    @contextlib.contextmanager
    def try_lock(self) -> Iterator[int | None]:
        """The locked file's descriptor, or null when a runner or another client holds it."""
        fd = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield fd if _locked(fd) else None
        finally:
            os.close(fd)

    def runner_is_up(self) -> bool:
        """Whether a runner works on the attempt, or a client is about to start one."""
        try:
            fd = os.open(self.lock_file, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def runner_pid(self) -> int | None:
        """Process id of the runner that holds the lock; null before it has written it."""
        text = self.lock_file.read_text()
        return int(text) if text else None

    def outcome(self) -> Outcome:
        """How the attempt stands. A runner that is gone without having recorded an end is told as such."""
        recorded = self._recorded()
        if recorded is not None and recorded.state.ended:
            return recorded
        if self.runner_is_up():
            return recorded or self._without_runner(State.QUEUED)
        # It may have recorded the end and gone since the first look.
        recorded = self._recorded()
        if recorded is not None and recorded.state.ended:
            return recorded
        if recorded is None:
            # A client locks the attempt right before it starts the runner, which writes its first record at once.
            launched = self.lock_file.exists()
            since = (self.lock_file if launched else self.request_file).stat().st_mtime
            if time.time() - since < (LOCKING_SECONDS if launched else START_SECONDS):
                return self._without_runner(State.QUEUED)
            said = self.log_file.read_bytes()[-EVIDENCE_BYTES:].decode(errors="replace").strip()
            return self._without_runner(
                State.FAILED,
                ExitCode.UNAVAILABLE,
                Failure(
                    failure_class=FailureClass.NEVER_STARTED,
                    message="The run was accepted, and its process never came up.",
                    next_step="See `penstock doctor`, then start it again with `penstock retry`.",
                    evidence=said.replace("\0", "") or None,
                ),
            )
        return self._without_runner(
            State.FAILED,
            ExitCode.STOPPED_BY_PLATFORM,
            Failure(
                failure_class=FailureClass.PREEMPTED,
                message="The runner was killed, or the machine restarted, before the run's end could be recorded.",
                next_step="It is safe to start it again with `penstock retry`.",
            ),
        )

    def _recorded(self) -> Outcome | None:
        try:
            data = self.outcome_file.read_bytes()
        except FileNotFoundError:
            return None
        return contract.read_document(Outcome, data, version=SCHEMA_VERSION, subject="outcome", warn=_ignore)

    def _without_runner(self, state: State, code: ExitCode | None = None, failure: Failure | None = None) -> Outcome:
        asked = self.request()
        name = RunDirectory(asked.run_id).environment()
        return Outcome(
            run_id=asked.run_id,
            attempt=asked.attempt,
            environment=name.name,
            kind=name.kind,
            flow=asked.flow,
            state=state,
            exit_code=code,
            failure=failure,
        )


class RunDirectory:
    """The records of one run."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.path = runs_folder() / run_id

    def environment(self) -> Environment:
        """The environment that the run was started in."""
        return environment.read(_bytes(self.path / "environment.json", environment.SUBJECT), warn=_ignore)

    def attempts(self) -> list[AttemptDirectory]:
        """The attempts, the first one first."""
        numbers = (int(path.name) for path in (self.path / "attempts").iterdir() if path.name.isdigit())
        return [AttemptDirectory(self.path / "attempts" / str(number)) for number in sorted(numbers)]

    def attempt(self, number: int | None = None) -> AttemptDirectory:
        """The attempt of that number, or the newest.

        Raises:
            UsageError: there is no such run, or attempt.
        """
        try:
            found = self.attempts() if re.fullmatch(RUN_ID, self.run_id) else None
        except (FileNotFoundError, NotADirectoryError):
            found = None
        if not found:
            raise UsageError(
                f"There is no run {self.run_id!r} on this machine. `penstock ls` lists those that there are."
            )
        if number is None:
            return found[-1]
        for attempt in found:
            if attempt.number == number:
                return attempt
        raise UsageError(f"The run {self.run_id} has no attempt {number}. It has had {len(found)}.")

    def create(self, target: Environment, asked: RunRequest) -> bool:
        """Record a new run; false when there is one of this id already."""
        partial = self.path.with_name(f".{self.run_id}.{os.urandom(4).hex()}")
        with _writing(partial):
            first = partial / "attempts" / "1"
            (first / "artifacts").mkdir(parents=True)
            (partial / "environment.json").write_bytes(contract.to_bytes(target))
            (first / "request.json").write_bytes(contract.to_bytes(asked))
            (first / "log").touch()
            return _rename(partial, self.path)

    def add_attempt(self, asked: RunRequest) -> bool:
        """Record a further attempt; false when another client has done so."""
        partial = self.path / f".attempt.{os.urandom(4).hex()}"
        with _writing(partial):
            (partial / "artifacts").mkdir()
            (partial / "request.json").write_bytes(contract.to_bytes(asked))
            (partial / "log").touch()
            return _rename(partial, self.path / "attempts" / str(asked.attempt))

    def remove(self) -> None:
        """Remove the records; a reader sees all of them or none."""
        doomed = self.path.with_name(f".{self.run_id}.{os.urandom(4).hex()}")
        self.path.rename(doomed)
        _remove(doomed)


def _locked(fd: int) -> bool:
    """Whether the exclusive lock could be had. Who only looks has a shared one for microseconds: that is waited out."""
    for _ in range(LOOKS):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.001)
        else:
            return True
    return False


def _bytes(path: Path, subject: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise contract.unreadable(subject, str(path), error) from None


@contextlib.contextmanager
def _writing(partial: Path) -> Iterator[None]:
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)  # parameters and output are the user's own
        yield
    except OSError as error:
        raise UnavailableError(
            f"The run cannot be recorded in {partial.parent} ({error.strerror}). "
            "Make room there or make it writable, or set XDG_STATE_HOME to another folder."
        ) from None
    finally:
        if partial.exists():
            _remove(partial)


def _remove(folder: Path) -> None:
    import shutil  # not for every start of a run

    shutil.rmtree(folder, ignore_errors=True)


def _rename(partial: Path, final: Path) -> bool:
    try:
        partial.rename(final)
    except OSError:
        if final.exists():
            return False
        raise
    return True


def _ignore(_: str) -> None:
    """Unknown keys of records: what wrote them may be newer, and has warned already."""
