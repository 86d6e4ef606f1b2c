"""One attempt to run a flow, as the supervisor and the flow's process both see it."""

from dataclasses import dataclass, replace

from runner.environment import Callbacks, Environment, Executor, ExecutorType, Log
from runner.request import Bundle, RunRequest, WorkerCount
from runner.sections import DaskKubernetes

SCHEDULER_LOGGER = "distributed.scheduler"
KUBERNETES_LOGGER = "penstock.kubernetes"
"""Loggers that an environment's `scheduler_logs` and `log_k8s_errors` show."""


@dataclass(frozen=True, kw_only=True)
class Code:
    """The user's code, when it travels with the run."""

    archive: str | bytes
    """The bundle's file, or the bundle itself."""
    bundle: Bundle
    """Size and hash that it must have."""
    folder: str
    """Where it is unpacked, the flow's working directory: does not exist before, and is gone after the run."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What to run, and where its records go."""

    environment: Environment
    request: RunRequest
    outcome_file: str | None
    """File that holds the outcome, from the start on; null for none."""
    outcome_limit: int | None
    """Bytes that the platform keeps of that file; null for as many as there are."""
    trailer: bool
    """Whether the outcome and small artifacts end the run's log."""
    awslogs: bool
    """Whether that log goes through Docker's awslogs driver."""
    artifacts: str | None
    """Folder for the files that the run leaves behind; null for none."""
    artifacts_to: str | None = None
    """Place in a bucket that these go to in the end, as `s3:REGION:BUCKET/PREFIX`; null for none, and the log."""
    code: Code | None
    """The code that travels with the run; null when it is where the runner is."""
    warnings: tuple[str, ...]
    """What the reader of the inputs has to say, in sentences."""
    lock_fd: int | None
    """File descriptor whose lock tells that the attempt is running; the runner's process id is written to it."""
    started_at: float
    """When the runner started, in seconds since 1970."""

    @property
    def run_seconds(self) -> float | None:
        """The time limit in force."""
        return self.request.run_seconds or self.environment.timeouts.run_seconds

    @property
    def deadline(self) -> float | None:
        """When the flow must have ended, in seconds since 1970; null for never."""
        return None if self.run_seconds is None else self.started_at + self.run_seconds

    @property
    def executor(self) -> Executor:
        """The executor in force."""
        return self.request.executor or self.environment.executor

    @property
    def log(self) -> Log:
        """The logging in force."""
        log = self.request.log or self.environment.log
        section = self.environment.with_workers
        if section is None:
            return log
        wanted = {SCHEDULER_LOGGER: section.scheduler_logs}
        if isinstance(section, DaskKubernetes):
            wanted[KUBERNETES_LOGGER] = section.log_k8s_errors
        shown = [name for name, is_shown in wanted.items() if is_shown and name not in log.extra_loggers]
        return replace(log, extra_loggers=(*log.extra_loggers, *shown))

    @property
    def workers(self) -> WorkerCount | None:
        """How many workers the run's own Dask cluster has; null where the environment provisions none."""
        section = self.environment.with_workers
        if section is None or self.executor.type is not ExecutorType.DASK or self.executor.address is not None:
            return None
        return self.request.workers or WorkerCount(min_workers=section.min_workers, max_workers=section.max_workers)

    @property
    def callbacks(self) -> Callbacks:
        """The callbacks in force: each of the request, else of the environment."""
        asked, default = self.request.callbacks, self.environment.callbacks
        return Callbacks(
            on_execute=asked.on_execute or default.on_execute,
            on_start=asked.on_start or default.on_start,
            on_exit=asked.on_exit or default.on_exit,
        )
