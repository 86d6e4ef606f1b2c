"""Environment of kind `dask-cloud-provider`: every run is a task of ECS that starts others for its Dask workers.

Creates what the kind `fargate-task` creates, and beside that a task definition and a role of workers, on request one of
a scheduler in a task of its own, and rules with which a run and its workers reach each other, and nobody else does.
"""

from typing import Any, NotRequired, TypedDict

import pulumi

from components.arguments import FailurePolicyOptions, LogOptions, RetentionOptions
from components.dask_task_plan import DaskTaskPlan
from components.document import PACKAGE, Draft
from components.ecs_arguments import (
    AwsSecretOptions,
    CapacityProviderOptions,
    CpuArchitecture,
    IpcMode,
    MountPointOptions,
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
from runner.sections import Kind, LaunchType, PropagateTags


class DaskCloudProviderEnvironmentArgs(TypedDict):
    """Arguments of a DaskCloudProviderEnvironment; only `image` must be, unless `container_definitions` name one."""

    environment_name: NotRequired[str]
    """Name by which `penstock run --env` finds it: a DNS label in lower case. Default: the component's own name."""
    routing_labels: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Labels by which `penstock run --label` finds it. Default: none."""
    metadata: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Your own notes, without effect. Default: none."""
    image: NotRequired[pulumi.Input[str]]
    """Container image of flow and workers, with penstock, dask and dask-cloudprovider; one with a digest is the same
    forever."""
    resources: NotRequired[pulumi.Input[TaskResourceOptions]]
    """The size of a run's task. Default: 500 millicores, 1024 MiB."""
    min_workers: NotRequired[pulumi.Input[int]]
    """Fewest workers of a run. Default: as many as `max_workers`, so that their number is fixed."""
    max_workers: NotRequired[pulumi.Input[int]]
    """Most workers of a run. Default: as many as `min_workers`; 2 where neither is given."""
    worker_resources: NotRequired[pulumi.Input[TaskResourceOptions]]
    """The size of each worker's task. Default: 500 millicores, 1024 MiB."""
    worker_threads: NotRequired[pulumi.Input[int]]
    """Threads of each worker, which is one process. Default: one."""
    worker_extra_args: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """More command-line arguments of `dask worker`. Default: none."""
    provider_class: NotRequired[str]
    """Class that starts workers: FargateCluster (default) or ECSCluster of dask-cloudprovider, or `module:Class`."""
    provider_kwargs: NotRequired[dict[str, Any]]
    """Keyword arguments for it that Penstock does not give itself. Default: none."""
    fargate_workers: NotRequired[bool]
    """Whether workers are on Fargate; where not, on what the own capacity providers of `cluster_arn` say. Default: yes,
    but for ECSCluster."""
    fargate_spot: NotRequired[bool]
    """Whether workers on Fargate are on FARGATE_SPOT, which is cheaper and can be taken away. Default: no."""
    tls: NotRequired[bool]
    """Whether connections of a run and its workers are encrypted, and only open to them. Default: yes."""
    scheduler_task: NotRequired[bool]
    """Whether the scheduler is in a task of its own, and not in the run's process. Default: no."""
    scheduler_resources: NotRequired[pulumi.Input[TaskResourceOptions]]
    """The size of that task. Default: 500 millicores, 1024 MiB."""
    fargate_scheduler: NotRequired[bool]
    """Whether that task is on Fargate. Default: yes, but for ECSCluster."""
    scheduler_idle_timeout_seconds: NotRequired[pulumi.Input[float]]
    """So long that task is up without work, before it ends the cluster. Default: 300."""
    scheduler_extra_args: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """More command-line arguments of `dask scheduler` in that task. Default: none."""
    mount_volumes_on_scheduler: NotRequired[bool]
    """Whether volumes are mounted in that task, too. Default: no."""
    scheduler_port: NotRequired[pulumi.Input[int]]
    """Port of the scheduler, wherever it is. Default: 8786, Dask's own."""
    work_stealing: NotRequired[pulumi.Input[bool]]
    """Whether idle workers take tasks from busy ones. Default: yes."""
    scheduler_logs: NotRequired[pulumi.Input[bool]]
    """Whether a run's log shows everything that the scheduler logs. Default: no."""
    performance_report: NotRequired[pulumi.Input[bool]]
    """Whether Dask's performance report is kept with the run. Default: yes, where bokeh is installed."""
    env: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Environment variables of every run and its workers; plain text, never a secret. Default: none."""
    secrets: NotRequired[pulumi.Input[list[pulumi.Input[AwsSecretOptions]]]]
    """Variables whose values AWS keeps. Default: none."""
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
    """Tags of everything that is created, of every run's task and of its workers'. Default: Penstock's own only."""
    launch_type: NotRequired[LaunchType]
    """What runs themselves are on: FARGATE (default) or EC2. Not beside `capacity_provider_strategy`."""
    capacity_provider_strategy: NotRequired[list[CapacityProviderOptions]]
    """Capacity providers that share the runs, such as FARGATE_SPOT. Default: none, `launch_type` says it."""
    cluster_arn: NotRequired[pulumi.Input[str]]
    """ARN of a cluster that exists. Default: one is created, with FARGATE and FARGATE_SPOT."""
    container_insights: NotRequired[pulumi.Input[bool]]
    """Whether CloudWatch measures the tasks of the cluster that is created, for money by the metric. Default: no."""
    family: NotRequired[pulumi.Input[str]]
    """Family of the runs' task definition; those of workers and of a scheduler have -worker and -scheduler behind it.
    Default: penstock- and the environment's name."""
    command: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """What the flow's container is started with, before the runner's arguments. Default: python3 -P -m runner."""
    container_definitions: NotRequired[pulumi.Input[Any]]
    """Containers of a run that all this is filled into where they say nothing: a list, or the path of a YAML or JSON
    file with one, relative to the folder with Pulumi.yaml. The flow's container is the one named `flow`, and so are
    those of workers but for the program. Default: none."""
    cpu_architecture: NotRequired[pulumi.Input[CpuArchitecture]]
    """Processors that the image is for. Default: X86_64."""
    operating_system_family: NotRequired[pulumi.Input[OperatingSystemFamily]]
    """Operating system that the image is for. Default: LINUX, the only one that Penstock runs on."""
    platform_version: NotRequired[pulumi.Input[str]]
    """Version of Fargate's platform. Default: AWS' choice, the latest."""
    ephemeral_storage_gib: NotRequired[pulumi.Input[int]]
    """Storage of a run, and of each worker, on Fargate, from 21 to 200 GiB. Default: 20, Fargate's own."""
    volumes: NotRequired[list[TaskVolumeOptions]]
    """Volumes of the task. Default: an empty folder at /tmp."""
    mount_points: NotRequired[pulumi.Input[list[pulumi.Input[MountPointOptions]]]]
    """Where volumes are in the flow's container, and in the workers'. Default: /tmp only."""
    vpc_id: NotRequired[pulumi.Input[str]]
    """Network that exists, with `subnet_ids`. Default: one is created that has no way to the internet."""
    subnet_ids: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Its subnets that runs have their network interfaces in. Default: those of the network that is created."""
    network_cidr: NotRequired[pulumi.Input[str]]
    """Addresses of the network that is created, from /16 to /27. Default: 10.111.0.0/24."""
    availability_zones: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The two zones that it is in. Default: the first two of the region."""
    security_group_ids: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Security groups of runs and workers that exist, and let these reach each other at the scheduler's port and 8788.
    Default: one is created."""
    egress: NotRequired[list[TaskEgressOptions]]
    """What runs and workers may reach beside each other, their own network by HTTPS, and S3. Default: nothing."""
    egress_anywhere: NotRequired[bool]
    """Whether runs and workers may reach everything that the network lets them. Default: no."""
    assign_public_ip: NotRequired[pulumi.Input[bool]]
    """Whether runs on Fargate get public addresses. Default: no."""
    task_role_arn: NotRequired[pulumi.Input[str]]
    """Role of the flow's own calls to AWS that exists. Default: one is created."""
    task_role_statements: NotRequired[pulumi.Input[list[pulumi.Input[RoleStatementOptions]]]]
    """What flows and workers may call at AWS. Default: nothing but what runs need."""
    task_role_policy_arns: NotRequired[list[pulumi.Input[str]]]
    """Policies that exist and say more of it. Default: none."""
    worker_task_role_arn: NotRequired[pulumi.Input[str]]
    """Role of the workers' own calls to AWS that exists. Default: one is created."""
    execution_role_arn: NotRequired[pulumi.Input[str]]
    """Role by which ECS starts runs and workers that exists. Default: one is created."""
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


class DaskCloudProviderEnvironment(pulumi.ComponentResource):
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

    def __init__(
        self, name: str, args: DaskCloudProviderEnvironmentArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        plan = DaskTaskPlan(Draft(Kind.DASK_CLOUD_PROVIDER, name, args, DaskCloudProviderEnvironmentArgs), name)
        super().__init__(f"{PACKAGE}:index:DaskCloudProviderEnvironment", name, plan.draft.inputs, opts)
        # Only here: Pulumi's SDK for AWS would slow down the stacks of all other kinds.
        from components.dask_task_objects import DaskTaskObjects

        made = DaskTaskObjects(plan, self, name)
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
