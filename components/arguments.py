"""The groups of arguments that environment components share, as Pulumi's schema inference wants them.

They mirror the dataclasses of `runner.environment`, which hold the defaults and the rules: a key that is not given
here is not in the document's source either, so no default is written twice.

Pulumi reads the annotations at run time: `from __future__ import annotations` and `Literal` break it.
"""

from typing import NotRequired, TypedDict

import pulumi

from runner.environment import Action, ExecutorType, LogLevel


class TlsFileOptions(TypedDict):
    """Files that authenticate the client of a Dask cluster, on the machine where the flow runs."""

    ca_file: pulumi.Input[str]
    """Certificate of the authority that signed the scheduler's, PEM."""
    cert_file: pulumi.Input[str]
    """The client's certificate, PEM."""
    key_file: pulumi.Input[str]
    """The client's private key, PEM."""


class ExecutorOptions(TypedDict):
    """How the work inside a flow runs."""

    type: NotRequired[pulumi.Input[ExecutorType]]
    """`inline` (default), in the flow's own process, or `dask`."""
    workers: NotRequired[pulumi.Input[int]]
    """Worker processes of a local Dask cluster. Default: distributed's choice for the machine."""
    threads_per_worker: NotRequired[pulumi.Input[int]]
    """Threads of each worker process. Default: distributed's choice."""
    memory_limit_mib: NotRequired[pulumi.Input[int]]
    """Memory of each worker process in MiB, at which it is restarted. Default: an equal share of the machine's."""
    dashboard: NotRequired[pulumi.Input[bool]]
    """Whether the run's own cluster serves Dask's dashboard, on 127.0.0.1 where the flow runs. Default: no."""
    address: NotRequired[pulumi.Input[str]]
    """Address of a Dask scheduler that exists already, such as `tls://host:8786`. Default: a cluster for each run."""
    tls: NotRequired[pulumi.Input[TlsFileOptions]]
    """Files for a `tls://` address. Default: those that Dask's own configuration names."""
    performance_report: NotRequired[pulumi.Input[bool]]
    """Whether Dask's performance report is kept with the run. Default: yes, where bokeh is installed."""


class LocalTimeouts(TypedDict):
    """The clocks of a local run, in seconds. It never queues and starts at once, so it has two."""

    run_seconds: NotRequired[pulumi.Input[float]]
    """From the runner's start until the flow must have ended. Default: no limit."""
    grace_seconds: NotRequired[pulumi.Input[float]]
    """From the request to stop until the flow is killed. Default: 30."""


class RetentionOptions(TypedDict):
    """How long the records of finished runs stay before `penstock gc` removes them."""

    succeeded_seconds: NotRequired[pulumi.Input[float]]
    """Of runs that succeeded. Default: a week."""
    failed_seconds: NotRequired[pulumi.Input[float]]
    """Of all others. Default: 30 days."""


class LogOptions(TypedDict):
    """What of Python's logging a run shows."""

    level: NotRequired[pulumi.Input[LogLevel]]
    """Level of the root logger. Default: INFO."""
    extra_loggers: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Loggers that are shown from DEBUG on, whatever `level` is. Default: none."""


class FailurePolicyOptions(TypedDict):
    """Which failures end a run, and which start it again."""

    retries: NotRequired[pulumi.Input[int]]
    """How often a run is started again in all, preemptions not counted. Default: never."""
    flow: NotRequired[pulumi.Input[Action]]
    """When the flow raised. Default: fail."""
    crash: NotRequired[pulumi.Input[Action]]
    """When the flow's process was ended by a signal. Default: fail."""
    oom: NotRequired[pulumi.Input[Action]]
    """When it was killed for memory. Default: fail."""
    preempted: NotRequired[pulumi.Input[Action]]
    """When the platform took its place away. Default: retry, without counting."""
