"""The kinds of environment, and the section of the document that each has for itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from runner.contract import broken_rule, option

NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
"""RFC 1123 label, since the name becomes part of names in Kubernetes and AWS."""
NAME_MEANING = "at most 63 lower-case letters, digits and inner hyphens"
REGION = r"[a-z]{2,4}(-[a-z]+)+-[0-9]+"
REGION_MEANING = "an AWS region such as eu-west-1"
ARN = r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:\S+"
ARN_MEANING = "an ARN such as arn:aws:ecs:eu-west-1:123456789012:cluster/flows"
SCHEDULER_PORT = 8786
"""Port of a run's Dask scheduler in its pod: Dask's own. Network policies name it."""
WORKER_PORT = 8788
"""Port of a Dask worker in its pod."""
DASHBOARD_PORT = 8787
"""Port of Dask's dashboard in the run's pod, which answers from inside the pod only."""
FLOW_CONTAINER = "flow"
"""Name of the container that the flow runs in."""
WORKER_CONTAINER = "worker"
"""Name of the container that a Dask worker runs in."""
CLEANUP_CONTAINER = "cleanup"
"""Name of the container that removes a run's workers when the flow's container has ended, however it did."""


SCHEDULER_TASK_CONTAINER = "dask-scheduler"
WORKER_TASK_CONTAINER = "dask-worker"
"""Names of the containers of tasks of ECS that a scheduler or a worker runs in, as dask-cloudprovider has them."""
PROVIDER_CLASS = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*"
PROVIDER_CLASS_MEANING = "a class as module:Class"
FARGATE_CLUSTER = "dask_cloudprovider.aws:FargateCluster"
ECS_CLUSTER = "dask_cloudprovider.aws:ECSCluster"

WORKER_OPTIONS: Mapping[str, str] = {
    "--name": "none: workers have numbers",
    "--nthreads": "worker_threads instead",
    "--nworkers": "max_workers instead: each task is one worker",
    "--n-workers": "max_workers instead: each task is one worker",
}
"""Options of `dask worker` on ECS that Penstock gives itself, and what says the same."""

BUNDLES_PREFIX = "bundles/"
"""Begins the keys of bundles of code in an environment's bucket; the rest is the bundle's SHA-256 and `.zip`."""
INPUTS_PREFIX = "inputs/"
"""Begins the keys of documents and requests that are too long to travel in the start of a task."""
ARTIFACTS_PREFIX = "artifacts/"
"""Begins the keys of what runs leave behind in an environment's bucket; the rest is run, attempt and file."""
LONGEST_GRACE_SECONDS = 115
"""Longest grace of a task on ECS: its `stopTimeout` is at most 120 s, and the outcome is recorded in the rest."""


class Kind(StrEnum):
    """The kinds of environment."""

    LOCAL = "local"
    KUBERNETES_JOB = "kubernetes-job"
    DASK_KUBERNETES = "dask-kubernetes"
    FARGATE_TASK = "fargate-task"
    DASK_CLOUD_PROVIDER = "dask-cloud-provider"


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What a run asks for, and at most gets."""

    cpu_millicores: int = option(minimum=1)
    """Processor time that the run asks for, in thousandths of a core."""
    memory_mib: int = option(minimum=1)
    """Memory that the run asks for, in MiB."""
    gpu: int = option(0, minimum=0)
    """Number of GPUs."""
    gpu_resource: str = "nvidia.com/gpu"
    """Name by which the platform counts GPUs. Default: nvidia.com/gpu."""
    cpu_limit_millicores: int | None = option(None, minimum=1)
    """Most processor time that the run gets; null (default) for what is free."""
    memory_limit_mib: int | None = option(None, minimum=1)
    """Memory at which the run is killed, in MiB; null (default) for what it asks for."""

    def __post_init__(self) -> None:
        """Refuse limits below what is asked for."""
        for name, asked in (("cpu_limit_millicores", self.cpu_millicores), ("memory_limit_mib", self.memory_mib)):
            limit = getattr(self, name)
            if limit is not None and limit < asked:
                raise broken_rule(name, str(limit), f"at least the {asked} that the run asks for")


@dataclass(frozen=True, kw_only=True)
class Local:
    """Section of kind `local`."""

    working_directory: str | None = option(None, pattern=r"/.*", meaning="an absolute path")
    """Folder that flows run in; null for the one in which `penstock run` is called."""
    python: str | None = option(None, pattern=r"/.*", meaning="an absolute path")
    """Python interpreter that runs flows, with penstock installed; null for the one that runs `penstock`."""


@dataclass(frozen=True, kw_only=True)
class KubernetesJob:
    """Section of kind `kubernetes-job`."""

    namespace: str = option(pattern=NAME, meaning=NAME_MEANING)
    """Namespace that runs take place in."""
    job: Mapping[str, object]
    """The Job that every run is made from: all but what is the run's own, such as its name, arguments and variables."""


