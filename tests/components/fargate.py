"""FargateTaskEnvironments of tests: all that can be asked for, and what a deployment has of it."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from components.fargate_task import FargateTaskEnvironment
from tests.components.ecs import IMAGE, PARAMETER, SECRET, named
from tests.testbed.pulumi_mocks import Deploy, RecordingMonitor

TOKEN = "penstock:index:FargateTaskEnvironment"  # noqa: S105 a type token
CLUSTER, DEFINITION = "aws:ecs/cluster:Cluster", "aws:ecs/taskDefinition:TaskDefinition"
ROLE, INLINE, POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
GROUP, ENDPOINT = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/vpcEndpoint:VpcEndpoint"
LOGS, SSM = "aws:cloudwatch/logGroup:LogGroup", "aws:ssm/parameter:Parameter"
OWN = named()
THEIRS: dict[str, Any] = {"vpc_id": "vpc-1", "subnet_ids": ["subnet-1", "subnet-2"]}
FULL: dict[str, Any] = {
    "environment_name": "analysts",
    "routing_labels": ["fargate"],
    "metadata": {"owner": "data team"},
    "image": IMAGE,
    "resources": {"cpu_millicores": 1500, "memory_mib": 5000},
    "env": {"OMP_NUM_THREADS": "1"},
    "secrets": [{"env": "TOKEN", "arn": SECRET, "key": "token"}, {"env": "OTHER", "arn": PARAMETER}],
    "executor": {"type": "dask", "workers": 2},
    "on_exit": "hooks.sub:exit",
    "timeouts": {"run_seconds": 3600, "grace_seconds": 60},
    "retention": {"succeeded_seconds": 0},
    "log": {"level": "WARNING"},
    "failure_policy": {"retries": 2, "oom": "retry"},
    "tags": {"team": "data"},
    "capacity_provider_strategy": [{"provider": "FARGATE_SPOT", "weight": 3}, {"provider": "FARGATE", "base": 1}],
    "container_insights": True,
    "family": "flows",
    "container_definitions": [{"name": "proxy", "image": "registry.example/proxy:1", "essential": False}],
    "cpu_architecture": "ARM64",
    "operating_system_family": "LINUX",
    "platform_version": "1.4.0",
    "ephemeral_storage_gib": 50,
    "volumes": [{"name": "lake", "efs": {"file_system_id": "fs-1", "access_point_id": "fsap-1", "iam": True}}],
    "mount_points": [{"volume": "lake", "path": "/lake"}],
    **THEIRS,
    "egress": [{"cidr": "10.0.0.0/8", "ports": [5432]}],
    "assign_public_ip": True,
    "task_role_statements": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::lake/*"]}],
    "task_role_policy_arns": ["arn:aws:iam::aws:policy/AmazonAthenaFullAccess"],
    "enable_execute_command": True,
    "log_group_name": "/flows",
    "log_retention_days": 90,
    "bucket_name": "flows-of-analysts",
    "input_retention_days": 7,
    "task_group": "batch",
    "pid_mode": "task",
    "proxy_configuration": {"container_name": "proxy", "properties": {"ProxyIngressPort": "15000"}},
    "enable_ecs_managed_tags": False,
    "propagate_tags": "NONE",
}


def deployed(deploy: Deploy, args: Mapping[str, Any] | None = None, *, preview: bool = False, **more: Any) -> Any:
    given: Any = {"image": IMAGE, **(args or {}), **more}

    def program() -> None:
        component = FargateTaskEnvironment("flights", given)
        for name in ("environment", "cluster_arn", "log_group", "submitter_policy_arn", "previewer_policy_arn"):
            pulumi.export(name, getattr(component, name))

    return deploy(program, preview=preview)


def document(monitor: RecordingMonitor) -> dict[str, Any]:
    value: dict[str, Any] = monitor.exports["environment"].value
    return value


def kinds(monitor: RecordingMonitor) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in monitor.own:
        found.setdefault(item.type, []).append(item.name)
    return {key: sorted(names) for key, names in found.items()}


def definition(monitor: RecordingMonitor) -> Mapping[str, Any]:
    return monitor.named(DEFINITION, "flights-task").inputs


def flow(monitor: RecordingMonitor) -> dict[str, Any]:
    return next(item for item in json.loads(definition(monitor)["containerDefinitions"]) if item["name"] == "flow")
