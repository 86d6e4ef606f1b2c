"""What a FargateTaskEnvironment refuses, before it registers anything: each in one sentence that names the argument."""

from typing import Any

import pulumi
import pytest

from components.fargate_task import FargateTaskEnvironment
from components.given import ArgumentError
from tests.components.ecs import IMAGE, PARAMETER, SECRET
from tests.testbed.pulumi_mocks import Deploy

THEIRS = {"vpc_id": "vpc-1", "subnet_ids": ["subnet-1"]}
ROLE = "arn:aws:iam::123456789012:role/own"
STATEMENT = {"actions": ["s3:GetObject"], "resources": ["*"]}
SPOT, MINE = {"provider": "FARGATE_SPOT"}, {"provider": "mine"}
DISTINCT: dict[str, Any] = {"type": "distinctInstance"}
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"image": None}, "image", "what every run of kind fargate-task needs"),
    ({"inference_accelerators": []}, "inference_accelerators", "one of"),
    ({"famly": "x"}, "famly", "family, the nearest known key"),
    ({"launch_type": "SPOT"}, "launch_type", "one of FARGATE, EC2, EXTERNAL"),
    ({"launch_type": "FARGATE", "capacity_provider_strategy": [SPOT]}, "launch_type", "only one of both"),
    ({"capacity_provider_strategy": [SPOT, MINE]}, "capacity_provider_strategy", "either FARGATE and FARGATE_SPOT"),
    ({"capacity_provider_strategy": [{**SPOT, "weight": 0}]}, "capacity_provider_strategy", "at least one"),
    ({"capacity_provider_strategy": [{"weight": 1}]}, "capacity_provider_strategy[0].provider", "a value"),
    ({"resources": {"cpu_millicores": 40_000}}, "resources.cpu_millicores", "at most the 32,000 of Fargate"),
    ({"resources": {"memory_mib": 300_000}}, "resources.memory_mib", "of Fargate"),
    ({"resources": {"memory_mib": 0}}, "resources.memory_mib", "at least 1"),
    ({"resources": {"gpu": 1}}, "resources.gpu", "none: Fargate has no GPU; EC2 has"),
    ({"network_mode": "bridge"}, "network_mode", "awsvpc on FARGATE"),
    ({"launch_type": "EXTERNAL", "network_mode": "awsvpc"}, "network_mode", "bridge or host or none on EXTERNAL"),
    ({"launch_type": "EXTERNAL", **THEIRS}, "vpc_id", "in network mode bridge a task has no network interface"),
    (
        {"launch_type": "EC2", "platform_version": "1.4.0"},
        "platform_version",
        "only tasks on FARGATE have it",
    ),
    ({"launch_type": "EC2", "ephemeral_storage_gib": 30}, "ephemeral_storage_gib", "not on EC2"),
    ({"launch_type": "EC2", **THEIRS, "assign_public_ip": True}, "assign_public_ip", "not on EC2"),
    ({"launch_type": "EXTERNAL", "cpu_architecture": "ARM64"}, "cpu_architecture", "only tasks on FARGATE and EC2"),
    (
        {"launch_type": "EXTERNAL", "placement_strategy": [{"type": "random"}]},
        "placement_strategy",
        "only tasks on EC2",
    ),
    ({"ipc_mode": "host"}, "ipc_mode", "not on FARGATE"),
    ({"pid_mode": "host"}, "pid_mode", "task or none on FARGATE"),
    ({"placement_constraints": [DISTINCT]}, "placement_constraints", "only tasks on EC2 and EXTERNAL"),
    ({"launch_type": "EC2", "placement_constraints": [DISTINCT]}, "placement_constraints[0].type", "memberOf"),
    ({"ephemeral_storage_gib": 20}, "ephemeral_storage_gib", "from 21 to 200"),
    ({"operating_system_family": "WINDOWS_SERVER_2022_CORE"}, "operating_system_family", "one of LINUX"),
    ({"log_retention_days": 31}, "log_retention_days", "60, or another of 1, 3, 5"),
    ({"input_retention_days": 0}, "input_retention_days", "at least 1"),
    ({"timeouts": {"grace_seconds": 116}}, "timeouts.grace_seconds", "at most 115, since ECS kills at 120"),
    ({"vpc_id": "vpc-1"}, "subnet_ids", "both vpc_id and subnet_ids"),
    ({"subnet_ids": ["subnet-1"]}, "vpc_id", "both vpc_id and subnet_ids"),
    ({"security_group_ids": ["sg-1"]}, "security_group_ids", "none without vpc_id and subnet_ids"),
    ({"assign_public_ip": True}, "assign_public_ip", "none without vpc_id and subnet_ids"),
    ({**THEIRS, "network_cidr": "10.0.0.0/24"}, "network_cidr", "a network that exists is not the stack's"),
    ({"network_cidr": "10.0.0.0/28"}, "network_cidr", "a range from /16 to /27"),
    ({"network_cidr": "10.0.0.1/24"}, "network_cidr", "a range of addresses such as 10.111.0.0/24"),
    ({**THEIRS, "security_group_ids": ["sg-1"], "egress_anywhere": True}, "egress_anywhere", "not the stack's"),
    ({"egress": [{"ports": [1]}]}, "egress[0]", "exactly one of cidr, prefix_list_id, security_group_id"),
    ({"egress": [{"cidr": "10.0.0.0/8", "ports": [0]}]}, "egress[0].ports[0]", "a port, from 1 to 65535"),
    ({"egress": [{"cidr": "everywhere"}]}, "egress[0].cidr", "a range of addresses"),
    ({"egress": [{"cidr": "10.0.0.0/8"}], "egress_anywhere": True}, "egress", "that is everything already"),
    ({"task_role_arn": ROLE, "task_role_statements": [STATEMENT]}, "task_role_statements", "not the stack's"),
    ({"task_role_arn": ROLE, "task_role_policy_arns": [ROLE]}, "task_role_policy_arns", "not the stack's"),
    ({"cluster_arn": "arn:aws:ecs:eu-west-1:1:cluster/x", "container_insights": True}, "container_insights", "not the"),
    ({"secrets": [{"env": "X", "arn": PARAMETER, "key": "a"}]}, "secrets[0].key", "none"),
    ({"secrets": [{"env": "X", "arn": SECRET}], "env": {"X": "1"}}, "secrets", "each variable once"),
    ({"mount_points": [{"volume": "x", "path": "/x"}]}, "mount_points[0].volume", "the name of one of volumes"),
    ({"volumes": [{"name": "tmp"}]}, "volumes[0].name", "another name, or a mount point at /tmp"),
    ({"volumes": [{"name": "a b"}]}, "volumes[0].name", "at most 255 letters"),
    ({"container_definitions": "missing.yaml"}, "container_definitions", "the path of a file with"),
    ({"container_definitions": [{"name": "flow", "cmd": []}]}, "container_definitions[0].cmd", "command"),
    ({"tags": {"penstock.dev/x": "1"}}, "tags.penstock.dev/x", "this tag is Penstock's own"),
    ({"tags": {"aws:x": "1"}}, "tags", "not beginning with aws:"),
    ({"tags": {"a": "x" * 257}}, "tags.a", "at most 256"),
    ({"routing_labels": ["a", "a"]}, "routing_labels", "each label once"),
]


