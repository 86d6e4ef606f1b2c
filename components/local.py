"""Environment of kind `local`: flows run as processes of the machine on which `penstock run` is called.

Creates nothing in a cloud. What it is for: the same flow, command and checks as in every other environment.
"""

from typing import Any, NotRequired, TypedDict

import pulumi

from components.arguments import ExecutorOptions, LocalTimeouts, LogOptions, RetentionOptions
from components.document import PACKAGE, Draft
from runner.sections import Kind


class LocalEnvironmentArgs(TypedDict):
    """Arguments of a LocalEnvironment; every one of them may be left out."""

    environment_name: NotRequired[pulumi.Input[str]]
    """Name by which `penstock run --env` finds it: a DNS label in lower case. Default: the component's own name."""
    routing_labels: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Labels by which `penstock run --label` finds it. Default: none."""
    metadata: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Your own notes, without effect. Default: none."""
    env: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Environment variables of every run; plain text, never a secret. Default: none."""
    executor: NotRequired[pulumi.Input[ExecutorOptions]]
    """How the work inside a flow runs. Default: in the flow's own process."""
    on_execute: NotRequired[pulumi.Input[str]]
    """Called with the parameters and the cluster's options, to change them. As `module:function`. Default: none."""
    on_start: NotRequired[pulumi.Input[str]]
    """Called without arguments right before the flow. As `module:function`. Default: none."""
    on_exit: NotRequired[pulumi.Input[str]]
    """Called once with the outcome, whatever happened before. As `module:function`. Default: none."""
    timeouts: NotRequired[pulumi.Input[LocalTimeouts]]
    """The clocks of a run. Default: no limit, 30 seconds of grace."""
    retention: NotRequired[pulumi.Input[RetentionOptions]]
    """How long records of finished runs stay. Default: a week, 30 days when failed."""
    log: NotRequired[pulumi.Input[LogOptions]]
    """What of Python's logging a run shows. Default: INFO."""
    working_directory: NotRequired[pulumi.Input[str]]
    """Absolute path of the folder that flows run in. Default: the one in which `penstock run` is called."""
    python: NotRequired[pulumi.Input[str]]
    """Absolute path of the Python that runs flows, with penstock installed. Default: the one that runs `penstock`."""


class LocalEnvironment(pulumi.ComponentResource):
    """The machine on which `penstock run` is called, as a place where flows run."""

    environment: pulumi.Output[dict[str, Any]]
    """The environment document; holds no secret."""

    def __init__(self, name: str, args: LocalEnvironmentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        draft = Draft(Kind.LOCAL, name, args, LocalEnvironmentArgs)
        document = draft.document(draft.part("working_directory", "python"))
        super().__init__(f"{PACKAGE}:index:LocalEnvironment", name, draft.inputs, opts)
        self.environment = document
        self.register_outputs({"environment": self.environment})
