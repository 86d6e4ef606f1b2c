"""The environment document: what a provisioned environment is, as its Pulumi stack tells the client and the runner.

It is the only thing that crosses from infrastructure to running. The reader decides what it can read: of its own
version it warns about keys that it does not know, any other version it refuses.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from runner.contract import broken_rule, option, read_document
from runner.sections import (
    ARN,
    ARN_MEANING,
    LONGEST_GRACE_SECONDS,
    NAME,
    NAME_MEANING,
    DaskCloudProvider,
    DaskKubernetes,
    FargateTask,
    Kind,
    KubernetesJob,
    Local,
    Resources,
)

SCHEMA_VERSION = 1
SUBJECT = "environment document"
NEXT_STEP = "Provision it anew with `pulumi up`, then `penstock env pull`."

LABEL = r"[A-Za-z0-9]([A-Za-z0-9._/=-]{0,61}[A-Za-z0-9])?"
LABEL_MEANING = "a label of at most 63 letters, digits and . _ / = -"
VARIABLE = r"(?!PENSTOCK_)[A-Za-z_][A-Za-z0-9_]*"
VARIABLE_MEANING = "the name of an environment variable, not beginning with PENSTOCK_"
IMAGE = r"[A-Za-z0-9][\w.:/@-]*"
IMAGE_MEANING = "an image reference such as registry.example/team/image@sha256:..."
FUNCTION = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*"
FUNCTION_MEANING = "module:function"
LONGEST_SECONDS = 10 * 365 * 24 * 3600
"""Ten years: longer than any run or record, and a time that every clock can add to now."""


def seconds(default: float | None, *, zero: bool = False) -> Any:
    """A field that holds a time in seconds, of at most ten years."""
    if zero:
        return option(default, minimum=0, maximum=LONGEST_SECONDS, meaning="seconds, from 0 to ten years")
    return option(default, above=0, maximum=LONGEST_SECONDS, meaning="seconds, more than 0 and at most ten years")


class ExecutorType(StrEnum):
    """Where the work inside a flow runs."""

    INLINE = "inline"
    """In the flow's own process."""
    DASK = "dask"
    """On a Dask cluster: the one at `address`, else one of local processes that lives as long as the run."""


class LogLevel(StrEnum):
    """Levels of Python's logging."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class SecretSource(StrEnum):
    """Stores that a secret reference can point into."""

    KUBERNETES_SECRET = "kubernetes-secret"
    AWS_SECRET = "aws-secret"


@dataclass(frozen=True, kw_only=True)
class SecretReference:
    """Where the value of a secret variable lives. The value itself is in no document."""

    env: str = option(pattern=VARIABLE, meaning=VARIABLE_MEANING)
    """Environment variable of the flow that gets the value."""
    source: SecretSource
    """Store of the secret."""
    id: str
    """Name of the Secret, or ARN of the Secrets Manager secret or Systems Manager parameter."""
    key: str | None = None
    """Key inside the secret; null for the whole of it, which a Kubernetes Secret does not have."""


@dataclass(frozen=True, kw_only=True)
class TlsFiles:
    """Files that authenticate the client of a Dask cluster, on the machine where the flow runs."""

    ca_file: str
    """Certificate of the authority that signed the scheduler's, PEM."""
    cert_file: str
    """The client's certificate, PEM."""
    key_file: str
    """The client's private key, PEM."""