@pytest.mark.parametrize(
    ("args", "path", "expected"), REFUSED, ids=[f"{path}-{i}" for i, (_, path, _) in enumerate(REFUSED)]
)
def test_it_is_refused_and_nothing_is_registered(deploy: Deploy, args: Any, path: str, expected: str) -> None:
    given: Any = {"image": IMAGE, **args}

    def program() -> None:
        with pytest.raises(ArgumentError) as refusal:
            FargateTaskEnvironment("flights", given)
        assert refusal.value.path == path
        assert expected in refusal.value.expected
        assert "Traceback" not in str(refusal.value)

    assert deploy(program).own == []


def test_a_cluster_of_another_region_is_refused_as_soon_as_the_region_is_known(deploy: Deploy) -> None:
    def program() -> None:
        FargateTaskEnvironment(
            "flights", {"image": IMAGE, "cluster_arn": "arn:aws:ecs:eu-west-2:123456789012:cluster/x"}
        )

    with pytest.raises(ArgumentError, match=r"cluster_arn is .*, expected a cluster of this account and region"):
        deploy(program)


def test_a_document_that_no_parameter_holds_is_refused(deploy: Deploy) -> None:
    def program() -> None:
        FargateTaskEnvironment("flights", {"image": IMAGE, "env": {"LONG": "x" * 9000}})

    with pytest.raises(ArgumentError, match="a parameter of Systems Manager holds 8,192"):
        deploy(program)


def test_what_is_wrong_in_what_is_known_later_is_refused_then(deploy: Deploy) -> None:
    def program() -> None:
        FargateTaskEnvironment(
            "flights", {"image": IMAGE, "resources": {"memory_mib": pulumi.Output.from_input(300_000)}}
        )

    with pytest.raises(ArgumentError, match=r"resources\.memory_mib is 300,000, expected at most the"):
        deploy(program)
