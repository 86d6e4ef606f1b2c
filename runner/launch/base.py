"""What every launcher can do. One file per platform beside this one; `penstock` knows nothing of platforms."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from runner.environment import Environment
from runner.errors import UnavailableError
from runner.outcome import Failure, Outcome
from runner.request import RunRequest


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Which cluster or account of the user's is meant; each platform takes what it knows."""

    kubeconfig: str | None = None
    """Kubeconfig file; null for kubectl's choice."""
    context: str | None = None
    """Context of the kubeconfig; null for its current one."""
    profile: str | None = None
    """Profile of AWS' files; null for what the environment says."""
    region: str | None = None
    """AWS region; null for that of the environment document, or of the profile where there is none yet."""


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """A run as a launcher finds it."""

    outcome: Outcome
    """How it stands, or how it ended."""
    accepted_at: float
    """When the attempt was accepted, in seconds since 1970."""


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What `penstock gc` removes of one platform."""

    runs: tuple[str, ...]
    """Ids of runs."""
    leftovers: tuple[str, ...]
    """What belongs to no run."""
    kept: int
    """Number of runs whose records stay."""
    troubles: tuple[str, ...] = ()
    """What could not be looked for, or removed, in sentences."""


class NotStartedError(UnavailableError):
    """The platform did not start the run.

    Args:
        failure: why not.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.message} {failure.next_step or ''}".strip())
        self.failure = failure


class Launcher(Protocol):
    """Turns run requests into processes, Jobs or tasks, and looks after them."""

    def submit(
        self,
        environment: Environment,
        request: RunRequest,
        *,
        bundle: bytes | None = None,
        notice: Callable[[str], object] = lambda _: None,
    ) -> bool:
        """Start the run, once.

        When this returns, the run exists: a repeated call with the same request starts nothing.

        Args:
            environment: where it is to run.
            request: what is to run.
            bundle: the zip that the request's `bundle` describes.
            notice: called with a sentence about what the start waits for, on a platform that does not queue.

        Returns:
            Whether it was started by this call, rather than by an earlier one.

        Raises:
            UsageError: a run of this id exists with another request.
            NotStartedError: the platform did not start it, and said why.
            UnavailableError: the platform cannot take it.
        """

    def retry(self, run_id: str) -> int:
        """Start the next attempt of a run that has ended; the result is that attempt's number."""

    def follow(
        self,
        run_id: str,
        write: Callable[[bytes], object],
        *,
        skip: int = 0,
        notice: Callable[[str], object] = lambda _: None,
        dashboard: bool = False,
    ) -> Outcome:
        """Pass on the run's output until the run has ended; the result is its outcome.

        Args:
            run_id: the run.
            write: called with the bytes as they come.
            skip: number of bytes at the beginning that are not wanted.
            notice: called with a sentence about what the run waits for, or where its dashboard is.
            dashboard: whether Dask's dashboard of the run is to be reached from this machine meanwhile.

        Raises:
            UsageError: the run has no dashboard, and it is asked for.
        """

    def log(self, run_id: str, *, tail: int | None = None, attempt: int | None = None) -> bytes:
        """What the run has printed.

        Args:
            run_id: the run.
            tail: only that many lines at the end; null for all.
            attempt: of this attempt; null for the last one.
        """

    def worker_log(self, run_id: str, *, attempt: int | None = None) -> bytes:
        """What the workers of the run have printed, each line with its worker.

        Args:
            run_id: the run.
            attempt: of this attempt; null for the last one.

        Raises:
            UsageError: the run has no workers whose output is apart from its own, or none of it is kept.
        """

    def follow_workers(self, run_id: str, write: Callable[[bytes], object]) -> Outcome:
        """Pass on what the run's workers print, each line with its worker, until the run has ended.

        Args:
            run_id: the run.
            write: called with whole lines as they come.
        """

    def stop(self, run_id: str, *, interrupt: bool = False) -> None:
        """Ask the run to stop within its grace. A run that has ended is left as it is.

        Args:
            run_id: the run.
            interrupt: whether it was interrupted at a terminal, where the platform can tell that apart.
        """

    def find(self, run_id: str, *, attempt: int | None = None) -> RunRecord:
        """How the run stands.

        Args:
            run_id: the run.
            attempt: how this attempt ended; null for the last one.

        Raises:
            UsageError: there is no such run, or attempt.
        """

    def runs(self) -> Iterator[RunRecord]:
        """All runs that there are records of, in no order."""

    def collect(self, *, dry_run: bool) -> Collected:
        """Remove the records of runs that ended longer ago than their environment's retention, and leftovers.

        Args:
            dry_run: only tell what would be removed.
        """
