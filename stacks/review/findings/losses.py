"""What is lost with resources that hold data, or that running flows need: by their types."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stacks.review.finding import Rule, Weight
from stacks.review.preview import Step
from stacks.review.values import at

DATA = Rule(
    name="data-lost",
    tells="what holds data is deleted or replaced",
    why="It cannot be brought back from this stack.",
)
RUNS = Rule(
    name="runs-interrupted",
    tells="what running flows need is deleted or replaced",
    why="Flows that run while the change is made fail, or cannot go on.",
)
NETWORK = "aws:ec2/vpc:Vpc"
IN_NETWORKS = ("aws:ec2/subnet:Subnet", "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/vpcEndpoint:VpcEndpoint")
"""Types of what goes with its network."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What is lost with a resource."""

    noun: str
    """What it is."""
    lost: str
    """What happens then, as a clause."""
    weight: Weight = Weight.DANGER
    """How much that matters."""
    rule: Rule = DATA
    replaced: bool = True
    """Whether it is also lost when the resource is replaced."""
    options: tuple[str, ...] = ()
    """Options of the stack's file that make it be replaced or deleted."""


def loss(step: Step) -> Loss | None:
    """What is lost with a resource; None when nothing to speak of is."""
    found = LOSSES.get(step.type)
    if found is None:
        return None
    special = SPECIAL.get(step.type)
    return special(step, found) if special else found


def _runs(noun: str, lost: str, weight: Weight = Weight.WARNING, *options: str) -> Loss:
    return Loss(noun=noun, lost=lost, weight=weight, rule=RUNS, options=options)


def _data(noun: str, lost: str, weight: Weight = Weight.DANGER, *options: str) -> Loss:
    return Loss(noun=noun, lost=lost, weight=weight, options=options)


def _deleted(noun: str, lost: str, weight: Weight, *options: str) -> Loss:
    return Loss(noun=noun, lost=lost, weight=weight, rule=RUNS, replaced=False, options=options)


