"""Creates what an environment on ECS consists of, from the plan of its tasks."""

from typing import Any

import pulumi
import pulumi_aws as aws

from components import ecs_policies, ecs_roles, ecs_size, iam, parameter
from components.ecs_cluster import EcsCluster
from components.task_bucket import create_bucket
from components.task_network import TaskNetwork
from components.task_plan import STAND_INS, TaskPlan


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

        before: list[pulumi.Resource] = []
        """What must be there before a run can start, so before anybody learns of the task definition."""
        self.cluster_arn = own.cluster_arn
        if not draft.has("cluster_arn"):
            cluster = EcsCluster(
                f"{name}-cluster",
                {"cluster_name": own.cluster, "tags": self._tags, **draft.part("container_insights")},  # type: ignore[typeddict-item]
                child,
            )
            before.append(cluster)
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
        before += [logs, bucket, *self._roles()]
        network = TaskNetwork(plan, parent, name) if plan.networked else None
        definition = self._task_definition(before)

        found = {"subnets": network.subnet_ids, "security_groups": network.security_group_ids} if network else {}
        section = plan.section(
            region=own.place.region,
            cluster_arn=own.cluster_arn,
            task_definition_arn=definition.arn,
            log_group=own.log_group,
            bucket=own.bucket,
            **found,
        )
        self.document = draft.document(section, computed=plan.parts(), stand_ins=STAND_INS)
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
        self.submitter_policy_arn = self._policy("submitter", ecs_policies.submitter, ecs_policies.RUN_DESCRIPTION)
        self.previewer_policy_arn = self._policy("previewer", ecs_policies.previewer, ecs_policies.PREVIEW_DESCRIPTION)

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
        if draft.has("task_role_arn"):
            return made
        command = draft.plain("enable_execute_command", False)
        policies = {"task": draft.derive(_task, "volumes", own=self._own, execute_command=command)}
        if draft.has("task_role_statements"):
            policies["own"] = draft.derive(_users, "task_role_statements")
        made += self._role("task", "What runs themselves call.", policies)
        for i, arn in enumerate(draft.plain("task_role_policy_arns", [])):
            made.append(
                aws.iam.RolePolicyAttachment(
                    f"{self._name}-task-{i}",
                    role=self._own.apply(lambda known: known.role("task")),
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
            aws.iam.RolePolicy(f"{self._name}-{key}", name=key, role=role.name, policy=policy, opts=self._child)
            for key, policy in policies.items()
        ]
        return [role, *allowed]

    def _task_definition(self, before: list[pulumi.Resource]) -> Any:
        plan, draft, own = self._plan, self._draft, self._own
        resources = pulumi.Output.from_input(plan.resources)
        given = draft.part("pid_mode", "ipc_mode", "proxy_configuration", "placement_constraints")
        if draft.has("ephemeral_storage_gib"):
            given["ephemeral_storage"] = {"size_in_gib": draft.inputs["ephemeral_storage_gib"]}
        processors = draft.part("cpu_architecture", "operating_system_family")
        if processors or plan.platform == "FARGATE":
            given["runtime_platform"] = {
                "cpu_architecture": processors.get("cpu_architecture", "X86_64"),
                "operating_system_family": processors.get("operating_system_family", "LINUX"),
            }
        return aws.ecs.TaskDefinition(
            f"{self._name}-task",
            family=own.family,
            requires_compatibilities=[plan.platform.value],
            network_mode=plan.network_mode.value,
            cpu=resources.apply(ecs_size.cpu),
            memory=resources.apply(ecs_size.memory),
            # The ARNs as they will be, so that the first preview shows them.
            task_role_arn=own.task_role_arn,
            execution_role_arn=own.execution_role_arn,
            container_definitions=plan.containers(own),
            volumes=plan.volumes,
            tags=self._tags,
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=before)),
            **given,
        )


def _place(parent: pulumi.ComponentResource) -> pulumi.Output[dict[str, str]]:
    """Whose account the environment is in, and where: the fields of a `Place`."""
    invoke = pulumi.InvokeOutputOptions(parent=parent)
    found: Any = {
        "partition": aws.get_partition_output(opts=invoke).partition,
        "region": aws.get_region_output(opts=invoke).region,
        "account": aws.get_caller_identity_output(opts=invoke).account_id,
    }
    return pulumi.Output.from_input(found)


def _execution(*, own: Any, images: Any, secrets: Any = ()) -> str:
    return iam.policy(ecs_roles.execution(own, images=images, secrets=secrets))


def _task(*, own: Any, execute_command: bool, volumes: Any = ()) -> str:
    return iam.policy(ecs_roles.task(own, execute_command=execute_command, volumes=volumes))


def _users(*, task_role_statements: Any) -> str | None:
    return ecs_roles.users_policy(task_role_statements)
