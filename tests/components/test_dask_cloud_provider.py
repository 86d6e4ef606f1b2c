"""What a DaskCloudProviderEnvironment creates beside what a FargateTaskEnvironment does."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components import dask_task_policies, ecs_policies, ecs_roles
from components.aws_place import with_workers
from components.dask_cloud_provider import DaskCloudProviderEnvironment
from components.iam import policy
from runner.contract import to_bytes
from runner.environment import read
from runner.sections import ECS_CLUSTER, FARGATE_CLUSTER
from tests.components import fargate
from tests.components.dask_cloud_provider import FULL, TOKEN, containers, definition, deployed, section
from tests.components.ecs import IMAGE, named, statements
from tests.components.fargate import DEFINITION, EGRESS, INGRESS, INLINE, POLICY, ROLE, SSM, THEIRS, document, kinds
from tests.testbed.pulumi_mocks import Deploy, unknown

OWN = with_workers(named(), scheduler_task=False)
SHARED = "arn:aws:ecs:eu-west-1:123456789012:cluster/shared"


@pytest.mark.parametrize(
    ("file", "args"),
    [("dask-cloud-provider.json", {}), ("dask-cloud-provider-full.json", FULL)],
    ids=["smallest", "full"],
)
def test_its_document(deploy: Deploy, golden: Any, file: str, args: Any) -> None:
    written = document(deployed(deploy, args))
    written["producer"]["version"] = "any"

    golden(file, json.dumps(written, indent=2, sort_keys=True).encode() + b"\n")


def test_everything_that_is_created_beside_what_runs_without_workers_need(deploy: Deploy) -> None:
    mine, theirs = kinds(deployed(deploy)), kinds(fargate.deployed(deploy))
    more = {kind: sorted(set(names) - set(theirs.get(kind, []))) for kind, names in mine.items()}

    assert {kind: names for kind, names in more.items() if names} == {
        TOKEN: ["flights"],
        DEFINITION: ["flights-worker"],
        ROLE: ["flights-worker"],
        INLINE: ["flights-worker"],
        INGRESS: ["flights-run-scheduler", "flights-run-worker"],
        EGRESS: ["flights-run-scheduler", "flights-run-worker"],
        "aws:ec2/vpcEndpoint:VpcEndpoint": ["flights-network-ecs", "flights-network-secretsmanager"],
    }
    assert set(theirs) - set(mine) == {fargate.TOKEN}


def test_nothing_is_marked_as_dask_cloudproviders_own(deploy: Deploy) -> None:
    tagged = [item.inputs["tags"] for item in deployed(deploy, FULL).own if "tags" in item.inputs]

    assert len(tagged) > 10
    assert all("createdBy" not in tags for tags in tagged)


def test_the_task_definition_of_workers(deploy: Deploy) -> None:
    made = definition(monitor := deployed(deploy), "worker")

    assert {key: made[key] for key in ("family", "cpu", "memory", "networkMode", "requiresCompatibilities")} == {
        "family": "penstock-flights-worker",
        "cpu": "512",
        "memory": "1024",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
    }
    assert (made["taskRoleArn"], made["executionRoleArn"]) == (OWN.worker_task_role_arn, OWN.execution_role_arn)
    assert made["volumes"] == [{"name": "tmp"}]
    assert made["tags"] == definition(monitor, "task")["tags"]
    assert set(containers(monitor, "worker")) == {"dask-worker"}
    assert set(containers(monitor, "task")) == {"cleanup", "flow"}
    assert containers(monitor, "task")["cleanup"]["environment"][0]["value"] == section(monitor)["secrets_prefix"]


def test_the_size_of_workers_is_said_once(deploy: Deploy) -> None:
    monitor = deployed(deploy, worker_resources={"cpu_millicores": 3000, "memory_mib": 9000})

    made, said = definition(monitor, "worker"), section(monitor)["worker_resources"]
    assert (made["cpu"], made["memory"]) == ("4096", "9216")
    assert (said["cpu_millicores"], said["memory_mib"]) == (4000, 9216)
    assert definition(monitor, "task")["cpu"] == "512"


def test_the_task_definitions_with_all_that_can_be_asked_for(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)
    task, worker, scheduler = (definition(monitor, part) for part in ("task", "worker", "scheduler"))

    assert [made["family"] for made in (task, worker, scheduler)] == ["flows", "flows-worker", "flows-scheduler"]
    assert (scheduler["cpu"], scheduler["memory"]) == ("1024", "4096")
    assert scheduler["taskRoleArn"] == worker["taskRoleArn"] != task["taskRoleArn"]
    assert task["volumes"] == worker["volumes"] == scheduler["volumes"]
    for made in (task, worker, scheduler):
        assert made["ephemeralStorage"] == {"sizeInGib": 50}
        assert made["runtimePlatform"]["cpuArchitecture"] == "ARM64"
    assert [key for key in ("pidMode", "proxyConfiguration") if key in worker or key in scheduler] == []
    assert set(containers(monitor, "scheduler")) == {"dask-scheduler"}
    assert {"cleanup", "flow", "proxy"} == set(containers(monitor, "task"))


def test_volumes_are_on_a_scheduler_only_when_asked_for(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL, mount_volumes_on_scheduler=False)

    assert definition(monitor, "scheduler")["volumes"] == [{"name": "tmp"}]
    (container,) = containers(monitor, "scheduler").values()
    assert [mount["sourceVolume"] for mount in container["mountPoints"]] == ["tmp"]
    (container,) = containers(monitor, "worker").values()
    assert [mount["sourceVolume"] for mount in container["mountPoints"]] == ["lake", "tmp"]


def test_workers_on_instances(deploy: Deploy) -> None:
    monitor = deployed(
        deploy,
        provider_class="ECSCluster",
        cluster_arn=SHARED,
        scheduler_task=True,
        fargate_scheduler=True,
        worker_resources={"cpu_millicores": 700, "memory_mib": 900, "gpu": 2},
    )
    made, said = definition(monitor, "worker"), section(monitor)

    assert made["requiresCompatibilities"] == ["EC2"]
    assert definition(monitor, "scheduler")["requiresCompatibilities"] == ["FARGATE"]
    assert definition(monitor, "task")["requiresCompatibilities"] == ["FARGATE"]
    assert (made["cpu"], made["memory"]) == ("717", "900")
    assert containers(monitor, "worker")["dask-worker"]["resourceRequirements"] == [{"type": "GPU", "value": "2"}]
    assert "resourceRequirements" not in containers(monitor, "task")["flow"]
    assert (said["provider_class"], said["fargate_workers"], said["fargate_scheduler"]) == (ECS_CLUSTER, False, True)
    assert said["worker_resources"]["gpu"] == 2


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({}, (FARGATE_CLUSTER, True, True)),
        ({"provider_class": "ECSCluster", "cluster_arn": SHARED}, (ECS_CLUSTER, False, False)),
        ({"provider_class": "ECSCluster", "fargate_workers": True}, (ECS_CLUSTER, True, False)),
        ({"provider_class": "mine:Cluster"}, ("mine:Cluster", True, True)),
    ],
)
def test_where_workers_are_follows_from_the_class(deploy: Deploy, args: Any, expected: Any) -> None:
    said = section(deployed(deploy, args))

    assert (said["provider_class"], said["fargate_workers"], said["fargate_scheduler"]) == expected


def test_without_encryption_there_are_no_keys(deploy: Deploy) -> None:
    monitor = deployed(deploy, tls=False)

    assert (section(monitor)["tls"], section(monitor)["secrets_prefix"]) == (False, None)
    assert "environment" not in containers(monitor, "task")["cleanup"]
    assert "flights-worker" not in kinds(monitor)[INLINE]
    assert "flights-network-secretsmanager" not in kinds(monitor)["aws:ec2/vpcEndpoint:VpcEndpoint"]
    for item in monitor.own:
        if item.type in {POLICY, INLINE}:
            assert "secretsmanager" not in item.inputs["policy"], item.name


def test_without_encryption_a_worker_still_mounts_file_systems_as_itself(deploy: Deploy) -> None:
    for iam, mounting in ((True, {"MountLake"}), (False, set())):
        volume = {"name": "lake", "efs": {"file_system_id": "fs-1", "iam": iam}}
        monitor = deployed(deploy, tls=False, volumes=[volume])
        found = [item for item in monitor.own if (item.type, item.name) == (INLINE, "flights-worker")]
        assert {sid for item in found for sid in statements(item.inputs["policy"])} == mounting


def test_the_roles_and_policies_are_those_of_the_functions(deploy: Deploy) -> None:
    monitor = deployed(deploy)

    submitter = [*ecs_policies.submitter(OWN), *dask_task_policies.submitter(OWN, tls=True)]
    for part, made in (("submitter", submitter), ("previewer", ecs_policies.previewer(OWN))):
        found = monitor.named(POLICY, f"flights-{part}").inputs
        assert (found["name"], found["policy"]) == (OWN.policy(part), policy(made))
    task = [*ecs_roles.task(OWN), *dask_task_policies.run(OWN, tls=True)]
    for part, allowed in (("task", task), ("worker", dask_task_policies.worker(OWN, tls=True))):
        found = monitor.named(INLINE, f"flights-{part}").inputs
        assert (found["name"], found["policy"]) == (part, policy(allowed))
    role = monitor.named(ROLE, "flights-worker").inputs
    assert role["name"] == "penstock-flights-eu-west-1-worker"
    assert role["assumeRolePolicy"] == monitor.named(ROLE, "flights-task").inputs["assumeRolePolicy"]


def test_what_the_user_lets_flows_call_workers_may_too(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)

    task, worker = (monitor.named(INLINE, f"flights-{name}").inputs for name in ("own", "worker-own"))
    assert (task["policy"], task["name"]) == (worker["policy"], worker["name"])
    assert statements(worker["policy"])["Own1"]["Action"] == ["s3:GetObject"]
    assert "MountLake" in statements(monitor.named(INLINE, "flights-worker").inputs["policy"])
    for part in ("task", "worker"):
        kind = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
        attached = monitor.named(kind, f"flights-{part}-0").inputs
        assert attached["policyArn"] == "arn:aws:iam::aws:policy/AmazonAthenaFullAccess"
        assert attached["role"].endswith(f"-{part}")


def test_what_exists_is_not_created(deploy: Deploy) -> None:
    arguments = {part: f"{part}_role_arn" for part in ("task", "execution", "worker_task")}
    roles: Any = {key: f"arn:aws:iam::123456789012:role/{part}" for part, key in arguments.items()}
    monitor = deployed(deploy, cluster_arn=SHARED, security_group_ids=["sg-1"], **THEIRS, **roles)

    assert {ROLE, INLINE, INGRESS, EGRESS, fargate.CLUSTER} & set(kinds(monitor)) == set()
    said = section(monitor)
    assert (said["vpc_id"], said["security_groups"]) == ("vpc-1", ["sg-1"])
    assert {key: said[key] for key in ("execution_role_arn", "worker_task_role_arn")}.items() <= roles.items()
    assert definition(monitor, "worker")["taskRoleArn"] == roles["worker_task_role_arn"]


def test_a_run_and_its_workers_reach_each_other_and_nobody_else_reaches_them(deploy: Deploy) -> None:
    monitor = deployed(deploy, THEIRS, scheduler_port=9000)

    def rules(kind: str) -> dict[str, Mapping[str, Any]]:
        return {item.name: item.inputs for item in monitor.own if item.type == kind}

    for kind in (INGRESS, EGRESS):
        for name, port in (("flights-run-scheduler", 9000), ("flights-run-worker", 8788)):
            rule = rules(kind)[name]
            assert (rule["ipProtocol"], rule["fromPort"], rule["toPort"]) == ("tcp", port, port)
            assert rule["securityGroupId"] == rule["referencedSecurityGroupId"] == "flights-run-id"
            assert {"cidrIpv4", "cidrIpv6", "prefixListId"} & set(rule) == set()
    assert set(rules(INGRESS)) == {"flights-run-scheduler", "flights-run-worker"}
    assert set(rules(EGRESS)) == {f"flights-run-{name}" for name in ("endpoints", "s3", "scheduler", "worker")}
    assert section(monitor)["scheduler_port"] == 9000


def test_the_parameter_holds_the_documents_bytes(deploy: Deploy) -> None:
    made = (monitor := deployed(deploy, FULL)).named(SSM, "flights-environment").inputs

    assert made["insecureValue"].encode() == to_bytes(document(monitor))
    environment = read(made["insecureValue"], warn=lambda _: None)
    assert environment.with_workers is environment.on_ecs is environment.dask_cloud_provider is not None


def test_a_first_preview_shows_everything_but_the_revisions(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL, preview=True)

    for item in monitor.own:
        if item.type in {POLICY, INLINE}:
            assert item.inputs["policy"].startswith('{"Statement":'), item.name
    for part in ("task", "worker", "scheduler"):
        assert all(container["image"] for container in containers(monitor, part).values())
        assert definition(monitor, part)["taskRoleArn"].startswith("arn:aws:iam::123456789012:role/")


def test_what_is_only_known_later(deploy: Deploy) -> None:
    def program() -> None:
        component = DaskCloudProviderEnvironment(
            "flights", {"image": unknown(), "max_workers": unknown(), "worker_resources": unknown()}
        )
        pulumi.export("environment", component.environment)

    monitor = deploy(program, preview=True)

    assert not monitor.exports["environment"].known
    json.loads(monitor.named(POLICY, "flights-submitter").inputs["policy"])


def test_what_is_known_later_is_taken_then(deploy: Deploy) -> None:
    monitor = deployed(
        deploy,
        image=pulumi.Output.from_input(IMAGE),
        min_workers=pulumi.Output.from_input(1),
        max_workers=3,
        worker_resources={"memory_mib": pulumi.Output.from_input(3000)},
        scheduler_port=pulumi.Output.from_input(9001),
    )
    said = section(monitor)

    assert (said["min_workers"], said["max_workers"], said["scheduler_port"]) == (1, 3, 9001)
    assert said["worker_resources"]["memory_mib"] == 3072
    assert definition(monitor, "worker")["memory"] == "3072"
    assert monitor.named(INGRESS, "flights-run-scheduler").inputs["fromPort"] == 9001