_IN_IT = "all data in it is lost"
_GONE = "what reads it fails until there is another"
_NETWORK = ("network_cidr", "availability_zones", "vpc_id")
_ROLES = ("task_role_arn", "execution_role_arn", "worker_task_role_arn")
_DATABASE = _data("database", _IN_IT)
LOSSES: Mapping[str, Loss] = {
    "kubernetes:core/v1:Namespace": _runs(
        "namespace",
        "everything in it is deleted, and flows that run in it end",
        Weight.DANGER,
        "namespace",
        "create_namespace",
    ),
    "kubernetes:core/v1:PersistentVolumeClaim": _data("volume claim", "the data of its volume is lost", Weight.DANGER),
    "kubernetes:core/v1:PersistentVolume": _data("volume", "the data in it is lost unless its storage keeps it"),
    "kubernetes:core/v1:Secret": _data("Secret", _GONE, Weight.WARNING, "registry_credentials"),
    "kubernetes:core/v1:ConfigMap": _data("ConfigMap", _GONE, Weight.NOTICE),
    "kubernetes:core/v1:ServiceAccount": _runs("service account", "flows that run as it lose their access"),
    "kubernetes:core/v1:ResourceQuota": _deleted(
        "quota", "nothing limits any more what runs take", Weight.WARNING, "quota"
    ),
    "kubernetes:apps/v1:StatefulSet": _runs("StatefulSet", "its pods end, and those who are connected lose them"),
    "kubernetes:apps/v1:Deployment": _runs("Deployment", "its pods end, and those who are connected lose them"),
    "kubernetes:batch/v1:Job": _runs("Job", "what it runs ends"),
    "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition": _data(
        "CustomResourceDefinition", "every object of its kind is deleted, in all namespaces"
    ),
    "aws:ecs/cluster:Cluster": _runs(
        "ECS cluster", "flows that run in it have to end, and its name leads nowhere", Weight.DANGER, "cluster_arn"
    ),
    "aws:ecs/service:Service": _runs("ECS service", "its tasks end"),
    "aws:ecs/taskDefinition:TaskDefinition": _deleted(
        "task definition", "no run can start from it any more", Weight.WARNING, "family"
    ),
    "aws:cloudwatch/logGroup:LogGroup": _data("log group", "all logs in it are lost", Weight.DANGER, "log_group_name"),
    "aws:s3/bucket:Bucket": _data("bucket", "all objects in it are deleted", Weight.DANGER, "bucket_name"),
    "aws:s3/bucketV2:BucketV2": _data("bucket", "all objects in it are deleted"),
    "aws:s3/bucketObject:BucketObject": _data("object", "its contents are lost", Weight.WARNING),
    "aws:s3/bucketObjectv2:BucketObjectv2": _data("object", "its contents are lost", Weight.WARNING),
    "aws:secretsmanager/secret:Secret": _data("secret", "its value is lost"),
    "aws:ssm/parameter:Parameter": _data("parameter", "its value is lost", Weight.WARNING),
    "aws:kms/key:Key": _data("key", "what is encrypted with it can never be read again"),
    "aws:efs/fileSystem:FileSystem": _data("file system", "all files in it are lost"),
    "aws:efs/mountTarget:MountTarget": _runs("mount target", "running flows lose the file system"),
    "aws:fsx/lustreFileSystem:LustreFileSystem": _data("file system", "all files in it are lost"),
    "aws:ebs/volume:Volume": _data("volume", _IN_IT),
    "aws:rds/instance:Instance": _DATABASE,
    "aws:rds/cluster:Cluster": _DATABASE,
    "aws:redshift/cluster:Cluster": _data("warehouse", _IN_IT),
    "aws:dynamodb/table:Table": _data("table", _IN_IT),
    "aws:opensearch/domain:Domain": _data("search domain", _IN_IT),
    "aws:elasticache/cluster:Cluster": _data("cache", _IN_IT, Weight.WARNING),
    "aws:sqs/queue:Queue": _data("queue", "all messages in it are lost", Weight.WARNING),
    "aws:kinesis/stream:Stream": _data("stream", "all records in it are lost", Weight.WARNING),
    "aws:ecr/repository:Repository": _data("repository", "all images in it are deleted"),
    NETWORK: _runs("network", "running flows have to end", Weight.WARNING, *_NETWORK),
    "aws:ec2/subnet:Subnet": _runs("subnet", "flows that run in it have to end", Weight.WARNING, *_NETWORK),
    "aws:ec2/securityGroup:SecurityGroup": _runs(
        "security group", "flows that run in it have to end", Weight.WARNING, "security_group_ids", "vpc_id"
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _runs(
        "endpoint", "running flows lose the way to its service", Weight.WARNING, *_NETWORK
    ),
    "aws:iam/role:Role": _runs("role", "running flows that have it lose their rights", Weight.WARNING, *_ROLES),
    "aws:iam/rolePolicy:RolePolicy": _deleted("policy", "running flows lose the rights that it gives", Weight.NOTICE),
}
"""By type. What has another weight in some of its states is in `SPECIAL` too."""


def _bucket(step: Step, usual: Loss) -> Loss:
    if at(step.old, "forceDestroy") in (True, "true"):
        return usual
    return _data(usual.noun, "that fails while objects are in it", Weight.WARNING, *usual.options)


def _repository(step: Step, usual: Loss) -> Loss:
    if at(step.old, "forceDelete") in (True, "true"):
        return usual
    return _data(usual.noun, "that fails while images are in it", Weight.WARNING)


def _secret(step: Step, usual: Loss) -> Loss:
    # https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html
    if at(step.old, "recoveryWindowInDays") in (0, "0"):
        return usual
    return _data(usual.noun, "what reads it fails, and it is gone once its recovery window is over", Weight.WARNING)


def _database(step: Step, usual: Loss) -> Loss:
    if at(step.old, "skipFinalSnapshot") in (True, "true"):
        return _data(usual.noun, "all data in it is lost, without a last snapshot")
    return usual


SPECIAL: Mapping[str, Callable[[Step, Loss], Loss]] = {
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketV2:BucketV2": _bucket,
    "aws:ecr/repository:Repository": _repository,
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:rds/instance:Instance": _database,
    "aws:rds/cluster:Cluster": _database,
}
"""What decides about the loss beside the type."""
