"""A task with its surroundings, changed by the stack's configuration."""

import json

import pulumi
from pulumi_aws import cloudwatch, ecs, get_caller_identity, iam, s3, ssm

config = pulumi.Config()
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}

cluster = ecs.Cluster("probe", tags={"team": "data"})
ecs.ClusterCapacityProviders("probe", cluster_name=cluster.name, capacity_providers=["FARGATE"])
group = cloudwatch.LogGroup("probe", name="/probe", retention_in_days=config.get_int("days") or 7)
role = iam.Role("probe", assume_role_policy=json.dumps(TRUST))
iam.RolePolicy("probe", role=role.name, policy=json.dumps(READ))
bucket = s3.Bucket("probe", force_destroy=True)
secret = ssm.Parameter(
    "secret", type="SecureString", value=config.get_secret("word") or pulumi.Output.secret("hunter2")
)
environment = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
if config.get_bool("reordered"):
    environment.reverse()
container = {
    "name": "flow",
    "image": config.get("image") or "python:3.12",
    "environment": environment,
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "/probe", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "run"},
    },
}
task = ecs.TaskDefinition(
    "probe",
    family="probe",
    cpu="256",
    memory=config.get("memory") or "512",
    network_mode="awsvpc",
    requires_compatibilities=["FARGATE"],
    execution_role_arn=role.arn,
    container_definitions=json.dumps([container]),
)
pulumi.export("task", task.arn)
pulumi.export("bucket", bucket.bucket)
pulumi.export("secret", secret.name)
pulumi.export("account", get_caller_identity().account_id)