@dataclass(frozen=True, kw_only=True)
class DaskKubernetes:
    """Section of kind `dask-kubernetes`."""

    namespace: str = option(pattern=NAME, meaning=NAME_MEANING)
    """Namespace that runs take place in, with their workers."""
    job: Mapping[str, object]
    """The Job that every run is made from: its process is the flow's, and holds the Dask scheduler."""
    worker: Mapping[str, object]
    """The pod that every worker is made from: all but what is the worker's own, such as its name and variables."""
    worker_resources: Resources
    """What each worker asks for, and at most gets."""
    worker_threads: int = option(1, minimum=1)
    """Threads of each worker, which is one process. Default: one."""
    min_workers: int = option(minimum=0)
    """Fewest workers of a run."""
    max_workers: int = option(minimum=1)
    """Most workers of a run; as many as the fewest for a cluster of fixed size."""
    work_stealing: bool = True
    """Whether idle workers take tasks from busy ones. Default: yes, as in Dask."""
    scheduler_logs: bool = False
    """Whether the run's log shows everything that the scheduler logs. Default: no."""
    log_k8s_errors: bool = False
    """Whether the run's log shows every refusal of the cluster about workers, and their pods' changes. Default: no."""

    def __post_init__(self) -> None:
        """Refuse a range that is none."""
        if self.min_workers > self.max_workers:
            raise broken_rule("min_workers", str(self.min_workers), f"at most the {self.max_workers} of max_workers")


class LaunchType(StrEnum):
    """What tasks of ECS run on."""

    FARGATE = "FARGATE"
    EC2 = "EC2"
    EXTERNAL = "EXTERNAL"


class PropagateTags(StrEnum):
    """Where a task of ECS takes tags from, beside those of its run."""

    TASK_DEFINITION = "TASK_DEFINITION"
    NONE = "NONE"


@dataclass(frozen=True, kw_only=True)
class CapacityProvider:
    """A share of an environment's tasks for one capacity provider of its cluster."""

    provider: str
    """Name: FARGATE, FARGATE_SPOT or that of one of the account's own."""
    weight: int = option(1, minimum=0, maximum=1000)
    """Share of the tasks beyond `base`, relative to the other providers' weights. Default: 1."""
    base: int = option(0, minimum=0, maximum=100_000)
    """Number of tasks that this provider gets first. Default: none."""


class PlacementStrategyType(StrEnum):
    """How tasks are put on instances."""

    SPREAD = "spread"
    BINPACK = "binpack"
    RANDOM = "random"


@dataclass(frozen=True, kw_only=True)
class PlacementStrategy:
    """How ECS chooses among the instances that have room."""

    type: PlacementStrategyType
    """The way to choose."""
    field: str | None = None
    """What it goes by, such as `attribute:ecs.availability-zone`, `instanceId`, `cpu` or `memory`; null for random."""


class PlacementConstraintType(StrEnum):
    """What instances are told apart by."""

    DISTINCT_INSTANCE = "distinctInstance"
    MEMBER_OF = "memberOf"


