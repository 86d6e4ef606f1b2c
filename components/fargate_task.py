"""Environment of kind `fargate-task`: every run is a task of ECS, on Fargate unless told otherwise.

Creates an ECS cluster and a network (or takes those that exist), the task definition of all runs, their roles, log
group and security group, a bucket for code, a parameter of Systems Manager with the environment document, and policies
for those who start runs and who preview changes.
"""

from typing import Any, NotRequired, TypedDict

import pulumi

from components.arguments import ExecutorOptions, FailurePolicyOptions, LogOptions, RetentionOptions
from components.document import PACKAGE, Draft
from components.ecs_arguments import (
    AwsSecretOptions,
    CapacityProviderOptions,
    CpuArchitecture,
    IpcMode,
    MountPointOptions,
    NetworkMode,
    OperatingSystemFamily,
    PidMode,
    PlacementConstraintOptions,
    PlacementStrategyOptions,
    ProxyConfigurationOptions,
    RoleStatementOptions,
    TaskEgressOptions,
    TaskResourceOptions,
    TaskTimeoutOptions,
    TaskVolumeOptions,
)
from components.task_plan import TaskPlan
from runner.sections import Kind, LaunchType, PropagateTags


class FargateTaskEnvironmentArgs(TypedDict):
    """Arguments of a FargateTaskEnvironment; only `image` must be given, unless `container_definitions` name one."""

    environment_name: NotRequired[str]
    """Name by which `penstock run --env` finds it: a DNS label in lower case. Default: the component's own name."""
    routing_labels: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Labels by which `penstock run --label` finds it. Default: none."""
    metadata: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Your own notes, without effect. Default: none."""
    image: NotRequired[pulumi.Input[str]]
    """Container image of the flow, with penstock installed; one with a digest is the same forever."""
    resources: NotRequired[pulumi.Input[TaskResourceOptions]]
    """The size of a run's task. Default: 500 millicores, 1024 MiB."""
    env: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Environment variables of every run; plain text, never a secret. Default: none."""
    secrets: NotRequired[pulumi.Input[list[pulumi.Input[AwsSecretOptions]]]]
    """Variables whose values AWS keeps. Default: none."""
    executor: NotRequired[pulumi.Input[ExecutorOptions]]
    """How the work inside a flow runs. Default: in the flow's own process."""
    on_execute: NotRequired[pulumi.Input[str]]
    """Called with the parameters and the cluster's options, to change them. As `module:function`. Default: none."""
    on_start: NotRequired[pulumi.Input[str]]
    """Called without arguments right before the flow. As `module:function`. Default: none."""
    on_exit: NotRequired[pulumi.Input[str]]
    """Called once with the outcome, whatever happened before. As `module:function`. Default: none."""
    timeouts: NotRequired[pulumi.Input[TaskTimeoutOptions]]
    """The clocks of a run. Default: 900 seconds to find a place, 900 to start, 30 of grace, no other limit."""
    retention: NotRequired[pulumi.Input[RetentionOptions]]
    """How long records of finished runs stay. Default: a week, 30 days when failed."""
    log: NotRequired[pulumi.Input[LogOptions]]
    """What of Python's logging a run shows. Default: INFO."""
    failure_policy: NotRequired[pulumi.Input[FailurePolicyOptions]]
    """Which failures start a run again. Default: that AWS took its place away, and no other."""
    tags: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Tags of everything that is created, and of every run's task. Default: Penstock's own only."""
    launch_type: NotRequired[LaunchType]
    """What runs are on: FARGATE (default), EC2 or EXTERNAL. Not beside `capacity_provider_strategy`."""
    capacity_provider_strategy: NotRequired[list[CapacityProviderOptions]]
    """Capacity providers that share the runs, such as FARGATE_SPOT. Default: none, `launch_type` says it."""
    cluster_arn: NotRequired[pulumi.Input[str]]
    """ARN of a cluster that exists. Default: one is created, with FARGATE and FARGATE_SPOT."""
    container_insights: NotRequired[pulumi.Input[bool]]
    """Whether CloudWatch measures the tasks of the cluster that is created, for money by the metric. Default: no."""
    family: NotRequired[pulumi.Input[str]]
    """Family of the task definition. Default: penstock- and the environment's name."""
    command: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """What the flow's container is started with, before the runner's arguments. Default: python3 -P -m runner."""
    container_definitions: NotRequired[pulumi.Input[Any]]
    """Containers that all this is filled into where they say nothing: a list, or the path of a YAML or JSON file with
    one, relative to the folder with Pulumi.yaml. The flow's container is the one named `flow`. Default: none."""
    cpu_architecture: NotRequired[pulumi.Input[CpuArchitecture]]
    """Processors that the image is for. Default: X86_64."""
    operating_system_family: NotRequired[pulumi.Input[OperatingSystemFamily]]
    """Operating system that the image is for. Default: LINUX, the only one that Penstock runs on."""
    platform_version: NotRequired[pulumi.Input[str]]
    """Version of Fargate's platform. Default: AWS' choice, the latest."""
    ephemeral_storage_gib: NotRequired[pulumi.Input[int]]
    """Storage of a run on Fargate, from 21 to 200 GiB. Default: 20, Fargate's own."""
    volumes: NotRequired[list[TaskVolumeOptions]]
    """Volumes of the task. Default: an empty folder at /tmp."""
    mount_points: NotRequired[pulumi.Input[list[pulumi.Input[MountPointOptions]]]]
    """Where volumes are in the flow's container. Default: /tmp only."""
    network_mode: NotRequired[NetworkMode]
    """How containers are connected. Default: awsvpc, the only one on Fargate; bridge where that is not possible."""
    vpc_id: NotRequired[pulumi.Input[str]]
    """Network that exists, with `subnet_ids`. Default: one is created that has no way to the internet."""
    subnet_ids: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Its subnets that runs have their network interfaces in. Default: those of the network that is created."""
    network_cidr: NotRequired[pulumi.Input[str]]
    """Addresses of the network that is created, from /16 to /27. Default: 10.111.0.0/24."""
    availability_zones: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The two zones that it is in. Default: the first two of the region."""
    security_group_ids: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Security groups of runs that exist. Default: one is created."""
    egress: NotRequired[list[TaskEgressOptions]]
    """What runs may reach beside their own network by HTTPS, and S3. Default: nothing."""
    egress_anywhere: NotRequired[bool]
    """Whether runs may reach everything that the network lets them. Default: no."""
    assign_public_ip: NotRequired[pulumi.Input[bool]]
    """Whether runs on Fargate get public addresses. Default: no."""
    task_role_arn: NotRequired[pulumi.Input[str]]
    """Role of the flow's own calls to AWS that exists. Default: one is created."""
    task_role_statements: NotRequired[pulumi.Input[list[pulumi.Input[RoleStatementOptions]]]]
    """What flows may call at AWS. Default: nothing but to get their own code, and to keep their files."""
    task_role_policy_arns: NotRequired[list[pulumi.Input[str]]]
    """Policies that exist and say more of it. Default: none."""
    execution_role_arn: NotRequired[pulumi.Input[str]]
    """Role by which ECS starts runs that exists. Default: one is created."""
    enable_execute_command: NotRequired[bool]
    """Whether `aws ecs execute-command` works in runs, for which their role gets rights. Default: no."""
    log_group_name: NotRequired[pulumi.Input[str]]
    """Name of the log group. Default: /penstock/ and the environment's name."""
    log_retention_days: NotRequired[pulumi.Input[int]]
    """How long logs stay, in days as CloudWatch has them: 1, 3, 5, 7, 14, 30, 60, 90 and so on. Default: 30."""
    bucket_name: NotRequired[pulumi.Input[str]]
    """Name of the bucket. Default: made from those of the environment, the account and the region."""
    input_retention_days: NotRequired[pulumi.Input[int]]
    """How long code, documents and files in the bucket stay, in days. Default: 35."""
    task_group: NotRequired[pulumi.Input[str]]
    """Task group of runs. Default: AWS' own, the family."""
    placement_constraints: NotRequired[pulumi.Input[list[pulumi.Input[PlacementConstraintOptions]]]]
    """Which instances the task definition may be on; not on Fargate. Default: any."""
    run_placement_constraints: NotRequired[pulumi.Input[list[pulumi.Input[PlacementConstraintOptions]]]]
    """Which instances a run may be on, beside that; not on Fargate. Default: any."""
    placement_strategy: NotRequired[pulumi.Input[list[pulumi.Input[PlacementStrategyOptions]]]]
    """How ECS chooses among instances; EC2 only. Default: ECS' own."""
    pid_mode: NotRequired[pulumi.Input[PidMode]]
    """Whose processes containers see. Default: their own."""
    ipc_mode: NotRequired[pulumi.Input[IpcMode]]
    """With whom containers share memory; not on Fargate. Default: Docker's own."""
    proxy_configuration: NotRequired[pulumi.Input[ProxyConfigurationOptions]]
    """A proxy that the traffic of a task goes through. Default: none."""
    enable_ecs_managed_tags: NotRequired[pulumi.Input[bool]]
    """Whether ECS tags runs with their cluster. Default: yes."""
    propagate_tags: NotRequired[pulumi.Input[PropagateTags]]
    """Where runs take tags from, beside their own: TASK_DEFINITION (default) or NONE."""


