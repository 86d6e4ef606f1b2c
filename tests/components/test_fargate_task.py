"""What a FargateTaskEnvironment creates. Containers and policies are tested with the functions that make them."""

import json
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
from tests.components.ecs import IMAGE, statements
from tests.components.fargate import (
    CLUSTER,
    DEFINITION,
    EGRESS,
    ENDPOINT,
    FULL,
    GROUP,
    INGRESS,
    INLINE,
    LOGS,
    OWN,
    POLICY,
    ROLE,
    SSM,
    THEIRS,
    TOKEN,
    definition,
    deployed,
    document,
    flow,
    kinds,
)
from tests.testbed.pulumi_mocks import Deploy, unknown


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
    assert {name: lifecycle[name]["expiration"]["days"] for name in ("bundles", "inputs", "artifacts")} == {
        "bundles": 7,
        "inputs": 7,
        "artifacts": 7,
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
    assert set(statements(monitor.named(INLINE, "flights-task").inputs["policy"])) == {"ReadOwnCode", "KeepFiles"}
    execution = statements(monitor.named(INLINE, "flights-execution").inputs["policy"])
    assert set(execution) == {"WriteLog", "LogInToRegistry", "PullImage"}


def test_what_flows_may_call_is_said_by_the_user(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)

    own = statements(monitor.named(INLINE, "flights-own").inputs["policy"])
    assert own["Own1"]["Action"] == ["s3:GetObject"]
    attached = monitor.named("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "flights-task-0").inputs
    assert attached["policyArn"] == "arn:aws:iam::aws:policy/AmazonAthenaFullAccess"
    task = statements(monitor.named(INLINE, "flights-task").inputs["policy"])
    assert set(task) == {"ReadOwnCode", "KeepFiles", "ExecuteCommand", "MountLake"}
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


def test_a_cluster_is_not_measured_unless_asked_for(deploy: Deploy) -> None:
    for args, value in (({}, "disabled"), ({"container_insights": True}, "enabled")):
        made = deployed(deploy, args).named(CLUSTER, "flights-cluster").inputs
        assert made["settings"] == [{"name": "containerInsights", "value": value}]


def test_stacks_of_other_kinds_do_not_load_the_sdk_for_aws() -> None:
    probe = "import sys, components; print('pulumi_aws' in sys.modules)"
    finished = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert finished.stdout.strip() == "False"
