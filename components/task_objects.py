"""Creates what an environment on ECS consists of, from the plan of its tasks."""

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws

from components import ecs_policies, ecs_roles, ecs_size, iam, parameter
from components.aws_place import Names
from components.ecs_cluster import EcsCluster
from components.ecs_platform import Platform
from components.iam import Statement
from components.lookups import lookup
from components.task_bucket import create_bucket
from components.task_network import TaskNetwork
from components.task_plan import TaskPlan


class TaskObjects:
    """The objects of an environment.

    Args:
        plan: how the task of every run is to be.
        parent: the environment's component.
        name: its name.
    """

    document: pulumi.Output[dict[str, Any]]
    """The environment document."""
    cluster_arn: pulumi.Output[str]
    """ARN of the cluster."""
    log_group: pulumi.Output[str]
    """Name of the log group."""
    submitter_policy_arn: pulumi.Output[str]
    """ARN of the policy of those who start runs."""
    previewer_policy_arn: pulumi.Output[str]
    """ARN of the policy of those who preview."""

    def __init__(self, plan: TaskPlan, parent: pulumi.ComponentResource, name: str) -> None:
        self._plan, self._draft, self._name = plan, plan.draft, name
        self._child = pulumi.ResourceOptions(parent=parent)
        self._place = _place(parent)
        self._own = own = plan.names(self._place)
        self._tags = plan.tags
        draft, child = self._draft, self._child

        self._before: list[pulumi.Resource] = []
        """What must be there before a run can start, so before anybody learns of a task definition."""
        self.cluster_arn = own.cluster_arn
        if not draft.has("cluster_arn"):
            cluster = EcsCluster(
                f"{name}-cluster",
                {"cluster_name": own.cluster, "tags": self._tags, **draft.part("container_insights")},  # type: ignore[typeddict-item]
                child,
            )
            self._before.append(cluster)
            self.cluster_arn = cluster.cluster_arn
        logs = aws.cloudwatch.LogGroup(
            f"{name}-log", name=own.log_group, retention_in_days=plan.log_days, tags=self._tags, opts=child
        )
        self.log_group = logs.name
        bucket = create_bucket(
            f"{name}-bucket",
            bucket_name=own.bucket,
            bucket_arn=own.apply(lambda known: known.place.bucket(known.bucket)),
            days=plan.bucket_days,
            tags=self._tags,
            parent=parent,
        )
        self._before += [logs, bucket, *self._roles()]
        definition = self._runs_definition()
        section = plan.section(
            region=own.place.region,
            cluster_arn=own.cluster_arn,
            task_definition_arn=definition.arn,
            log_group=own.log_group,
            bucket=own.bucket,
            **(self._networked(TaskNetwork(plan, parent, name)) if plan.networked else {}),
            **self._more(),
        )
        self.document = draft.document(section, computed=plan.parts(), stand_ins=plan.stand_ins)
        aws.ssm.Parameter(
            f"{name}-environment",
            name=own.parameter,
            description="Environment document of Penstock",
            type="String",
            tier=parameter.tier_of(draft.component, self.document),
            # It holds no secret, and a preview is to show what changes in it.
            insecure_value=parameter.text_of(self.document),
            tags=self._tags,
            opts=child,
        )
        self.submitter_policy_arn = self._policy("submitter", self._submitter, ecs_policies.RUN_DESCRIPTION)
        self.previewer_policy_arn = self._policy("previewer", ecs_policies.previewer, ecs_policies.PREVIEW_DESCRIPTION)

    def _submitter(self, own: Names) -> tuple[Statement, ...]:
        return ecs_policies.submitter(own)

    def _networked(self, network: TaskNetwork) -> dict[str, Any]:
        """What the document's section says of the network."""
        return {"subnets": network.subnet_ids, "security_groups": network.security_group_ids}

    def _more(self) -> dict[str, Any]:
        """Creates what runs need beside their own task, and gives what the document's section says of it."""
        return {}

    def _policy(self, part: str, statements: Any, description: str) -> pulumi.Output[str]:
        made = aws.iam.Policy(
            f"{self._name}-{part}",
            name=self._own.apply(lambda known: known.policy(part)),
            description=description,
            policy=self._own.apply(lambda known: iam.policy(statements(known))),
            tags=self._tags,
            opts=self._child,
        )
        return made.arn

    def _roles(self) -> list[pulumi.Resource]:
        """Those of the two roles that do not exist, and what they allow."""
        draft, made = self._draft, list[pulumi.Resource]()
        if not draft.has("execution_role_arn"):
            images = self._plan.images()
            allowed = draft.derive(_execution, "secrets", own=self._own, images=images)
            made += self._role("execution", "Starts runs: image, secrets, log.", {"execution": allowed})
        if not draft.has("task_role_arn"):
            made += self._task_role("task", "What runs themselves call.", self._task_statements)
        return made

    def _task_statements(self, own: Names, **options: Any) -> list[Statement]:
        command = self._draft.plain("enable_execute_command", False)
        return ecs_roles.task(own, execute_command=command, **options)

    def _task_role(self, part: str, description: str, statements: Callable[..., Any] | None) -> list[pulumi.Resource]:
        """A role of tasks, which allows beside its own statements what the user says.

        Args:
            part: what it is in the environment.
            description: the same in words.
            statements: gives them, of the names and the argument `volumes`; None where there are none.
        """
        draft, policies = self._draft, dict[str, Any]()
        if statements is not None:
            policies[part] = draft.derive(_written, "volumes", statements=statements, own=self._own)
        if draft.has("task_role_statements"):
            own = "own" if part == "task" else f"{part}-own"
            policies[own] = draft.derive(_users, "task_role_statements")
        made = self._role(part, description, policies)
        for i, arn in enumerate(draft.plain("task_role_policy_arns", [])):
            made.append(
                aws.iam.RolePolicyAttachment(
                    f"{self._name}-{part}-{i}",
                    role=self._own.apply(lambda known: known.role(part)),
                    policy_arn=arn,
                    opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=list(made))),
                )
            )
        return made

    def _role(self, part: str, description: str, policies: dict[str, Any]) -> list[pulumi.Resource]:
        role = aws.iam.Role(
            f"{self._name}-{part}",
            name=self._own.apply(lambda known: known.role(part)),
            description=description,
            assume_role_policy=pulumi.Output.from_input(self._place).apply(lambda known: iam.trust(place=known)),
            tags=self._tags,
            opts=self._child,
        )
        allowed = [
            aws.iam.RolePolicy(
                f"{self._name}-{key}",
                name=key.removeprefix(f"{part}-"),
                role=role.name,
                policy=policy,
                opts=self._child,
            )
            for key, policy in policies.items()
        ]
        return [role, *allowed]

    def _runs_definition(self) -> Any:
        plan, own = self._plan, self._own
        given = self._draft.part("pid_mode", "ipc_mode", "proxy_configuration", "placement_constraints")
        return self._task_definition(
            "task",
            platform=plan.platform,
            resources=plan.resources,
            family=own.family,
            task_role_arn=own.task_role_arn,
            container_definitions=plan.containers(own),
            volumes=plan.volumes,
            **given,
        )

    def _task_definition(self, part: str, *, platform: Platform, resources: Any, **given: Any) -> Any:
        draft = self._draft
        size = pulumi.Output.from_input(resources)
        if draft.has("ephemeral_storage_gib") and platform is Platform.FARGATE:
            given["ephemeral_storage"] = {"size_in_gib": draft.inputs["ephemeral_storage_gib"]}
        processors = draft.part("cpu_architecture", "operating_system_family")
        if processors or platform is Platform.FARGATE:
            given["runtime_platform"] = {
                "cpu_architecture": processors.get("cpu_architecture", "X86_64"),
                "operating_system_family": processors.get("operating_system_family", "LINUX"),
            }
        return aws.ecs.TaskDefinition(
            f"{self._name}-{part}",
            requires_compatibilities=[platform.value],
            network_mode=self._plan.network_mode.value,
            cpu=size.apply(ecs_size.cpu),
            memory=size.apply(ecs_size.memory),
            # The ARNs of roles are what they will be, so that the first preview shows them.
            execution_role_arn=self._own.execution_role_arn,
            tags=self._tags,
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=self._before)),
            **given,
        )


def _place(parent: pulumi.ComponentResource) -> pulumi.Output[dict[str, str]]:
    """Whose account the environment is in, and where: the fields of a `Place`."""
    found: Any = {
        "partition": lookup("index/getPartition", parent)["partition"],
        "region": lookup("index/getRegion", parent)["region"],
        "account": lookup("index/getCallerIdentity", parent)["accountId"],
    }
    return pulumi.Output.from_input(found)


def _execution(*, own: Any, images: Any, secrets: Any = ()) -> str:
    return iam.policy(ecs_roles.execution(own, images=images, secrets=secrets))


def _written(*, statements: Callable[..., Any], own: Any, volumes: Any = ()) -> str:
    return iam.policy(statements(own, volumes=volumes))


def _users(*, task_role_statements: Any) -> str | None:
    return ecs_roles.users_policy(task_role_statements)
