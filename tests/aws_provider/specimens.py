"""One sound resource of every type, and a change of it that AWS does in place."""

import json
from dataclasses import dataclass, field
from typing import Any

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def policy(action: str = "s3:GetObject", **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def containers(**more: Any) -> str:
    return json.dumps([{"name": "flow", "image": "python:3.12", **more}])


TASK = {
    "family": "flow",
    "cpu": "256",
    "memory": "512",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "containerDefinitions": containers(),
}


@dataclass(frozen=True, kw_only=True)
class Specimen:
    resource: str
    inputs: dict[str, Any]
    """Texts that start with $ stand for the id of what is made first."""
    change: dict[str, Any] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()
    """Outputs that AWS has not got of it, or that are not modelled."""
    stays: bool = False
    """Whether something of it is left when it is deleted."""
    needs: tuple[str, ...] = ()
    """Short names of the specimens that must be there."""


SPECIMENS = {
    "cluster": Specimen(
        resource="aws:ecs/cluster:Cluster",
        inputs={"settings": [{"name": "containerInsights", "value": "disabled"}], "tags": {"a": "1", "b": "2"}},
        change={"settings": [{"name": "containerInsights", "value": "enabled"}], "tags": {"a": "2"}},
    ),
    "capacity": Specimen(
        resource="aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
        inputs={"clusterName": "$cluster.name", "capacityProviders": ["FARGATE"]},
        change={"capacityProviders": ["FARGATE", "FARGATE_SPOT"]},
        needs=("cluster",),
    ),
    "task": Specimen(
        resource="aws:ecs/taskDefinition:TaskDefinition",
        inputs={**TASK, "tags": {"a": "1"}},
        change={"tags": {"a": "2", "b": "3"}},
    ),
    "role": Specimen(
        resource="aws:iam/role:Role",
        inputs={"assumeRolePolicy": TRUST, "description": "one", "tags": {"a": "1"}},
        change={"description": "two", "tags": {"b": "1"}},
    ),
    "role policy": Specimen(
        resource="aws:iam/rolePolicy:RolePolicy",
        inputs={"role": "$role.name", "policy": policy()},
        change={"policy": policy("s3:PutObject")},
        needs=("role",),
    ),
    "policy": Specimen(
        resource="aws:iam/policy:Policy",
        inputs={"policy": policy(), "tags": {"a": "1"}},
        change={"policy": policy("s3:PutObject"), "tags": {"a": "2"}},
    ),
    "attachment": Specimen(
        resource="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        inputs={"role": "$role.name", "policyArn": "$policy.arn"},
        needs=("role", "policy"),
    ),
    "log group": Specimen(
        resource="aws:cloudwatch/logGroup:LogGroup",
        inputs={"retentionInDays": 7, "tags": {"a": "1"}},
        change={"retentionInDays": 14, "tags": {"a": "2"}},
    ),
    "parameter": Specimen(
        resource="aws:ssm/parameter:Parameter",
        inputs={"type": "String", "insecureValue": "one", "tier": "Standard", "tags": {"a": "1"}},
        change={"insecureValue": "two", "tags": {"a": "2"}},
    ),
    "vpc": Specimen(
        resource="aws:ec2/vpc:Vpc",
        inputs={"cidrBlock": "10.9.0.0/16", "enableDnsHostnames": True, "tags": {"a": "1"}},
        change={"enableDnsHostnames": False, "tags": {"a": "2"}},
    ),
    "subnet": Specimen(
        resource="aws:ec2/subnet:Subnet",
        inputs={"vpcId": "$vpc.id", "cidrBlock": "10.9.1.0/24", "tags": {"a": "1"}},
        change={"mapPublicIpOnLaunch": True, "tags": {"a": "2"}},
        needs=("vpc",),
    ),
    "security group": Specimen(
        resource="aws:ec2/securityGroup:SecurityGroup",
        inputs={"vpcId": "$vpc.id", "description": "of flows", "tags": {"a": "1"}},
        change={"tags": {"a": "2"}},
        needs=("vpc",),
    ),
    "ingress": Specimen(
        resource="aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        inputs={
            "securityGroupId": "$security group.id",
            "ipProtocol": "tcp",
            "fromPort": 80,
            "toPort": 80,
            "cidrIpv4": "10.0.0.0/8",
        },
        change={"cidrIpv4": "10.9.0.0/16"},
        needs=("vpc", "security group"),
    ),
    "egress": Specimen(
        resource="aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        inputs={"securityGroupId": "$security group.id", "ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"},
        change={"description": "out"},
        needs=("vpc", "security group"),
    ),
    "route table": Specimen(
        resource="aws:ec2/routeTable:RouteTable",
        inputs={"vpcId": "$vpc.id", "tags": {"a": "1"}},
        change={"tags": {"a": "2"}},
        needs=("vpc",),
    ),
    "association": Specimen(
        resource="aws:ec2/routeTableAssociation:RouteTableAssociation",
        inputs={"routeTableId": "$route table.id", "subnetId": "$subnet.id"},
        needs=("vpc", "subnet", "route table"),
    ),
    "gateway endpoint": Specimen(
        resource="aws:ec2/vpcEndpoint:VpcEndpoint",
        inputs={"vpcId": "$vpc.id", "serviceName": "com.amazonaws.eu-west-1.s3", "tags": {"a": "1"}},
        change={"policy": policy(Principal="*"), "tags": {"a": "2"}},
        needs=("vpc",),
    ),
    "interface endpoint": Specimen(
        resource="aws:ec2/vpcEndpoint:VpcEndpoint",
        inputs={
            "vpcId": "$vpc.id",
            "serviceName": "com.amazonaws.eu-west-1.logs",
            "vpcEndpointType": "Interface",
            "privateDnsEnabled": True,
            "tags": {"a": "1"},
        },
        lacks=frozenset({"prefixListId"}),
        change={"tags": {"a": "2"}},
        needs=("vpc",),
    ),
    "internet gateway": Specimen(
        resource="aws:ec2/internetGateway:InternetGateway",
        inputs={"vpcId": "$vpc.id", "tags": {"a": "1"}},
        change={"tags": {"a": "2"}},
        needs=("vpc",),
    ),
    "database": Specimen(
        resource="aws:rds/instance:Instance",
        inputs={
            "engine": "postgres",
            "username": "flows",
            "instanceClass": "db.t4g.micro",
            "allocatedStorage": 20,
            "manageMasterUserPassword": True,
            "skipFinalSnapshot": True,
            "tags": {"a": "1"},
        },
        lacks=frozenset(
            {
                "hostedZoneId",
                "latestRestorableTime",
                "listenerEndpoints",
                "masterUserSecrets",
                "upgradeRolloutOrder",
            }
        ),
        change={"publiclyAccessible": True, "allocatedStorage": 40, "tags": {"a": "2"}},
    ),
    "bucket": Specimen(
        resource="aws:s3/bucket:Bucket",
        inputs={"forceDestroy": True, "tags": {"a": "1", "b": "2"}},
        lacks=frozenset({"websiteDomain", "websiteEndpoint"}),
        change={"tags": {"a": "2"}},
    ),
    "public access": Specimen(
        resource="aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        inputs={"bucket": "$bucket.id", "blockPublicAcls": True},
        change={"blockPublicPolicy": True},
        needs=("bucket",),
    ),
    "encryption": Specimen(
        resource="aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        inputs={
            "bucket": "$bucket.id",
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
        },
        change={"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]},
        needs=("bucket",),
    ),
    "lifecycle": Specimen(
        resource="aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        inputs={
            "bucket": "$bucket.id",
            "rules": [{"id": "old", "status": "Enabled", "filter": {"prefix": "inputs/"}, "expiration": {"days": 7}}],
        },
        change={
            "rules": [{"id": "old", "status": "Enabled", "filter": {"prefix": "inputs/"}, "expiration": {"days": 9}}]
        },
        needs=("bucket",),
    ),
    "bucket policy": Specimen(
        resource="aws:s3/bucketPolicy:BucketPolicy",
        inputs={"bucket": "$bucket.id", "policy": policy(Principal="*", Effect="Deny")},
        change={"policy": policy("s3:PutObject", Principal="*", Effect="Deny")},
        needs=("bucket",),
    ),
    "ownership": Specimen(
        resource="aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        inputs={"bucket": "$bucket.id", "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        change={"rule": {"objectOwnership": "BucketOwnerPreferred"}},
        needs=("bucket",),
    ),
    "versioning": Specimen(
        resource="aws:s3/bucketVersioning:BucketVersioning",
        inputs={"bucket": "$bucket.id", "versioningConfiguration": {"status": "Enabled"}},
        change={"versioningConfiguration": {"status": "Suspended"}},
        stays=True,
        needs=("bucket",),
    ),
    "secret": Specimen(
        resource="aws:secretsmanager/secret:Secret",
        inputs={"description": "one", "recoveryWindowInDays": 0, "tags": {"a": "1"}},
        change={"description": "two", "tags": {"a": "2"}},
    ),
}