class FargateTaskEnvironment(pulumi.ComponentResource):
    """A cluster of ECS, as a place where flows run, each as a task."""

    environment: pulumi.Output[dict[str, Any]]
    """The environment document; holds no secret."""
    cluster_arn: pulumi.Output[str]
    """ARN of the cluster."""
    log_group: pulumi.Output[str]
    """Name of the log group that runs write to."""
    submitter_policy_arn: pulumi.Output[str]
    """ARN of the policy of those who may start runs."""
    previewer_policy_arn: pulumi.Output[str]
    """ARN of the policy of those who may read what `pulumi preview` needs."""

    def __init__(self, name: str, args: FargateTaskEnvironmentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        plan = TaskPlan(Draft(Kind.FARGATE_TASK, name, args, FargateTaskEnvironmentArgs), name)
        super().__init__(f"{PACKAGE}:index:FargateTaskEnvironment", name, plan.draft.inputs, opts)
        # Only here: Pulumi's SDK for AWS would slow down the stacks of all other kinds.
        from components.task_objects import TaskObjects

        made = TaskObjects(plan, self, name)
        self.environment = made.document
        self.cluster_arn = made.cluster_arn
        self.log_group = made.log_group
        self.submitter_policy_arn = made.submitter_policy_arn
        self.previewer_policy_arn = made.previewer_policy_arn
        self.register_outputs(
            {
                "environment": self.environment,
                "clusterArn": self.cluster_arn,
                "logGroup": self.log_group,
                "submitterPolicyArn": self.submitter_policy_arn,
                "previewerPolicyArn": self.previewer_policy_arn,
            }
        )