@dataclass(frozen=True, kw_only=True)
class Executor:
    """How the work inside a flow runs."""

    type: ExecutorType = ExecutorType.INLINE
    """`inline` (default) or `dask`."""
    workers: int | None = option(None, minimum=1)
    """Number of worker processes of a local Dask cluster; null for distributed's choice for the machine."""
    threads_per_worker: int | None = option(None, minimum=1)
    """Threads of each worker process; null for distributed's choice."""
    memory_limit_mib: int | None = option(None, minimum=1)
    """Memory of each worker process in MiB, at which it is restarted; null for an equal share of the machine's."""
    dashboard: bool = False
    """Whether the run's own cluster serves Dask's dashboard, on 127.0.0.1 where the flow runs. Default: no."""
    address: str | None = option(
        None, pattern=r"(tcp|tls|ws|wss)://[^\s/]+", meaning="an address such as tls://host:8786"
    )
    """Address of a Dask scheduler that exists already; null to open a cluster for the run."""
    tls: TlsFiles | None = None
    """Files for a `tls://` address; null for those that Dask's own configuration names."""
    performance_report: bool = True
    """Whether Dask's performance report, where bokeh is installed, and a picture of its task stream are kept with the
    run. Default: yes."""

    def __post_init__(self) -> None:
        """Refuse combinations that contradict themselves."""
        sizes = ("workers", "threads_per_worker", "memory_limit_mib")
        given = [name for name in (*sizes, "address", "tls") if getattr(self, name) is not None]
        if self.type is ExecutorType.INLINE and given:
            raise broken_rule(given[0], "given for an inline executor", "the type dask with it")
        local_only = [name for name in sizes if name in given] + (["dashboard"] if self.dashboard else [])
        if self.address is not None and local_only:
            raise broken_rule(local_only[0], "given beside an address", "one of both: that cluster has its own size")
        if self.tls is not None and not (self.address or "").startswith(("tls://", "wss://")):
            raise broken_rule("tls", "given without a tls:// address", "an address that begins with tls://")


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """The user's functions around the flow, each as `module:function` that the flow's process can import."""

    on_execute: str | None = option(None, pattern=FUNCTION, meaning=FUNCTION_MEANING)
    """Called with the parameters and the cluster's options before a cluster opens; returns the options to change."""
    on_start: str | None = option(None, pattern=FUNCTION, meaning=FUNCTION_MEANING)
    """Called without arguments right before the flow."""
    on_exit: str | None = option(None, pattern=FUNCTION, meaning=FUNCTION_MEANING)
    """Called once with the outcome, whatever happened before."""


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """The clocks of a run, each of its own, in seconds."""

    queue_seconds: float | None = seconds(None)
    """From acceptance until a place is found; null (default) for no limit. A local run never queues."""
    start_seconds: float | None = seconds(None)
    """From the place until the runner is up; null (default) for no limit. A local run starts at once."""
    run_seconds: float | None = seconds(None)
    """From the runner's start until the flow must have ended; null (default) for no limit."""
    grace_seconds: float = seconds(30)
    """From the request to stop until the flow is killed. Default 30, Kubernetes' own."""


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How long the records of finished runs stay before `penstock gc` removes them."""

    succeeded_seconds: float = seconds(7 * 24 * 3600, zero=True)
    """Of runs that succeeded. Default: a week."""
    failed_seconds: float = seconds(30 * 24 * 3600, zero=True)
    """Of all others. Default: 30 days."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """What of Python's logging the run shows."""

    level: LogLevel = LogLevel.INFO
    """Level of the root logger. Default INFO."""
    extra_loggers: tuple[str, ...] = ()
    """Loggers that are shown from DEBUG on, whatever `level` is."""


class Action(StrEnum):
    """What is done about a failure."""

    FAIL = "fail"
    """The run has failed."""
    RETRY = "retry"
    """The run is started again: on Kubernetes by the cluster, in the same attempt; on ECS by the client that follows
    it, as its next attempt."""


@dataclass(frozen=True, kw_only=True)
class FailurePolicy:
    """Which failures end a run, and which start it again."""

    retries: int = option(0, minimum=0, maximum=100)
    """How often a run is started again in all, preemptions not counted. Default: never."""
    flow: Action = Action.FAIL
    """When the flow raised. Default: fail."""
    crash: Action = Action.FAIL
    """When the flow's process was ended by a signal. Default: fail."""
    oom: Action = Action.FAIL
    """When it was killed for memory. Default: fail."""
    preempted: Action = Action.RETRY
    """When the platform took its place away. Default: retry, without counting."""

    def __post_init__(self) -> None:
        """Refuse a count without a use, and a use without a count."""
        counted = [name for name in ("flow", "crash", "oom") if getattr(self, name) is Action.RETRY]
        if counted and not self.retries:
            raise broken_rule("retries", "0", f"at least 1, since {counted[0]} is retry")
        if self.retries and not counted:
            raise broken_rule("retries", str(self.retries), "0, since neither flow nor crash nor oom is retry")


