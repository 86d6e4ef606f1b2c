"""Edits of stacks at AWS: of our examples, and of what can be beside them."""

import json

from tests.stacks.review.recording.case import SHOWN, Case, edit, resource, whole
from tests.stacks.review.recording.places import IMAGE

ANYONE = "0.0.0.0/0"
MANY_GIB = "16384"
EVERYTHING = (
    ("egress[0].cidr", ANYONE),
    ("max_workers", "40"),
    ("image", IMAGE),
    ("task_role_statements[0].actions[0]", "s3:*"),
    ("task_role_statements[0].resources[0]", "*"),
    ("log_retention_days", "3"),
)
CASES = (
    *whole("dask-prod"),
    Case(name="dask-prod-create-summary", place="dask-prod", first=True, command=("preview", "--output", "json")),
    Case(name="dask-prod-max-workers-events", place="dask-prod", edits=(("max_workers", "40"),), streamed=True),
    edit("dask-prod", "max-workers", ("max_workers", "40")),
    edit("dask-prod", "wrong", ("kind", "nonsense")),
    edit("dask-prod", "digest-dropped", ("image", IMAGE)),
    edit("dask-prod", "egress", ("egress[0].cidr", ANYONE)),
    edit("dask-prod", "egress-wider", ("egress[0].cidr", "10.0.0.0/8")),
    edit(
        "dask-prod",
        "statements",
        ("task_role_statements[0].actions[0]", "*"),
        ("task_role_statements[0].resources[0]", "*"),
    ),
    edit(
        "dask-prod",
        "pass-role",
        ("task_role_statements[0].actions[0]", "iam:PassRole"),
        ("task_role_statements[0].resources[0]", "arn:aws:iam::123456789012:role/*"),
    ),
    edit("dask-prod", "retention", ("log_retention_days", "3"), ("input_retention_days", "7")),
    edit(
        "dask-prod",
        "workers-size",
        ("worker_resources.memory_mib", MANY_GIB),
        ("worker_resources.cpu_millicores", "4000"),
    ),
    edit("dask-prod", "timeouts", ("timeouts.run_seconds", "600")),
    edit("dask-prod", "bucket", ("bucket_name", "another-bucket")),
    edit("dask-prod", "network", ("network_cidr", "127.50.0.0/24")),
    edit("dask-prod", "tags", ("tags.cost-center", "blue")),
    edit("dask-prod", "document", ("routing_labels[2]", "gpu"), ("env.LEVEL", "DEBUG")),
    edit("dask-prod", "renamed", ("environment_name", "dask-new")),
    edit("dask-prod", "execute-command", ("enable_execute_command", "true")),
    edit(
        "dask-prod",
        "secret",
        ("secrets[0].env", "TOKEN"),
        ("secrets[0].arn", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:api-AbCdEf"),
    ),
    edit("dask-prod", "everything", *EVERYTHING),
    *(
        Case(
            name=f"dask-prod-everything-{command[-1].strip('-')}", place="dask-prod", edits=EVERYTHING, command=command
        )
        for command in SHOWN
    ),
    *whole("flights"),
    edit("flights", "image", ("image", "penstock.local/flights:latest")),
    edit("flights", "public-address", ("assign_public_ip", "true")),
    edit("flights", "cluster", ("cluster_arn", "arn:aws:ecs:eu-west-1:123456789012:cluster/shared")),
    edit("flights", "role", ("task_role_arn", "arn:aws:iam::123456789012:role/somebodys")),
    edit("flights", "managed-policy", ("task_role_policy_arns[0]", "arn:aws:iam::aws:policy/AmazonS3FullAccess")),
    *whole("beside-aws"),
    resource("beside-aws", "trust", ("reader.properties.assumeRolePolicy.Statement[0].Principal", '{"AWS":"*"}')),
    resource(
        "beside-aws",
        "policy-widened",
        ("read.properties.policy.Statement[0].Action[1]", "s3:PutObject"),
        ("read.properties.policy.Statement[0].Resource[0]", "*"),
    ),
    resource(
        "beside-aws",
        "policy-not-known",
        ("newer.type", "aws:secretsmanager/secret:Secret"),
        ("newer.properties", '{"name":"newer-keys"}'),
        ("read.after", "newer"),
        ("read.properties.policy.Statement[0].Resource[1]", "$id"),
    ),
    *(
        resource("beside-aws", name, (f"reader.properties.assumeRolePolicy.Statement[0].Principal.{kind}", principal))
        for name, kind, principal in (
            ("trust-service", "Service", "lambda.amazonaws.com"),
            ("trust-account", "AWS", "arn:aws:iam::999999999999:root"),
            ("trust-login", "Federated", "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"),
        )
    ),
    resource("beside-aws", "ingress", ("group.properties.ingress[0].cidrBlocks[0]", ANYONE)),
    resource("beside-aws", "ingress-wider", ("group.properties.ingress[0].cidrBlocks[0]", "10.0.0.0/8")),
    resource("beside-aws", "public-bucket", ("block.properties.blockPublicPolicy", "false")),
    resource(
        "beside-aws",
        "bucket-policy",
        ("everyone.type", "aws:s3/bucketPolicy:BucketPolicy"),
        (
            "everyone.properties",
            json.dumps(
                {
                    "bucket": "lake-of-prod",
                    "policy": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": "*",
                                "Action": "s3:GetObject",
                                "Resource": "arn:aws:s3:::lake-of-prod/*",
                            }
                        ],
                    },
                }
            ),
        ),
    ),
    resource("beside-aws", "left-behind", ("kept", "-")),
    resource("beside-aws", "provider-version", ("elsewhere.version", "=8.0.0")),
    resource("beside-aws", "provider-region", ("elsewhere.properties.region", "us-east-1")),
    resource("beside-aws", "provider-tags", ("elsewhere.properties.defaultTags.tags.team", "science")),
    Case(
        name="beside-aws-provider-plugin",
        place="beside-aws",
        edits=(("resources.elsewhere.plugin_download_url", "https://plugins.example"),),
        streamed=True,
    ),
    resource("beside-aws", "container-root", ("task.properties.containerDefinitions[0].user", "root")),
    resource(
        "beside-aws",
        "container-capability",
        ("task.properties.containerDefinitions[0].linuxParameters.capabilities.add[0]", "SYS_PTRACE"),
    ),
    resource(
        "beside-aws",
        "container-volumes",
        ("task.properties.volumes[0].name", "host"),
        ("task.properties.volumes[0].hostPath", "/"),
    ),
    resource(
        "beside-aws",
        "gateway",
        ("gateway.type", "aws:ec2/internetGateway:InternetGateway"),
        ("gateway.properties", '{"vpcId":"vpc-0123456789abcdef0"}'),
    ),
    resource(
        "beside-aws",
        "public-database",
        ("runs.type", "aws:rds/instance:Instance"),
        (
            "runs.properties",
            json.dumps(
                {
                    "identifier": "runs",
                    "engine": "postgres",
                    "username": "flows",
                    "instanceClass": "db.t4g.micro",
                    "allocatedStorage": 20,
                    "manageMasterUserPassword": "true",
                    "publiclyAccessible": "true",
                }
            ),
        ),
    ),
    resource(
        "beside-aws",
        "public-subnet",
        ("subnet.type", "aws:ec2/subnet:Subnet"),
        (
            "subnet.properties",
            '{"vpcId":"vpc-0123456789abcdef0","cidrBlock":"10.20.1.0/24","mapPublicIpOnLaunch":"true"}',
        ),
    ),
    # Events alone tell of a resource of which nothing but the protection changes.
    Case(
        name="beside-aws-unprotected", place="beside-aws", edits=(("resources.lake.protect", "false"),), streamed=True
    ),
    resource("beside-aws", "protected-gone", ("lake", "-")),
    resource("beside-aws", "bucket-gone", ("scratch", "-")),
    resource("beside-aws", "secret-gone", ("keys", "-")),
    resource("beside-aws", "logs-replaced", ("logs.properties.name", "/production")),
    resource(
        "beside-aws",
        "containers",
        ("task.properties.containerDefinitions[0].environment[0].value", "DEBUG"),
        ("task.properties.containerDefinitions[0].readonlyRootFilesystem", "false"),
    ),
)
