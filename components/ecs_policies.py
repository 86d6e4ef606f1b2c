"""Who may do what with an environment on ECS, beside its runs: those who start them, those who preview changes."""

from components.aws_place import Names
from components.iam import TASKS, Statement
from runner.sections import ARTIFACTS_PREFIX, BUNDLES_PREFIX, INPUTS_PREFIX

RUN_DESCRIPTION = "Starts, follows and stops runs."
LIST_TASKS = "AWS knows container instances only, of which Fargate has none; the condition narrows it to the cluster."
"""Why `ecs:ListTasks` is said of everything."""
PREVIEW_DESCRIPTION = "Reads what `pulumi preview --refresh` does; changes nothing."


def submitter(names: Names) -> tuple[Statement, ...]:
    """What `penstock run`, `logs`, `ls`, `describe`, `cancel`, `retry`, `gc` and `env pull` call."""
    in_cluster = {"ArnEquals": {"ecs:cluster": names.cluster_arn}}
    stored = tuple(names.place.bucket(names.bucket, f"{prefix}*") for prefix in (BUNDLES_PREFIX, INPUTS_PREFIX))
    streams = names.place.arn("logs", f"log-group:{names.log_group}:log-stream:*")
    return (
        Statement(
            sid="StartRuns",
            actions=("ecs:RunTask",),
            resources=(names.revisions_arn,),
            conditions=in_cluster,
            reason="A run is one task of this environment's task definition, in its cluster and no other.",
        ),
        Statement(
            sid="TagRuns",
            actions=("ecs:TagResource",),
            resources=(names.tasks_arn,),
            conditions={"StringEquals": {"ecs:CreateAction": "RunTask"}},
            reason="A task is found again by the tags that it is started with; a task that runs already gets none.",
        ),
        Statement(
            sid="HandRolesToRuns",
            actions=("iam:PassRole",),
            resources=(names.task_role_arn, names.execution_role_arn),
            conditions={"StringEquals": {"iam:PassedToService": TASKS}},
            reason="Who starts a task hands it the two roles that its definition names.",
        ),
        Statement(
            sid="FollowAndStopRuns",
            actions=("ecs:DescribeTasks", "ecs:StopTask"),
            resources=(names.tasks_arn,),
            conditions=in_cluster,
            reason="`run`, `describe` and `ls` read tasks; `cancel` and `gc` stop them.",
        ),
        Statement(
            sid="ListRuns",
            actions=("ecs:ListTasks",),
            resources=("*",),
            conditions=in_cluster,
            reason="`ls` and every verb that is given a run's id find tasks by what they were started by.",
            unbounded=LIST_TASKS,
        ),
        Statement(
            sid="ReadLogs",
            actions=("logs:FilterLogEvents",),
            resources=(names.log_group_arn,),
            reason="Runs that ECS has forgotten, which takes an hour, are found in their logs.",
        ),
        Statement(
            sid="ReadAndDeleteLogStreams",
            actions=("logs:GetLogEvents", "logs:DeleteLogStream"),
            resources=(streams,),
            reason="`run` and `logs` show what the flow printed; `gc` deletes it when its time is over.",
        ),
        Statement(
            sid="SendCode",
            actions=("s3:PutObject", "s3:GetObject"),
            resources=stored,
            reason="Code and documents that are too long for the start of a task travel in the bucket.",
        ),
        Statement(
            sid="ReadFiles",
            actions=("s3:GetObject",),
            resources=(names.place.bucket(names.bucket, f"{ARTIFACTS_PREFIX}*"),),
            reason="Files that a run left behind are shown to those who follow it.",
        ),
        Statement(
            sid="ReadDocument",
            actions=("ssm:GetParameter",),
            resources=(names.parameter_arn,),
            reason="`env pull` takes the environment document from there, and `doctor` compares with it.",
        ),
    )


def previewer(names: Names) -> tuple[Statement, ...]:
    """What Pulumi's provider for AWS calls to read the objects of an environment, its network included."""
    place = names.place
    everything = ("*",)
    worker_role = [names.worker_task_role_arn] if names.worker_task_role_arn else []
    return (
        Statement(
            sid="ReadCluster",
            actions=("ecs:DescribeClusters", "ecs:ListTagsForResource"),
            resources=(names.cluster_arn, names.revisions_arn, *names.worker_revisions_arns),
            reason="The cluster with its capacity providers, and tags.",
        ),
        Statement(
            sid="ReadTaskDefinition",
            actions=("ecs:DescribeTaskDefinition",),
            resources=everything,
            reason="The task definitions.",
            unbounded="AWS knows no resource of that call.",
        ),
        Statement(
            sid="ReadLogGroupTags",
            actions=("logs:ListTagsForResource",),
            resources=(names.log_group_arn.removesuffix(":*"), names.log_group_arn),
            reason="The log group's tags.",
        ),
        Statement(
            sid="ReadRoles",
            actions=(
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListRolePolicies",
                "iam:ListAttachedRolePolicies",
                "iam:ListRoleTags",
            ),
            resources=(names.task_role_arn, names.execution_role_arn, *worker_role),
            reason="The roles of runs, and what they allow.",
        ),
        Statement(
            sid="ReadPolicies",
            actions=("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions", "iam:ListPolicyTags"),
            resources=tuple(place.iam(f"policy/{names.policy(part)}") for part in ("submitter", "previewer")),
            reason="The policies of who starts and previews, and what they allow.",
        ),
        Statement(
            sid="ReadBucketSettings",
            actions=(
                "s3:ListBucket",
                "s3:GetAccelerateConfiguration",
                "s3:GetBucketAcl",
                "s3:GetBucketCORS",
                "s3:GetBucketLocation",
                "s3:GetBucketLogging",
                "s3:GetBucketObjectLockConfiguration",
                "s3:GetBucketOwnershipControls",
                "s3:GetBucketPolicy",
                "s3:GetBucketPublicAccessBlock",
                "s3:GetBucketRequestPayment",
                "s3:GetBucketTagging",
                "s3:GetBucketVersioning",
                "s3:GetBucketWebsite",
                "s3:GetEncryptionConfiguration",
                "s3:GetLifecycleConfiguration",
                "s3:GetReplicationConfiguration",
            ),
            resources=(place.bucket(names.bucket),),
            reason="The bucket's settings; none of its objects.",
        ),
        Statement(
            sid="ReadDocument",
            actions=("ssm:GetParameter", "ssm:GetParameters", "ssm:ListTagsForResource"),
            resources=(names.parameter_arn,),
            reason="The environment document.",
        ),
        Statement(
            sid="ListParametersAndLogGroups",
            actions=("ssm:DescribeParameters", "logs:DescribeLogGroups"),
            resources=everything,
            reason="The document's tier, and the log group's retention.",
            unbounded="AWS answers both for all of a region at once only: names and settings, no contents.",
        ),
        Statement(
            sid="ReadNetwork",
            actions=(
                "ec2:DescribeAvailabilityZones",
                "ec2:DescribeManagedPrefixLists",
                "ec2:DescribeNetworkAcls",
                "ec2:DescribePrefixLists",
                "ec2:DescribeRouteTables",
                "ec2:DescribeSecurityGroupRules",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcEndpoints",
                "ec2:DescribeVpcs",
            ),
            resources=everything,
            reason="The security group of runs, and the network where it is created.",
            unbounded="AWS knows no resource of the calls that describe networks.",
        ),
        Statement(
            sid="ReadNetworkSettings",
            actions=("ec2:DescribeVpcAttribute",),
            resources=(place.arn("ec2", "vpc/*"),),
            reason="Whether the network resolves names.",
        ),
    )
