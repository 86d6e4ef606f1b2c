"""The run request: what the client asks the runner to run. Versioned and read like the environment document."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from runner.contract import broken_rule, option, read_document, to_bytes
from runner.environment import IMAGE, IMAGE_MEANING, Callbacks, Environment, Executor, Log, seconds
from runner.errors import ContractError

SCHEMA_VERSION = 1
SUBJECT = "run request"
NEXT_STEP = "Start the run with `penstock run` of the same version as the runner."

WORKERS_STEP = "Ask for fewer, or raise max_workers of the stack and `pulumi up`."

RUN_ID = r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?"
"""At most 40 characters, so that environment, run id and attempt fit the 63 of a Kubernetes name after truncation."""
RUN_ID_MEANING = "at most 40 lower-case letters, digits and inner hyphens"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The user's code, as a zip that is known by its content."""

    sha256: str = option(pattern=r"[0-9a-f]{64}", meaning="64 lower-case hexadecimal digits")
    """SHA-256 of the zip, as lower-case hexadecimal digits."""
    size: int = option(minimum=1)
    """Size of the zip, in bytes."""


@dataclass(frozen=True, kw_only=True)
class WorkerCount:
    """How many Dask workers the run has, within the range of its environment."""

    min_workers: int = option(minimum=0)
    """Fewest workers."""
    max_workers: int = option(minimum=1)
    """Most workers; as many as the fewest for a cluster of fixed size."""

    def __post_init__(self) -> None:
        """Refuse a range that is none."""
        if self.min_workers > self.max_workers:
            raise broken_rule("min_workers", str(self.min_workers), f"at most the {self.max_workers} of max_workers")


@dataclass(frozen=True, kw_only=True)
class Size:
    """What a run asks for of its own."""

    cpu_millicores: int | None = option(None, minimum=1)
    """Processor time, in thousandths of a core; null for the environment's."""
    memory_mib: int | None = option(None, minimum=1)
    """Memory, in MiB; null for the environment's."""


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """One attempt to run a flow."""

    schema_version: int = SCHEMA_VERSION
    run_id: str = option(pattern=RUN_ID, meaning=RUN_ID_MEANING)
    """Chosen before anything is created; everything of the run is named by it."""
    attempt: int = option(1, minimum=1)
    """Number of the attempt, from 1."""
    accepted_at: float = option(minimum=0)
    """When the client accepted the run, in seconds since 1970 (UTC): zero of the latency ledger."""
    flow: str = option(pattern=r"\S(.*\S)?", meaning="module:function, file.py:function or file.py")
    """`module:function`, `file.py:function`, or `file.py` for a whole script."""
    parameters: Mapping[str, object] = field(default_factory=dict)
    """Arguments of a function, by name. Text is converted to what the function's annotation asks for."""
    arguments: tuple[str, ...] = ()
    """Command-line arguments of a script."""
    bundle: Bundle | None = None
    """The code that travels with the run; null when it is where the runner is: on this machine, or in the image."""
    image: str | None = option(None, pattern=IMAGE, meaning=IMAGE_MEANING)
    """Container image of this run; null for the environment's."""
    callbacks: Callbacks = field(default_factory=Callbacks)
    """Callbacks of this run; one that is null is the environment's."""
    executor: Executor | None = None
    """How the work inside this run goes; null for the environment's executor."""
    size: Size | None = None
    """What this run asks for, on a platform that takes it; null for what the environment says."""
    workers: WorkerCount | None = None
    """Size of this run's Dask cluster, where the environment provisions one; null for the environment's."""
    run_seconds: float | None = seconds(None)
    """Time limit of this run, from the runner's start; null for the environment's."""
    log: Log | None = None
    """What of Python's logging this run shows; null for what the environment says."""


def fingerprint(asked: RunRequest) -> str:
    """SHA-256 of what was asked for; it is the same for a repeated request and for the next attempt."""
    import hashlib  # clients need it, runners do not

    return hashlib.sha256(to_bytes(replace(asked, accepted_at=0.0, attempt=1))).hexdigest()


def check_workers(environment: Environment, count: WorkerCount, *, subject: str) -> None:
    """Refuse more workers than the environment may have.

    Raises:
        ContractError: it has no workers, or not so many.
    """
    section = environment.with_workers
    if section is None:
        path, found, expected = "workers", "given", "none: the environment provisions no workers"
    elif count.max_workers > section.max_workers:
        path, found = "max_workers", str(count.max_workers)
        expected = f"at most the {section.max_workers} that the stack allows"
    else:
        return
    raise ContractError(path=path, found=found, expected=expected, subject=subject, next_step=WORKERS_STEP)


def read(data: bytes | str, *, warn: Callable[[str], None]) -> RunRequest:
    """The request in a JSON text.

    Args:
        data: the request's JSON.
        warn: called with one sentence for each key that is not known.

    Raises:
        ContractError: it is not a request, or not of the version that this reader knows.
    """
    return read_document(RunRequest, data, version=SCHEMA_VERSION, subject=SUBJECT, next_step=NEXT_STEP, warn=warn)