@dataclass(frozen=True, kw_only=True)
class Producer:
    """Who wrote the document; for messages only."""

    version: str
    """Version of penstock."""
    project: str
    """Pulumi project."""
    stack: str
    """Pulumi stack."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A place where flows run."""

    schema_version: int = SCHEMA_VERSION
    kind: Kind
    """Kind of the environment; the section of that name holds what is particular to it."""
    name: str = option(pattern=NAME, meaning=NAME_MEANING)
    """The environment's name."""
    routing_labels: tuple[str, ...] = option((), pattern=LABEL, meaning=LABEL_MEANING)
    """Labels by which `penstock run --label` finds the environment."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The user's own notes; without effect."""
    image: str | None = option(None, pattern=IMAGE, meaning=IMAGE_MEANING)
    """Container image, a digest preferred; null for a local environment."""
    resources: Resources | None = None
    """What a run asks for; null for a local environment, which limits nothing."""
    env: Mapping[str, str] = option({}, keys=VARIABLE, keys_meaning=VARIABLE_MEANING)
    """Environment variables of every run."""
    secrets: tuple[SecretReference, ...] = ()
    """Environment variables whose values live in a secret store."""
    executor: Executor = field(default_factory=Executor)
    """How the work inside a flow runs."""
    callbacks: Callbacks = field(default_factory=Callbacks)
    """The user's functions around the flow."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    """The clocks of a run."""
    retention: Retention = field(default_factory=Retention)
    """How long records of finished runs stay."""
    log: Log = field(default_factory=Log)
    """What of Python's logging a run shows."""
    failure_policy: FailurePolicy = field(default_factory=FailurePolicy)
    """Which failures end a run, and which start it again."""
    local: Local | None = None
    """Section of kind `local`."""
    kubernetes_job: KubernetesJob | None = None
    """Section of kind `kubernetes-job`."""
    dask_kubernetes: DaskKubernetes | None = None
    """Section of kind `dask-kubernetes`."""
    fargate_task: FargateTask | None = None
    """Section of kind `fargate-task`."""
    dask_cloud_provider: DaskCloudProvider | None = None
    """Section of kind `dask-cloud-provider`."""
    producer: Producer | None = None
    """Who wrote the document."""

    def __post_init__(self) -> None:
        """Refuse what no single field shows."""
        sections = {kind: kind.value.replace("-", "_") for kind in Kind}
        for kind, name in sections.items():
            if kind is self.kind and getattr(self, name) is None:
                raise broken_rule(name, "missing", f"the section of kind {kind.value}")
            if kind is not self.kind and getattr(self, name) is not None:
                raise broken_rule(name, "given", f"only {sections[self.kind]}, the section of kind {self.kind.value}")
        if len(set(self.routing_labels)) != len(self.routing_labels):
            raise broken_rule("routing_labels", f"a list with {_twice(self.routing_labels)!r} twice", "each label once")
        if self.kind is Kind.LOCAL:
            self._refuse_for_local()
        else:
            self._refuse_for_containers()

    @property
    def on_kubernetes(self) -> KubernetesJob | DaskKubernetes | None:
        """The section of a kind whose runs are Jobs; null for any other."""
        return self.kubernetes_job or self.dask_kubernetes

    @property
    def on_ecs(self) -> FargateTask | None:
        """The section of a kind whose runs are tasks of ECS; null for any other."""
        return self.fargate_task or self.dask_cloud_provider

    @property
    def with_workers(self) -> DaskKubernetes | DaskCloudProvider | None:
        """The section of a kind whose runs have Dask workers that the environment provisions; null for any other."""
        return self.dask_kubernetes or self.dask_cloud_provider

    def _refuse_for_local(self) -> None:
        for name in ("image", "resources"):
            if getattr(self, name) is not None:
                raise broken_rule(name, "given", "null: a local run is a process of this machine")
        if self.secrets:
            raise broken_rule("secrets", "given", "none: a local run takes secret values from the shell it starts in")
        if self.failure_policy != FailurePolicy():
            raise broken_rule("failure_policy", "given", "none: a local run is started once")

    def _refuse_for_containers(self) -> None:
        for name in ("image", "resources"):
            if getattr(self, name) is None:
                raise broken_rule(name, "missing", f"what every run of kind {self.kind.value} needs")
        source = SecretSource.AWS_SECRET if self.on_ecs else SecretSource.KUBERNETES_SECRET
        for i, secret in enumerate(self.secrets):
            if secret.source is not source:
                raise broken_rule(f"secrets[{i}].source", secret.source.value, source.value)
            if source is SecretSource.KUBERNETES_SECRET and secret.key is None:
                raise broken_rule(f"secrets[{i}].key", "missing", "the key inside the Secret")
            if source is SecretSource.AWS_SECRET and re.fullmatch(ARN, secret.id) is None:
                raise broken_rule(f"secrets[{i}].id", repr(secret.id), ARN_MEANING)
        variables = [secret.env for secret in self.secrets] + list(self.env)
        if len(set(variables)) != len(variables):
            twice = _twice(tuple(variables))
            raise broken_rule("secrets", f"a second value for {twice}", "each variable once, in env or in secrets")
        if self.with_workers is not None:
            self._refuse_for_dask()
        if self.on_ecs is not None:
            self._refuse_for_ecs()

    def _refuse_for_ecs(self) -> None:
        for name in ("cpu_limit_millicores", "memory_limit_mib"):
            if getattr(self.resources, name) is not None:
                raise broken_rule(f"resources.{name}", "given", "none: a task gets what it asks for, and no more")
        if self.timeouts.grace_seconds > LONGEST_GRACE_SECONDS:
            found, most = f"{self.timeouts.grace_seconds:g}", f"at most {LONGEST_GRACE_SECONDS}, since ECS kills at 120"
            raise broken_rule("timeouts.grace_seconds", found, most)

    def _refuse_for_dask(self) -> None:
        if self.executor.type is not ExecutorType.DASK:
            raise broken_rule(
                "executor.type", self.executor.type.value, f"dask: a {self.kind.value} environment is that"
            )
        for name in ("workers", "threads_per_worker", "memory_limit_mib", "address", "tls"):
            if getattr(self.executor, name) is not None:
                raise broken_rule(
                    f"executor.{name}", "given", "none: the kind's own section says how large workers are"
                )


def _twice(items: tuple[str, ...]) -> str:
    return next(item for item in items if items.count(item) > 1)


def read(data: bytes | str, *, warn: Callable[[str], None]) -> Environment:
    """The environment of a document.

    Args:
        data: the document's JSON.
        warn: called with one sentence for each key that is not known.

    Raises:
        ContractError: the document is not one, or not of the version that this reader knows.
    """
    return read_document(Environment, data, version=SCHEMA_VERSION, subject=SUBJECT, next_step=NEXT_STEP, warn=warn)
