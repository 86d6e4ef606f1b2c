"""What runs on Kubernetes are made from, whichever environment they are of."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from components import job_spec, job_template
from components.document import Draft
from components.naming import child_name
from components.project import project_folder

RESOURCES: Mapping[str, int] = {"cpu_millicores": 500, "memory_mib": 1024}
"""What a run asks for unless told otherwise: half a core, and memory for a flow with pandas."""

TIMEOUTS: Mapping[str, int] = {"start_seconds": 900}
"""A pull of an image of some GB on a node that has just been started takes minutes, not a quarter of an hour."""

POD_OPTIONS = ("labels", "service_account_name", "image_pull_secrets", "pod_annotations", "volumes", "service_mesh")
"""Arguments that every pod of a run is made from."""

JOB_OPTIONS = (
    *POD_OPTIONS,
    *("queue_name", "failure_policy", "resources"),
    *("priority_class_name", "node_selector", "tolerations", "affinity"),
)
"""Arguments that the Job of every run is made from, beside `job_spec`."""

STAND_INS: Mapping[str, Any] = {"image": "unknown", "resources": RESOURCES}
"""What takes the place of parts of the document that are not known at preview."""


def listed(args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with a list where names were given as one text with commas."""
    names = args.get("image_pull_secrets")
    if not isinstance(names, str):
        return dict(args)
    return {**args, "image_pull_secrets": [name.strip() for name in names.split(",") if name.strip()]}


class Runs:
    """Where runs take place, and the Job that each is made from. Registers nothing.

    Args:
        draft: the arguments.
        name: the component's name.
        token: whether runs have a token for the cluster's API.

    Raises:
        ArgumentError: what is known of the arguments is wrong.
    """

    environment: str
    """The environment's name."""
    namespace: str
    """The one source of the namespace's name."""
    account: str
    """Service account of pods of which nothing else says another."""
    registry_secret: str | None
    """Name of the Secret made from `registry_credentials`; None without one."""
    job: Any
    """The Job; an Output where an argument is one."""
    resources: Any
    """What the document says that a run asks for; an Output where an argument is one."""

    def __init__(self, draft: Draft, name: str, *, token: bool = False) -> None:
        self.draft = draft
        self.environment = draft.plain("environment_name", name)
        self.namespace = draft.plain("namespace", self.environment)
        self.account = child_name(self.environment, "runner")
        self.registry_secret = child_name(self.environment, "registry") if draft.has("registry_credentials") else None
        self._spec = draft.derive(partial(job_spec.read, folder=project_folder()), "job_spec")
        self.job = draft.derive(
            partial(job_template.job_template, self.environment, self.namespace, token=token),
            *JOB_OPTIONS,
            job_spec=self._spec,
            service_account=self.account,
            registry_secret=self.registry_secret,
        )
        self.resources = draft.derive(_filled(RESOURCES, "resources"), "resources")

    def parts(self) -> dict[str, Any]:
        """Parts of the document that are more than an argument."""
        return {
            "image": self.draft.derive(job_template.image, "image", job_spec=self._spec),
            "resources": self.resources,
            "timeouts": self.draft.derive(_filled(TIMEOUTS, "timeouts"), "timeouts"),
            "secrets": self.draft.derive(job_template.secret_references, "secrets"),
        }


def _filled(defaults: Mapping[str, int], argument: str) -> Any:
    """A function that fills defaults into a group of arguments."""

    def fill(**given: Mapping[str, Any]) -> dict[str, Any]:
        return {**defaults, **given.get(argument, {})}

    return fill
