"""The outcome that ends a run: its states, failure classes and exit codes are written here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

SCHEMA_VERSION = 1

MAX_RESULT_BYTES = 256 * 1024
"""Largest result, as JSON, that an outcome carries. A larger one is kept as the artifact `result.json`."""

RESULT_ARTIFACT = "result.json"
REPORT_ARTIFACT = "dask-performance-report.html"
WORKER_LOG_ARTIFACT = "dask-workers.log"
"""What the run's Dask workers printed, each line with its worker."""
TASK_STREAM_ARTIFACT = "dask-task-stream.svg"


class State(StrEnum):
    """Where a run stands."""

    SUCCEEDED = "succeeded"
    """The flow returned."""
    FAILED = "failed"
    """It ended otherwise, and `failure` says how."""
    CANCELLED = "cancelled"
    """It was asked to stop, and has."""
    QUEUED = "queued"
    """It was accepted and its process is not up yet."""
    RUNNING = "running"
    """Its process is up."""
    UNKNOWN = "unknown"
    """Nobody can tell now."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to the run."""
        return self in {State.SUCCEEDED, State.FAILED, State.CANCELLED}


class FailureClass(StrEnum):
    """What kind of thing went wrong: it decides whether running again can help, and who has to act."""

    FLOW = "flow"
    """The user's code raised, or could not be loaded with these parameters."""
    CRASH = "crash"
    """The flow's process was ended by a signal, or ended without reporting."""
    OOM = "oom"
    """The kernel killed the flow's process for memory."""
    DEADLINE = "deadline"
    """The run's time was over."""
    CANCELLED = "cancelled"
    """The user, or the platform on the user's behalf, asked the run to stop."""
    IMAGE = "image"
    """The container image is not there, or the platform may not have it."""
    REGISTRY = "registry"
    """The image's registry does not answer, or not now."""
    QUOTA = "quota"
    """A quota leaves no room for the run."""
    UNSCHEDULABLE = "unschedulable"
    """No machine of the platform has room for the run, or may take it."""
    CONFIG = "config"
    """The environment document, the run request or what they name is wrong."""
    NEVER_STARTED = "never-started"
    """The run was accepted and its process never came up."""
    PREEMPTED = "preempted"
    """The platform took the run's place away: running it again is safe."""
    INTERNAL = "internal"
    """A bug of Penstock's own."""


class ExitCode(IntEnum):
    """Exit codes of the runner, and of `penstock run`, which passes them on.

    1-63 belong to the flow; 64-78 follow sysexits.h; 124 is timeout(1)'s; 128 + n is the shell's for signal n.
    """

    OK = 0
    """The flow succeeded."""
    FLOW_FAILED = 1
    """The flow raised an exception. A `SystemExit(n)` of the flow's with n from 1 to 63 passes n through."""
    USAGE = 64
    """The command line asks for what cannot be."""
    BAD_DOCUMENT = 65
    """The environment document or the run request cannot be read."""
    CANNOT_LOAD = 66
    """The flow or a callback cannot be imported, or the parameters do not fit the flow."""
    UNAVAILABLE = 69
    """The platform, or a thing on it, cannot be used now, or the run never started."""
    INTERNAL = 70
    """A bug of Penstock's own."""
    STOPPED_BY_PLATFORM = 75
    """The platform took the run's place away: it is safe to run it again."""
    DEADLINE = 124
    """The run's time was over."""
    SIGNAL_BASE = 128
    """Signal n ended the flow's process; 139, for one, is a segmentation fault."""
    INTERRUPTED = 130
    """The run was interrupted, with Ctrl-C or SIGINT."""
    KILLED = 137
    """The flow's process was killed: out of memory when the failure's class is `oom`."""
    TERMINATED = 143
    """The run was asked to stop: with `penstock cancel`, SIGTERM, or by the platform."""


LEDGER_STEPS = ("queued", "scheduled", "pulled", "started", "flow_called", "flow_ended", "finished")
"""Steps of the latency ledger in the order in which they are reached. A platform reports those that it has."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a run did not succeed."""

    failure_class: FailureClass = field(metadata={"key": "class"})
    """The kind of failure."""
    message: str
    """One sentence: what happened."""
    detail: str | None = None
    """The traceback, or what else helps to understand the message."""
    next_step: str | None = None
    """One sentence: what to do about it."""
    evidence: str | None = None
    """The platform's own words."""


@dataclass(frozen=True, kw_only=True)
class LogSummary:
    """What the flow printed, so that a reader can prove to have every line."""

    lines: int = 0
    """Number of lines, a last one without a newline included."""
    sha256: str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    """SHA-256 of all bytes, as lower-case hexadecimal digits. Default: that of no bytes."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One file that the run leaves behind."""

    name: str
    """Path below the run's artifact folder."""
    path: str
    """Where it lies: an absolute path or a URL."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The one record of a run: its end, or how it stands when it has not ended."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    """The run's id."""
    attempt: int = 1
    """The attempt that this outcome is of, from 1."""
    environment: str | None = None
    """Name of the environment that it ran in; null when the document could not be read."""
    kind: str | None = None
    """Kind of that environment; null when the document could not be read."""
    flow: str | None = None
    """The flow, as it was named in the run request; null when that could not be read."""
    state: State
    """Where the run stands."""
    exit_code: int | None = None
    """Exit code of the run; null while it has not ended."""
    failure: Failure | None = None
    """Why it did not succeed; null when it did, or has not ended."""
    waiting: Failure | None = None
    """What a queued run waits for: its class, and the platform's words; null when nothing keeps it."""
    result: object = None
    """The flow's return value, when that is JSON of at most 256 KiB."""
    result_repr: str | None = None
    """What the flow returned in words, when `result` cannot carry it."""
    ledger: Mapping[str, float] = field(default_factory=dict)
    """Seconds from the run's acceptance to each step that was reached."""
    log: LogSummary = field(default_factory=LogSummary)
    """Size and hash of what the flow printed."""
    artifacts: tuple[Artifact, ...] = ()
    """Files that the run leaves behind, by name."""
    partial: bool = False
    """Whether something was left out because the platform keeps small records only; the run's log has the whole."""
