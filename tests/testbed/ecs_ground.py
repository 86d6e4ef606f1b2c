"""What environments on the test AWS stand on: network, cluster, log group, bucket and roles, all of one name."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from components.aws_place import Names, Place
from components.iam import trust
from tests.testbed.aws.handle import Aws

ACCOUNT = "123456789012"
NETWORK, SUBNET = "127.20.0.0/16", "127.20.1.0/24"
"""Inside what this machine answers on, so that tasks reach each other at their addresses."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where an environment's tasks run, under names that nothing else has."""

    aws: Aws
    names: Names
    vpc: str
    subnet: str
    group: str
    """A security group that is open to itself."""

    def role(self, part: str) -> str:
        """ARN of a role."""
        return self.names.place.iam(f"role/{self.names.environment}-{part}")

    def tasks(self) -> list[dict[str, Any]]:
        """The tasks that ECS knows in the cluster, the first one first."""
        ecs = self.aws.client("ecs")
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in ecs.list_tasks(cluster=self.names.cluster_arn, desiredStatus=status)["taskArns"]
        ]
        found = (
            ecs.describe_tasks(cluster=self.names.cluster_arn, tasks=arns, include=["TAGS"])["tasks"] if arns else []
        )
        return sorted(found, key=lambda task: task["createdAt"])


def names_on(aws: Aws, kind_name: str) -> Names:
    """The names of an environment that is the only one of its name.

    Args:
        aws: the test AWS.
        kind_name: begins its name.
    """
    name = f"{kind_name}-{os.urandom(4).hex()}"
    place = Place(partition="aws", region=aws.region, account=ACCOUNT)
    return Names(
        environment=name,
        place=place,
        family=name,
        log_group=f"/penstock/{name}",
        bucket=name,
        cluster_arn=place.arn("ecs", f"cluster/{name}"),
        task_role_arn=place.iam(f"role/{name}-task"),
        execution_role_arn=place.iam(f"role/{name}-execution"),
    )


@contextlib.contextmanager
def ground(aws: Aws, names: Names, roles: Mapping[str, str | None]) -> Iterator[Ground]:
    """Make it; on leaving it is gone, with whatever runs there, and all task definitions of its families.

    Args:
        aws: the test AWS.
        names: what everything is called.
        roles: the policies of roles, by what stands behind the environment's name; null for one that may do nothing.
    """
    name = names.environment
    ec2, ecs, logs, s3, iam = (aws.client(service) for service in ("ec2", "ecs", "logs", "s3", "iam"))
    with contextlib.ExitStack() as stack:
        vpc = ec2.create_vpc(CidrBlock=NETWORK)["Vpc"]["VpcId"]
        stack.callback(ec2.delete_vpc, VpcId=vpc)
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=SUBNET)["Subnet"]["SubnetId"]
        stack.callback(ec2.delete_subnet, SubnetId=subnet)
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        stack.callback(ec2.delete_security_group, GroupId=group)
        itself = [{"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "UserIdGroupPairs": [{"GroupId": group}]}]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=itself)
        made = Ground(aws=aws, names=names, vpc=vpc, subnet=subnet, group=group)
        trusted = trust(place=asdict(names.place))
        for part, policy in roles.items():
            iam.create_role(RoleName=f"{name}-{part}", AssumeRolePolicyDocument=trusted)
            stack.callback(_delete_role, iam, f"{name}-{part}")
            if policy is not None:
                iam.put_role_policy(RoleName=f"{name}-{part}", PolicyName="run", PolicyDocument=policy)
        logs.create_log_group(logGroupName=names.log_group)
        stack.callback(logs.delete_log_group, logGroupName=names.log_group)
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": aws.region})
        stack.callback(_delete_bucket, s3, name)
        ecs.create_cluster(clusterName=name, capacityProviders=["FARGATE", "FARGATE_SPOT"])
        stack.callback(ecs.delete_cluster, cluster=name)
        stack.callback(_delete_definitions, ecs, name)
        stack.callback(_stop_tasks, made, ecs)
        yield made


def _stop_tasks(made: Ground, ecs: Any) -> None:
    for task in made.tasks():
        if task["lastStatus"] != "STOPPED":
            ecs.stop_task(cluster=made.names.cluster_arn, task=task["taskArn"], reason="the test is over")
    made.aws.await_stopped(made.names.cluster_arn)


def _delete_definitions(ecs: Any, name: str) -> None:
    for page in ecs.get_paginator("list_task_definition_families").paginate(familyPrefix=name):
        for family in page["families"]:
            arns = [
                arn
                for status in ("ACTIVE", "INACTIVE")
                for arn in ecs.list_task_definitions(familyPrefix=family, status=status)["taskDefinitionArns"]
            ]
            for arn in arns:
                ecs.deregister_task_definition(taskDefinition=arn)
                ecs.delete_task_definitions(taskDefinitions=[arn])


def _delete_bucket(s3: Any, name: str) -> None:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        for item in page.get("Contents", []):
            s3.delete_object(Bucket=name, Key=item["Key"])
    s3.delete_bucket(Bucket=name)


def _delete_role(iam: Any, name: str) -> None:
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def assets(aws: Aws) -> dict[str, list[str]]:
    """What there is on an AWS that stays where it was created; what runs and ends is not among it."""
    ec2, ecs, iam, logs = (aws.client(service) for service in ("ec2", "ecs", "iam", "logs"))
    definitions = [
        arn
        for status in ("ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS")
        for page in ecs.get_paginator("list_task_definitions").paginate(status=status)
        for arn in page["taskDefinitionArns"]
    ]
    pages = iam.get_paginator("list_policies").paginate(Scope="Local")
    found = {
        "clusters": [arn for page in ecs.get_paginator("list_clusters").paginate() for arn in page["clusterArns"]],
        "task definitions": definitions,
        "roles": [item["Arn"] for page in iam.get_paginator("list_roles").paginate() for item in page["Roles"]],
        "policies": [item["Arn"] for page in pages for item in page["Policies"]],
        "groups": [item["Arn"] for page in iam.get_paginator("list_groups").paginate() for item in page["Groups"]],
        "security groups": [
            f"{item['GroupId']} {item['IpPermissions']} {item['IpPermissionsEgress']}"
            for page in ec2.get_paginator("describe_security_groups").paginate()
            for item in page["SecurityGroups"]
        ],
        "log groups": [
            item["logGroupName"]
            for page in logs.get_paginator("describe_log_groups").paginate()
            for item in page["logGroups"]
        ],
        "buckets": [item["Name"] for item in aws.client("s3").list_buckets()["Buckets"]],
    }
    return {what: sorted(each) for what, each in found.items()}
