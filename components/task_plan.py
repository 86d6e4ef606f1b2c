"""What runs on ECS are made from: everything about a task that is known before anything is registered.

Guarantees: what is known of the arguments is checked when the plan is made; registers nothing, looks nothing up.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import pulumi

from components import bucket_rules, ecs_containers, ecs_size, egress_rules, log_retention, network_plan
from components.aws_place import STREAM_PREFIX, Names, names
from components.aws_tags import environment_tags
from components.document import Draft
from components.ecs_arguments import NetworkMode
from components.ecs_platform import (
    NETWORKED,
    ONLY_ON,
    Platform,
    check_values,
    network_mode,
    platform,
    refuse_what_does_not_fit,
)
from components.ecs_volumes import volumes as task_volumes
from components.given import holds_output
from components.project import project_folder
from components.written_containers import image, read
from runner.contract import broken_rule
from runner.sections import LaunchType

TIMEOUTS: Mapping[str, int] = {"queue_seconds": 900, "start_seconds": 900}
"""A place is found within minutes, or not soon; an image of some GB takes minutes to pull."""

NAMED = ("family", "log_group_name", "bucket_name", "cluster_arn", "task_role_arn", "execution_role_arn")
"""Arguments that names and ARNs are made from."""

CONTAINER = ("image", "command", "env", "secrets", "volumes", "mount_points", "resources", "timeouts")
"""Arguments that the containers are made from, beside `container_definitions`."""

ALIKE = (
    *("platform_version", "task_group", "placement_strategy", "run_placement_constraints"),
    *("enable_ecs_managed_tags", "propagate_tags", "enable_execute_command", "assign_public_ip"),
)
"""Arguments that the document's section has under the same names."""

VALUES = ("pid_mode", "ephemeral_storage_gib", "placement_constraints")
"""Arguments that tasks of some platforms can only be told something of."""

AS_GIVEN = (
    *(
        "vpc_id",
        "subnet_ids",
        "security_group_ids",
        "availability_zones",
        "cpu_architecture",
        "operating_system_family",
    ),
    *("ipc_mode", "proxy_configuration", "container_insights", *NAMED),
)
"""Arguments that resources take as they are, so that nothing else would check their types."""

BESIDE = (
    ("task_role_statements", "task_role_arn", "the rights of a role that exists are not the stack's"),
    ("task_role_policy_arns", "task_role_arn", "the rights of a role that exists are not the stack's"),
    ("container_insights", "cluster_arn", "a cluster that exists is not the stack's"),
    ("egress", "security_group_ids", "the rules of groups that exist are not the stack's"),
    ("egress_anywhere", "security_group_ids", "the rules of groups that exist are not the stack's"),
    ("network_cidr", "vpc_id", "a network that exists is not the stack's"),
    ("availability_zones", "vpc_id", "a network that exists is not the stack's"),
)
"""Arguments about what is created, those that name one that exists instead, and why not both."""

UNKNOWN = "arn:aws:ecs:eu-west-1:123456789012:unknown"
SECTION: Mapping[str, Any] = {
    "region": "eu-west-1",
    "cluster_arn": UNKNOWN,
    "task_definition_arn": UNKNOWN,
    "log_group": "unknown",
    "subnets": ["unknown"],
    "security_groups": ["unknown"],
}
"""What takes the place of parts of the document's section that are not known at preview."""


