"""What a FargateTaskEnvironment creates. Containers and policies are tested with the functions that make them."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components import ecs_policies
from components.fargate_task import FargateTaskEnvironment
from components.iam import policy
from runner.contract import to_bytes
from runner.environment import read
from tests.components.ecs import IMAGE, PARAMETER, SECRET, named, statements
from tests.testbed.pulumi_mocks import VPC_CIDR, Deploy, RecordingMonitor, unknown

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


@pytest.mark.parametrize(
    ("file", "args"), [("fargate-task.json", {}), ("fargate-task-full.json", FULL)], ids=["smallest", "full"]
)
def test_its_document(deploy: Deploy, golden: Any, file: str, args: Any) -> None:
    written = document(deployed(deploy, args))
    written["producer"]["version"] = "any"

    golden(file, json.dumps(written, indent=2, sort_keys=True).encode() + b"\n")


def test_everything_that_the_smallest_creates(deploy: Deploy) -> None:
    bucket = ("Bucket", "BucketPublicAccessBlock", "BucketOwnershipControls", "BucketPolicy")
    settings = ("BucketServerSideEncryptionConfiguration", "BucketLifecycleConfiguration")
    network = "flights-network"

    assert kinds(deployed(deploy)) == {
        TOKEN: ["flights"],
        "penstock:index:EcsCluster": ["flights-cluster"],
        "penstock:index:Network": [network],
        CLUSTER: ["flights-cluster"],
        "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": ["flights-cluster"],
        DEFINITION: ["flights-task"],
        LOGS: ["flights-log"],
        SSM: ["flights-environment"],
        **{f"aws:s3/{kind[0].lower()}{kind[1:]}:{kind}": ["flights-bucket"] for kind in (*bucket, *settings)},
        ROLE: ["flights-execution", "flights-task"],
        INLINE: ["flights-execution", "flights-task"],
        POLICY: ["flights-previewer", "flights-submitter"],
        GROUP: [f"{network}-endpoints", "flights-run"],
        EGRESS: ["flights-run-endpoints", "flights-run-s3"],
        INGRESS: [f"{network}-endpoints"],
        "aws:ec2/vpc:Vpc": [network],
        "aws:ec2/subnet:Subnet": [f"{network}-a", f"{network}-b"],
        "aws:ec2/routeTable:RouteTable": [f"{network}-private"],
        "aws:ec2/routeTableAssociation:RouteTableAssociation": [f"{network}-a", f"{network}-b"],
        ENDPOINT: [f"{network}-{service}" for service in ("ecr-api", "ecr-dkr", "logs", "s3")],
    }


def test_what_exists_is_not_created(deploy: Deploy) -> None:
    roles: Any = {f"{role}_role_arn": f"arn:aws:iam::123456789012:role/{role}" for role in ("task", "execution")}
    cluster = "arn:aws:ecs:eu-west-1:123456789012:cluster/shared"
    monitor = deployed(deploy, cluster_arn=cluster, security_group_ids=["sg-1"], **THEIRS, **roles)

    found = kinds(monitor)
    assert {CLUSTER, ROLE, INLINE, GROUP, EGRESS, ENDPOINT, "aws:ec2/vpc:Vpc"} & set(found) == set()
    section = document(monitor)["fargate_task"]
    assert (section["cluster_arn"], section["subnets"]) == (cluster, THEIRS["subnet_ids"])
    assert section["security_groups"] == ["sg-1"]
    assert definition(monitor)["taskRoleArn"] == roles["task_role_arn"]
    submitter = statements(monitor.named(POLICY, "flights-submitter").inputs["policy"])
    assert submitter["HandRolesToRuns"]["Resource"] == sorted(roles.values())
    assert monitor.exports["cluster_arn"].value == cluster


def test_nothing_can_come_in_and_little_out(deploy: Deploy) -> None:
    monitor = deployed(deploy, THEIRS)

    assert INGRESS not in kinds(monitor)
    assert "ingress" not in monitor.named(GROUP, "flights-run").inputs
    rules = {item.name: item.inputs for item in monitor.own if item.type == EGRESS}
    assert {rule["fromPort"] for rule in rules.values()} == {443}
    assert {name: rule.get("cidrIpv4", rule.get("prefixListId")) for name, rule in rules.items()} == {
        "flights-run-endpoints": VPC_CIDR,
        "flights-run-s3": "pl-s3",
    }


def test_descriptions_of_groups_and_rules_are_such_as_aws_takes(deploy: Deploy) -> None:
    described = [
        item.inputs["description"]
        for args in (FULL, {"secrets": FULL["secrets"]}, {"egress_anywhere": True})
        for item in deployed(deploy, args).own
        if item.type in {GROUP, EGRESS, INGRESS}
    ]

    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
    assert [text for text in described if not re.fullmatch(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}", text)] == []


def test_everywhere_is_only_reached_when_it_is_asked_for(deploy: Deploy) -> None:
    monitor = deployed(deploy, THEIRS, egress_anywhere=True)

    rules = [item.inputs for item in monitor.own if item.type == EGRESS]
    assert {(rule["ipProtocol"], rule.get("cidrIpv4", rule.get("cidrIpv6"))) for rule in rules} == {
        ("-1", "0.0.0.0/0"),
        ("-1", "::/0"),
    }


def test_what_may_be_reached_beside_that(deploy: Deploy) -> None:
    rules = {item.name: item.inputs for item in deployed(deploy, FULL).own if item.type == EGRESS}

    assert set(rules) == {f"flights-run-{name}" for name in ("endpoints", "s3", "files", "10.0.0.0-8-5432")}
    assert rules["flights-run-10.0.0.0-8-5432"]["cidrIpv4"] == "10.0.0.0/8"
    assert rules["flights-run-files"]["fromPort"] == 2049


def test_everything_that_takes_tags_has_them(deploy: Deploy) -> None:
    monitor = deployed(deploy, tags={"team": "data"})
    tagless = ("aws:ecs/clusterCapacityProviders", "aws:iam/rolePolicy", "aws:ec2/routeTableAssociation", "aws:s3/b")

    wanted = {"penstock.dev/environment": "flights", "penstock.dev/managed-by": "pulumi", "team": "data"}
    without = []
    for item in monitor.own:
        if not item.type.startswith("aws:"):
            continue
        if "tags" in item.inputs:
            assert item.inputs["tags"].items() >= wanted.items()
        else:
            without.append(item.type.rpartition(":")[0])
    assert [kind for kind in without if not kind.startswith(tagless)] == []
    assert "tags" in monitor.named("aws:s3/bucket:Bucket", "flights-bucket").inputs


def test_the_bucket_is_the_accounts_own(deploy: Deploy) -> None:
    monitor = deployed(deploy, input_retention_days=7)

    def setting(kind: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = monitor.named(f"aws:s3/{kind[0].lower()}{kind[1:]}:{kind}", "flights-bucket").inputs
        return found

    assert setting("Bucket")["bucket"] == OWN.bucket
    blocked = setting("BucketPublicAccessBlock")
    assert {key for key, value in blocked.items() if value is True} == {
        "blockPublicAcls",
        "blockPublicPolicy",
        "ignorePublicAcls",
        "restrictPublicBuckets",
    }
    assert setting("BucketOwnershipControls")["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    (rule,) = setting("BucketServerSideEncryptionConfiguration")["rules"]
    assert rule == {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}
    (denied,) = statements(setting("BucketPolicy")["policy"]).values()
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    lifecycle = {rule["id"]: rule for rule in setting("BucketLifecycleConfiguration")["rules"]}
    assert {name: lifecycle[name]["expiration"]["days"] for name in ("bundles", "inputs")} == {
        "bundles": 7,
        "inputs": 7,
    }
    assert lifecycle["uploads"]["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 1}


def test_the_task_definition(deploy: Deploy) -> None:
    made = definition(deployed(deploy))

    assert {key: made[key] for key in ("family", "cpu", "memory", "networkMode", "requiresCompatibilities")} == {
        "family": "penstock-flights",
        "cpu": "512",
        "memory": "1024",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
    }
    assert made["runtimePlatform"] == {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}
    assert (made["taskRoleArn"], made["executionRoleArn"]) == (OWN.task_role_arn, OWN.execution_role_arn)
    assert made["volumes"] == [{"name": "tmp"}]


def test_the_task_definition_with_all_that_can_be_asked_for(deploy: Deploy) -> None:
    made = definition(deployed(deploy, FULL))

    assert (made["cpu"], made["memory"], made["family"]) == ("2048", "5120", "flows")
    assert made["ephemeralStorage"] == {"sizeInGib": 50}
    assert made["runtimePlatform"]["cpuArchitecture"] == "ARM64"
    assert made["pidMode"] == "task"
    assert made["proxyConfiguration"] == {"containerName": "proxy", "properties": {"ProxyIngressPort": "15000"}}
    assert made["volumes"] == [
        {
            "name": "lake",
            "efsVolumeConfiguration": {
                "fileSystemId": "fs-1",
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"accessPointId": "fsap-1", "iam": "ENABLED"},
            },
        },
        {"name": "tmp"},
    ]


def test_on_instances_of_ones_own(deploy: Deploy) -> None:
    monitor = deployed(
        deploy,
        launch_type="EC2",
        resources={"cpu_millicores": 300, "memory_mib": 700, "gpu": 1},
        network_mode="bridge",
        ipc_mode="host",
        placement_constraints=[{"type": "memberOf", "expression": "attribute:ecs.instance-type =~ g5.*"}],
        placement_strategy=[{"type": "binpack", "field": "memory"}],
        run_placement_constraints=[{"type": "distinctInstance"}],
    )

    made, section = definition(monitor), document(monitor)["fargate_task"]
    assert (made["cpu"], made["memory"], made["networkMode"], made["ipcMode"]) == ("308", "700", "bridge", "host")
    assert made["requiresCompatibilities"] == ["EC2"]
    assert "runtimePlatform" not in made
    assert made["placementConstraints"] == [{"type": "memberOf", "expression": "attribute:ecs.instance-type =~ g5.*"}]
    assert flow(monitor)["resourceRequirements"] == [{"type": "GPU", "value": "1"}]
    assert (section["launch_type"], section["subnets"], section["security_groups"]) == ("EC2", [], [])
    assert section["placement_strategy"] == [{"type": "binpack", "field": "memory"}]
    assert section["run_placement_constraints"] == [{"type": "distinctInstance", "expression": None}]
    assert GROUP not in kinds(monitor)
    assert document(monitor)["resources"]["memory_mib"] == 700


def test_the_roles_and_policies_are_those_of_the_functions(deploy: Deploy) -> None:
    monitor = deployed(deploy)

    for part, made in (("submitter", ecs_policies.submitter(OWN)), ("previewer", ecs_policies.previewer(OWN))):
        found = monitor.named(POLICY, f"flights-{part}").inputs
        assert (found["name"], found["policy"]) == (OWN.policy(part), policy(made))
    assert set(statements(monitor.named(INLINE, "flights-task").inputs["policy"])) == {"ReadOwnCode"}
    execution = statements(monitor.named(INLINE, "flights-execution").inputs["policy"])
    assert set(execution) == {"WriteLog", "LogInToRegistry", "PullImage"}


def test_what_flows_may_call_is_said_by_the_user(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)

    own = statements(monitor.named(INLINE, "flights-own").inputs["policy"])
    assert own["Own1"]["Action"] == ["s3:GetObject"]
    attached = monitor.named("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "flights-task-0").inputs
    assert attached["policyArn"] == "arn:aws:iam::aws:policy/AmazonAthenaFullAccess"
    task = statements(monitor.named(INLINE, "flights-task").inputs["policy"])
    assert set(task) == {"ReadOwnCode", "ExecuteCommand", "MountLake"}
    execution = statements(monitor.named(INLINE, "flights-execution").inputs["policy"])
    assert {"ReadSecrets", "ReadParameters"} <= set(execution)


def test_a_first_preview_shows_everything_but_the_revision(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL, preview=True)

    json.loads(monitor.named(POLICY, "flights-submitter").inputs["policy"])
    for item in monitor.own:
        if item.type in {POLICY, INLINE}:
            assert item.inputs["policy"].startswith('{"Statement":'), item.name
    assert flow(monitor)["image"] == IMAGE
    assert definition(monitor)["taskRoleArn"].startswith("arn:aws:iam::123456789012:role/")


def test_the_parameter_holds_the_documents_bytes(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)
    made = monitor.named(SSM, "flights-environment").inputs

    assert made["insecureValue"].encode() == to_bytes(document(monitor))
    assert (made["name"], made["type"], made["tier"]) == ("/penstock/analysts/environment", "String", "Standard")
    assert read(made["insecureValue"], warn=lambda _: None).name == "analysts"


def test_a_longer_document_takes_a_parameter_of_the_advanced_tier(deploy: Deploy) -> None:
    made = deployed(deploy, env={"LONG": "x" * 4096}).named(SSM, "flights-environment").inputs

    assert made["tier"] == "Advanced"


def test_an_image_that_is_only_known_later(deploy: Deploy) -> None:
    def program() -> None:
        component = FargateTaskEnvironment("flights", {"image": unknown()})
        pulumi.export("environment", component.environment)

    monitor = deploy(program, preview=True)

    assert not monitor.exports["environment"].known
    json.loads(monitor.named(POLICY, "flights-submitter").inputs["policy"])


def test_an_endpoint_for_each_store_of_secrets_that_is_used(deploy: Deploy) -> None:
    monitor = deployed(deploy, secrets=[{"env": "TOKEN", "arn": SECRET}], enable_execute_command=True)
    endpoints = {item.name: item.inputs for item in monitor.own if item.type == ENDPOINT}

    names = ("ecr-api", "ecr-dkr", "logs", "s3", "secretsmanager", "ssmmessages")
    assert set(endpoints) == {f"flights-network-{name}" for name in names}
    assert endpoints["flights-network-s3"]["vpcEndpointType"] == "Gateway"
    assert endpoints["flights-network-ecr-api"]["serviceName"] == "com.amazonaws.eu-west-1.ecr.api"
    assert endpoints["flights-network-ecr-api"]["privateDnsEnabled"] is True
    rule = monitor.named(INGRESS, "flights-network-endpoints").inputs
    assert (rule["cidrIpv4"], rule["fromPort"], rule["toPort"]) == ("10.111.0.0/24", 443, 443)


def test_a_network_is_in_two_zones(deploy: Deploy) -> None:
    monitor = deployed(deploy, network_cidr="127.40.0.0/24", availability_zones=["eu-west-1b", "eu-west-1c"])

    subnets = [item.inputs for item in monitor.own if item.type == "aws:ec2/subnet:Subnet"]
    assert sorted((item["cidrBlock"], item["availabilityZone"]) for item in subnets) == [
        ("127.40.0.0/25", "eu-west-1b"),
        ("127.40.0.128/25", "eu-west-1c"),
    ]
    assert {item["mapPublicIpOnLaunch"] for item in subnets} == {False}


def test_a_cluster_is_not_measured_unless_asked_for(deploy: Deploy) -> None:
    for args, value in (({}, "disabled"), ({"container_insights": True}, "enabled")):
        made = deployed(deploy, args).named(CLUSTER, "flights-cluster").inputs
        assert made["settings"] == [{"name": "containerInsights", "value": value}]


def test_stacks_of_other_kinds_do_not_load_the_sdk_for_aws() -> None:
    probe = "import sys, components; print('pulumi_aws' in sys.modules)"
    finished = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert finished.stdout.strip() == "False"