@dataclass(frozen=True, kw_only=True)
class PlacementConstraint:
    """Which instances a run may be on."""

    type: PlacementConstraintType
    """What the constraint is about."""
    expression: str | None = None
    """Cluster query for `memberOf`, such as `attribute:ecs.instance-type =~ g5.*`; null for `distinctInstance`."""


@dataclass(frozen=True, kw_only=True)
class FargateTask:
    """Section of kind `fargate-task`."""

    region: str = option(pattern=REGION, meaning=REGION_MEANING)
    """AWS region of everything here."""
    cluster_arn: str = option(pattern=ARN, meaning=ARN_MEANING)
    """ARN of the ECS cluster that runs take place in."""
    task_definition_arn: str = option(pattern=ARN, meaning=ARN_MEANING)
    """ARN of the task definition that every run is started from, with its revision."""
    launch_type: LaunchType | None = None
    """What the tasks run on; null where `capacity_provider_strategy` says it."""
    capacity_provider_strategy: tuple[CapacityProvider, ...] = ()
    """Capacity providers that share the tasks; empty where `launch_type` says it."""
    subnets: tuple[str, ...] = ()
    """Ids of the subnets that tasks have their network interfaces in; empty where the network mode is not awsvpc."""
    security_groups: tuple[str, ...] = ()
    """Ids of the security groups of those interfaces."""
    assign_public_ip: bool = False
    """Whether those interfaces get public addresses. Default: no."""
    platform_version: str | None = None
    """Version of Fargate's platform; null for AWS' choice, the latest."""
    log_group: str
    """Name of the CloudWatch log group that runs write to."""
    log_stream_prefix: str
    """What names of their streams begin with: `<prefix>/flow/<task id>` is a run's."""
    bucket: str | None = None
    """Bucket for what does not fit into the start of a task: code, large requests. Null for none."""
    task_group: str | None = None
    """Task group that placement of runs refers to; null for AWS' own, the family."""
    placement_strategy: tuple[PlacementStrategy, ...] = ()
    """How tasks are put on instances, the first rule first; for EC2 only. Default: ECS' own."""
    run_placement_constraints: tuple[PlacementConstraint, ...] = ()
    """Which instances a run may be on, beside what the task definition says; for EC2 only."""
    enable_ecs_managed_tags: bool = True
    """Whether ECS tags tasks with their cluster. Default: yes."""
    propagate_tags: PropagateTags = PropagateTags.TASK_DEFINITION
    """Where tasks take tags from, beside those of their run. Default: the task definition."""
    enable_execute_command: bool = False
    """Whether `aws ecs execute-command` works in runs, for which their role needs rights. Default: no."""

    def __post_init__(self) -> None:
        """Refuse what ECS refuses."""
        if (self.launch_type is None) == (not self.capacity_provider_strategy):
            found = "missing" if self.launch_type is None else "given beside capacity_provider_strategy"
            raise broken_rule("launch_type", found, "either launch_type or capacity_provider_strategy")
        for name in ("cluster_arn", "task_definition_arn"):
            if (region := getattr(self, name).split(":")[3]) != self.region:
                raise broken_rule(name, f"in {region}", f"one in the region, which is {self.region}")
        if self.assign_public_ip and not self.subnets:
            raise broken_rule("assign_public_ip", "true", "false where there are no subnets")
        if self.launch_type is LaunchType.FARGATE and not self.subnets:
            raise broken_rule("subnets", "missing", "at least one for tasks on Fargate")