class TaskPlan:
    """How the task of every run of an environment is to be.

    Args:
        draft: the arguments.
        name: the component's name.

    Raises:
        ArgumentError: what is known of the arguments is wrong.
    """

    environment: str
    """The environment's name."""
    platform: Platform
    """What tasks are on."""
    network_mode: NetworkMode
    """How their containers are connected."""
    ports: Mapping[str, Any] = {}
    """Ports at which tasks of the environment reach each other, by name."""
    stand_ins: ClassVar[Mapping[str, Any]] = {
        "image": "unknown",
        "resources": ecs_size.RESOURCES,
        "fargate_task": SECTION,
    }
    """What takes the place of parts of the document that are not known at preview."""

    def __init__(self, draft: Draft, name: str) -> None:
        self.draft = draft
        self.environment = draft.plain("environment_name", name)
        self.platform = draft.derive(platform, "launch_type", "capacity_provider_strategy")
        self.network_mode = draft.derive(partial(network_mode, self.platform), "network_mode")
        draft.check(self._refuse_what_does_not_fit)
        draft.derive(_as_they_are, *AS_GIVEN)
        self.written = draft.derive(partial(read, folder=project_folder()), "container_definitions")
        self.image = draft.derive(image, "image", written=self.written)
        self.resources = draft.derive(self._sized, "resources", *VALUES)
        self.timeouts = draft.derive(_with_timeouts, "timeouts")
        self.secrets = draft.derive(ecs_containers.secret_references, "secrets")
        self.volumes = draft.derive(task_volumes, "volumes", "mount_points")
        self.tags = draft.derive(partial(environment_tags, self.environment), "tags")
        self.log_days = draft.derive(log_retention.days, "log_retention_days")
        self.bucket_days = draft.derive(bucket_rules.retention_days, "input_retention_days")
        draft.derive(egress_rules.check, "egress", "egress_anywhere")
        draft.check(network_plan.subnets, "network_cidr")
        if not holds_output(self.written):
            draft.check(partial(self.definitions, log_group="", region=""), *CONTAINER, written=self.written)
        draft.check_document(self.section(), computed=self.parts(), stand_ins=self.stand_ins)

    @property
    def networked(self) -> bool:
        """Whether tasks have network interfaces of their own."""
        return self.network_mode is NetworkMode.AWSVPC

    def names(self, place: Any) -> pulumi.Output[Names]:
        """The names of everything, in a place."""
        found = self.draft.derive(partial(names, self.environment), *NAMED, place=place)
        return pulumi.Output.from_input(found)

    def containers(self, own: pulumi.Output[Names]) -> Any:
        """The JSON of the containers."""
        return self.contained(self.definitions, *CONTAINER, own=own)

    def contained(self, function: Callable[..., Any], *keys: str, own: pulumi.Output[Names], **computed: Any) -> Any:
        """What a function makes of arguments, of the containers that the user wrote, and of the log."""
        log = {"log_group": own.log_group, "region": own.place.region}
        return self.draft.derive(function, *keys, written=self.written, **log, **computed)

    def definitions(self, **options: Any) -> str:
        """The JSON of the containers, of arguments that are known."""
        return ecs_containers.definitions(**options)

    def images(self) -> Any:
        """The images of all containers, as far as they have one."""

        def listed(values: Mapping[str, Any]) -> list[str]:
            beside = [item["image"] for item in values["written"] if item.get("image")]
            return sorted({*beside, *([values["image"]] if values["image"] else [])})

        return pulumi.Output.from_input({"written": self.written, "image": self.image}).apply(listed)

    def services(self) -> list[str]:
        """The services that a network which is created has doors to, beside S3."""
        arns = [item.get("arn") for item in self.draft.inputs.get("secrets") or () if isinstance(item, Mapping)]
        given = self.draft.inputs.get("secrets")
        # An ARN that is only known later may be of either store.
        either = ["arn:aws:secretsmanager", "arn:aws:ssm"] if holds_output(given) else []
        known = [arn for arn in arns if isinstance(arn, str)]
        command = self.draft.plain("enable_execute_command", False)
        return list(network_plan.services(secrets=[*known, *either], execute_command=command))

    def section(self, **more: Any) -> dict[str, Any]:
        """The document's section, with what is known only later."""
        by_providers = self.draft.has("capacity_provider_strategy")
        return {
            **self.draft.part(*ALIKE),
            "launch_type": None if by_providers else LaunchType(self.platform.value),
            "capacity_provider_strategy": self.draft.part("capacity_provider_strategy").get(
                "capacity_provider_strategy", []
            ),
            "log_stream_prefix": STREAM_PREFIX,
            **({} if self.networked else {"subnets": [], "security_groups": []}),
            **more,
        }

    def parts(self) -> dict[str, Any]:
        """Parts of the document that are more than an argument."""
        return {
            "image": self.image,
            "resources": self.resources,
            "timeouts": self.timeouts,
            "secrets": self.secrets,
        }

    def _sized(self, resources: Mapping[str, Any] | None = None, **given: Any) -> dict[str, Any]:
        check_values(self.platform, **given)
        return ecs_size.size(self.platform, resources=resources)

    def _refuse_what_does_not_fit(self) -> None:
        """Refuses arguments that do not go with what tasks are on, or with each other."""
        has = self.draft.has
        given = [key for key in (*ONLY_ON, *NETWORKED) if has(key)]
        refuse_what_does_not_fit(self.platform, self.network_mode, given)
        for key, existing, whose in BESIDE:
            if has(key) and has(existing):
                raise broken_rule(key, f"given beside {existing}", f"none: {whose}")
        if has("vpc_id") != has("subnet_ids"):
            missing = "subnet_ids" if has("vpc_id") else "vpc_id"
            raise broken_rule(missing, "missing", "both vpc_id and subnet_ids, or none for a network that is created")
        for key in ("security_group_ids", "assign_public_ip"):
            if has(key) and not has("vpc_id"):
                expected = "none without vpc_id and subnet_ids: a network that is created has no way to the internet"
                raise broken_rule(key, "given", expected)


def _as_they_are(**given: Any) -> dict[str, Any]:
    return given


def _with_timeouts(*, timeouts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {**TIMEOUTS, **(timeouts or {})}
