"""Where at AWS an environment is, what its objects are called there, and so what their ARNs are.

Every name is chosen here and not by AWS, so that the first preview already shows policies without an unknown in them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from components.naming import shortened
from runner.contract import broken_rule, describe
from runner.sections import SCHEDULER_TASK_CONTAINER, WORKER_TASK_CONTAINER

LONGEST_ROLE = 64
"""Longest name of a role. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
LONGEST_POLICY = 128
"""Longest name of a policy of its own; the same source."""
LONGEST_BUCKET = 63
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""

STREAM_PREFIX = "run"
"""Begins the names of the log streams of runs: `run/flow/<task id>`."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """An account's region."""

    partition: str
    """`aws`, `aws-cn` or `aws-us-gov`."""
    region: str
    """Such as `eu-west-1`."""
    account: str
    """Number of the account, 12 digits."""

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something in that region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def iam(self, resource: str) -> str:
        """The ARN of something of IAM, which has no regions."""
        return f"arn:{self.partition}:iam::{self.account}:{resource}"

    def bucket(self, name: str, key: str = "") -> str:
        """The ARN of a bucket, or of objects in it."""
        return f"arn:{self.partition}:s3:::{name}{f'/{key}' if key else ''}"


@dataclass(frozen=True, kw_only=True)
class Names:
    """An environment's names, and the ARNs that follow from them."""

    environment: str
    """The environment's name, an RFC 1123 label."""
    place: Place
    """Where it is."""
    family: str
    """Family of the task definition."""
    log_group: str
    """Log group that runs write to."""
    bucket: str
    """Bucket for code and documents that are too long to travel in the start of a task."""
    cluster_arn: str
    """The ECS cluster."""
    task_role_arn: str
    """Role of the flow's own calls to AWS."""
    execution_role_arn: str
    """Role by which ECS itself pulls the image, reads secrets and writes the log."""
    worker_family: str | None = None
    """Family of the task definition of Dask workers; null for runs without any, like all below."""
    scheduler_family: str | None = None
    """The same of a scheduler in a task of its own."""
    worker_task_role_arn: str | None = None
    """Role of the workers' own calls to AWS."""

    @property
    def parameter(self) -> str:
        """SSM parameter with the environment document, where `penstock env pull` looks for it."""
        return f"/penstock/{self.environment}/environment"

    @property
    def parameter_arn(self) -> str:
        """Its ARN."""
        return self.place.arn("ssm", f"parameter{self.parameter}")

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return self.cluster_arn.rpartition("/")[2]

    @property
    def tasks_arn(self) -> str:
        """All tasks of the cluster."""
        return f"{self.cluster_arn.replace(':cluster/', ':task/')}/*"

    @property
    def revisions_arn(self) -> str:
        """All revisions of the task definition."""
        return self._revisions(self.family)

    @property
    def worker_revisions_arns(self) -> tuple[str, ...]:
        """The same of the workers' task definition, and of a scheduler's."""
        return tuple(self._revisions(family) for family in (self.worker_family, self.scheduler_family) if family)

    @property
    def secrets_arn(self) -> str:
        """The secrets with the keys of runs, with the ending that AWS gives each."""
        return self.place.arn("secretsmanager", f"secret:{secrets_prefix(self.environment)}*")

    @property
    def log_group_arn(self) -> str:
        """The log group, with the ending that IAM wants."""
        return self.place.arn("logs", f"log-group:{self.log_group}:*")

    @property
    def streams_arn(self) -> str:
        """The log streams of runs, those of containers beside the flow's included."""
        return self.place.arn("logs", f"log-group:{self.log_group}:log-stream:{STREAM_PREFIX}/*")

    @property
    def worker_streams_arns(self) -> tuple[str, ...]:
        """The log streams of workers, and of a scheduler."""
        found = ((self.worker_family, WORKER_TASK_CONTAINER), (self.scheduler_family, SCHEDULER_TASK_CONTAINER))
        streams = f"log-group:{self.log_group}:log-stream:{STREAM_PREFIX}"
        return tuple(self.place.arn("logs", f"{streams}/{container}/*") for family, container in found if family)

    def _revisions(self, family: str) -> str:
        return self.place.arn("ecs", f"task-definition/{family}:*")

    def role(self, part: str) -> str:
        """Name of a role that is created."""
        return shortened(f"penstock-{self.environment}", f"{self.place.region}-{part}", longest=LONGEST_ROLE)

    def policy(self, part: str) -> str:
        """Name of a policy that is created."""
        return shortened(f"penstock-{self.environment}", f"{self.place.region}-{part}", longest=LONGEST_POLICY)


def names(
    environment: str,
    *,
    place: Mapping[str, str],
    family: str | None = None,
    log_group_name: str | None = None,
    bucket_name: str | None = None,
    cluster_arn: str | None = None,
    task_role_arn: str | None = None,
    execution_role_arn: str | None = None,
) -> Names:
    """The names of an environment.

    Args:
        environment: the environment's name.
        place: the fields of a `Place`.
        family: as the arguments of `FargateTaskEnvironment`, like all others; what is not given is made from the name.
        log_group_name: log group.
        bucket_name: bucket.
        cluster_arn: cluster that exists already.
        task_role_arn: role that exists already.
        execution_role_arn: role that exists already.

    Raises:
        ContractError: the cluster is of another region or account.
    """
    here = Place(**place)
    own = Names(
        environment=environment,
        place=here,
        family=family or f"penstock-{environment}",
        log_group=log_group_name or f"/penstock/{environment}",
        # The names of buckets are the world's, so an account's own has its number in it.
        bucket=bucket_name
        or shortened(f"penstock-{environment}", f"{here.account}-{here.region}", longest=LONGEST_BUCKET),
        cluster_arn=cluster_arn or here.arn("ecs", f"cluster/penstock-{environment}"),
        task_role_arn="",
        execution_role_arn="",
    )
    if cluster_arn is not None and not cluster_arn.startswith(here.arn("ecs", "cluster/")):
        raise broken_rule(
            "cluster_arn",
            describe(cluster_arn),
            f"a cluster of this account and region, {here.arn('ecs', 'cluster/')}*",
        )
    return Names(
        **{key: getattr(own, key) for key in ("environment", "place", "family", "log_group", "bucket", "cluster_arn")},
        task_role_arn=task_role_arn or here.iam(f"role/{own.role('task')}"),
        execution_role_arn=execution_role_arn or here.iam(f"role/{own.role('execution')}"),
    )


def with_workers(own: Names, *, scheduler_task: bool, worker_task_role_arn: str | None = None) -> Names:
    """The names of an environment whose runs have Dask workers.

    Args:
        own: the environment's names.
        scheduler_task: whether a scheduler is in a task of its own.
        worker_task_role_arn: role that exists already.
    """
    return replace(
        own,
        worker_family=f"{own.family}-worker",
        scheduler_family=f"{own.family}-scheduler" if scheduler_task else None,
        worker_task_role_arn=worker_task_role_arn or own.place.iam(f"role/{own.role('worker')}"),
    )


def secrets_prefix(environment: str) -> str:
    """Begins the names of the secrets with the keys of an environment's runs."""
    return f"penstock/{environment}/"