@dataclass(frozen=True, kw_only=True)
class DaskCloudProvider(FargateTask):
    """Section of kind `dask-cloud-provider`: that of `fargate-task`, for runs, and what their Dask workers are."""

    provider_class: str = option(FARGATE_CLUSTER, pattern=PROVIDER_CLASS, meaning=PROVIDER_CLASS_MEANING)
    """Class that starts the workers. Default: dask-cloudprovider's FargateCluster."""
    provider_kwargs: Mapping[str, object] = field(default_factory=dict)
    """Keyword arguments for it, beside those that Penstock gives it. Default: none."""
    vpc_id: str
    """Id of the network that runs and workers are in."""
    worker_task_definition_arn: str = option(pattern=ARN, meaning=ARN_MEANING)
    """ARN of the task definition that workers are started from, with its revision."""
    scheduler_task_definition_arn: str | None = option(None, pattern=ARN, meaning=ARN_MEANING)
    """ARN of the one that a scheduler is started from; null (default) to have it in the run's own process."""
    execution_role_arn: str = option(pattern=ARN, meaning=ARN_MEANING)
    """ARN of the role by which ECS starts workers."""
    worker_task_role_arn: str = option(pattern=ARN, meaning=ARN_MEANING)
    """ARN of the role of the workers' own calls to AWS."""
    worker_resources: Resources
    """The size of each worker's task."""
    worker_threads: int = option(1, minimum=1)
    """Threads of each worker, which is one process. Default: one."""
    worker_extra_args: tuple[str, ...] = ()
    """More command-line arguments of `dask worker`. Default: none."""
    min_workers: int = option(minimum=0)
    """Fewest workers of a run."""
    max_workers: int = option(minimum=1)
    """Most workers of a run; as many as the fewest for a cluster of fixed size."""
    fargate_workers: bool = True
    """Whether workers are on Fargate; where not, on what the cluster's own capacity providers say. Default: yes."""
    fargate_scheduler: bool = True
    """The same of a scheduler in a task of its own. Default: yes."""
    fargate_spot: bool = False
    """Whether workers on Fargate are on its spare capacity, FARGATE_SPOT, which is cheaper and can be taken away.
    Default: no."""
    tls: bool = True
    """Whether the cluster's connections are encrypted, and only open to the run. Default: yes."""
    secrets_prefix: str | None = None
    """Begins the names of the Secrets Manager secrets with the keys of runs; null only without `tls`."""
    scheduler_port: int = option(SCHEDULER_PORT, minimum=1, maximum=65535)
    """Port of the scheduler. Default: 8786, Dask's own."""
    scheduler_idle_timeout_seconds: float = option(300, above=0)
    """So long a scheduler in a task of its own is up without work, before it ends the cluster. Default: 300."""
    scheduler_extra_args: tuple[str, ...] = ()
    """More command-line arguments of `dask scheduler`, for one in a task of its own. Default: none."""
    work_stealing: bool = True
    """Whether idle workers take tasks from busy ones. Default: yes, as in Dask."""
    scheduler_logs: bool = False
    """Whether the run's log shows everything that the scheduler logs. Default: no."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of workers, beside those of their run. Default: none."""

    def __post_init__(self) -> None:
        """Refuse what no cluster can be made of."""
        super().__post_init__()
        if self.min_workers > self.max_workers:
            raise broken_rule("min_workers", str(self.min_workers), f"at most the {self.max_workers} of max_workers")
        if not self.subnets:
            raise broken_rule("subnets", "missing", "at least one: workers reach the run at an address of its own")
        for i, argument in enumerate(self.worker_extra_args):
            if (name := argument.partition("=")[0]) in WORKER_OPTIONS:
                raise broken_rule(f"worker_extra_args[{i}]", f'"{argument}"', WORKER_OPTIONS[name])
        if self.tls and self.secrets_prefix is None:
            raise broken_rule("secrets_prefix", "missing", "where the keys of runs go, or tls switched off")
        if self.fargate_spot and not self.fargate_workers:
            raise broken_rule("fargate_spot", "true", "false where fargate_workers is")
        if self.worker_resources.gpu and self.fargate_workers:
            raise broken_rule("worker_resources.gpu", str(self.worker_resources.gpu), "none: Fargate has no GPUs")
        for name in ("worker_task_definition_arn", "scheduler_task_definition_arn"):
            arn = getattr(self, name)
            if arn is not None and (region := arn.split(":")[3]) != self.region:
                raise broken_rule(name, f"in {region}", f"one in the region, which is {self.region}")
