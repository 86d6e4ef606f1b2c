"""The example stack for ECS with Dask workers under the real Pulumi CLI and SDK, on the test AWS.

AWS' own provider is not among the parts: see tests/testbed/aws/provider/README.md. What holds for every environment on
ECS is tested in test_fargate_engine.py.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from components import dask_task_policies, ecs_policies, ecs_roles
from components.aws_place import Names, with_workers
from components.iam import policy
from runner.sections import DaskCloudProvider
from tests.stacks.ecs_stacks import DEFINITION, PARAMETER, called, changed, named
from tests.testbed.aws.handle import Aws
from tests.testbed.pulumi_aws import Attached, attached_provider, aws_engine, aws_stack_from_example, existing
from tests.testbed.pulumi_engine import Engine
from tests.testbed.pulumi_kubernetes import Stack

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

EXAMPLE = "Pulumi.dask-cloud-provider.yaml"
CHANGES = {"image": "penstock.local/flights:test", "network_cidr": "127.43.0.0/24"}
SELF = ("penstock:index:DaskCloudProviderEnvironment", "")
DOCUMENT = {(PARAMETER, "environment"): "update", SELF: "update"}
INLINE, POLICY = "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"
INGRESS, EGRESS = (f"aws:vpc/securityGroup{way}Rule:SecurityGroup{way}Rule" for way in ("Ingress", "Egress"))


def own(environment: str, *, scheduler_task: bool = False) -> Names:
    return with_workers(named(environment), scheduler_task=scheduler_task)


def section(stack: Stack) -> DaskCloudProvider:
    environment, _ = stack.environment()
    assert environment.dask_cloud_provider is not None
    return environment.dask_cloud_provider


@pytest.fixture(scope="module")
def provider(aws_server: Aws) -> Iterator[Attached]:
    with attached_provider(aws_server) as provider:
        yield provider


@pytest.fixture(scope="module")
def engine(provider: Attached, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return aws_engine(tmp_path_factory.mktemp("engine"), provider)


@pytest.fixture(scope="module")
def flights(engine: Engine) -> Iterator[Stack]:
    """The example, provisioned; what tests change in its configuration, they put back."""
    with aws_stack_from_example(engine, example=EXAMPLE, environment_name="dasked", **CHANGES) as stack:
        stack.up()
        yield stack


def test_a_first_preview_shows_policies_and_containers_without_an_unknown(engine: Engine) -> None:
    with aws_stack_from_example(engine, example=EXAMPLE, environment_name="new-dask", **CHANGES) as stack:
        preview = json.loads(stack.do("preview", "--json"))

    inputs = {
        (step["urn"].split("::")[2].rpartition("$")[2], step["urn"].rpartition("-")[2]): step["newState"]["inputs"]
        for step in preview["steps"]
        if "inputs" in step["newState"]
    }
    new = own("new-dask")
    assert inputs[INLINE, "task"]["policy"] == policy([*ecs_roles.task(new), *dask_task_policies.run(new, tls=True)])
    assert inputs[INLINE, "worker"]["policy"] == policy(dask_task_policies.worker(new, tls=True))
    assert inputs[POLICY, "previewer"]["policy"] == policy(ecs_policies.previewer(new))
    for part, names in (("task", ["cleanup", "flow"]), ("worker", ["dask-worker"])):
        containers = json.loads(inputs[DEFINITION, part]["containerDefinitions"])
        assert [(item["name"], item["image"]) for item in containers] == [(name, CHANGES["image"]) for name in names]


def test_a_second_preview_is_empty_also_when_it_looks_at_aws(flights: Stack) -> None:
    flights.do("preview", "--expect-no-changes")
    flights.do("preview", "--expect-no-changes", "--refresh")


@pytest.mark.long
def test_a_previewer_may_read_all_that_a_preview_looks_at(flights: Stack, aws_server: Aws) -> None:
    made = ecs_policies.previewer(own("dasked"))
    aws_server.calls(clear=True)

    flights.do("preview", "--expect-no-changes", "--refresh")

    allowed = {action for item in made for action in item.actions}
    # It needs no right: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    assert called(aws_server) - {"sts:GetCallerIdentity"} - allowed == set()


def test_what_ecs_has(flights: Stack, aws_server: Aws) -> None:
    ecs, said = aws_server.client("ecs"), section(flights)

    def definition(arn: str) -> dict[str, Any]:
        found: dict[str, Any] = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        return found

    task, worker = definition(said.task_definition_arn), definition(said.worker_task_definition_arn)
    assert (task["family"], worker["family"]) == ("penstock-dasked", "penstock-dasked-worker")
    flow, cleanup = sorted(task["containerDefinitions"], key=lambda item: not item["essential"])
    assert (flow["name"], cleanup["name"], cleanup["essential"]) == ("flow", "cleanup", False)
    assert cleanup["entryPoint"] == ["python3", "-P", "-m", "runner.clusters.ecs_cleanup"]
    assert cleanup["environment"] == [{"name": "PENSTOCK_SECRETS_PREFIX", "value": "penstock/dasked/"}]
    (container,) = worker["containerDefinitions"]
    assert (container["name"], container["entryPoint"]) == (
        "dask-worker",
        ["python3", "-P", "-m", "runner.clusters.entry"],
    )
    assert "command" not in container or container["command"] == []
    assert (worker["cpu"], worker["memory"]) == ("512", str(said.worker_resources.memory_mib))
    assert worker["taskRoleArn"] == said.worker_task_role_arn == own("dasked").worker_task_role_arn
    assert task["taskRoleArn"] != worker["taskRoleArn"]
    assert said.scheduler_task_definition_arn is None
    assert said.secrets_prefix == "penstock/dasked/"
    assert said.tags == {"team": "data"}
    tags = ecs.list_tags_for_resource(resourceArn=said.worker_task_definition_arn)["tags"]
    assert {tag["key"] for tag in tags} == {"penstock.dev/environment", "penstock.dev/managed-by", "team"}


def test_the_policies_are_at_aws_as_the_functions_make_them(flights: Stack, aws_server: Aws) -> None:
    iam, names = aws_server.client("iam"), own("dasked")

    arn = flights.do("stack", "output", "submitter_policy_arn").strip()
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    stored = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    submitter = [*ecs_policies.submitter(names), *dask_task_policies.submitter(names, tls=True)]
    assert stored == json.loads(policy(submitter))
    task = [*ecs_roles.task(names), *dask_task_policies.run(names, tls=True)]
    for part, made in (("task", task), ("worker", dask_task_policies.worker(names, tls=True))):
        found = iam.get_role_policy(RoleName=names.role(part), PolicyName=part)["PolicyDocument"]
        assert found == json.loads(policy(made))
        assert iam.list_role_policies(RoleName=names.role(part))["PolicyNames"] == [part]


def test_only_runs_and_their_workers_reach_each_other(flights: Stack, aws_server: Aws) -> None:
    said = section(flights)

    (group,) = aws_server.client("ec2").describe_security_groups(GroupIds=list(said.security_groups))["SecurityGroups"]
    assert group["VpcId"] == said.vpc_id
    itself = {(rule["FromPort"], rule["ToPort"]) for rule in group["IpPermissions"]}
    assert itself == {(8786, 8786), (8788, 8788)}
    for rule in group["IpPermissions"]:
        assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [group["GroupId"]]
        assert rule["IpProtocol"] == "tcp"
        assert [rule.get(key, []) for key in ("IpRanges", "Ipv6Ranges", "PrefixListIds")] == [[], [], []]
    out = {rule["FromPort"]: rule for rule in group["IpPermissionsEgress"]}
    assert set(out) == {443, 8786, 8788}
    assert [pair["GroupId"] for pair in out[8788]["UserIdGroupPairs"]] == [group["GroupId"]]


@pytest.mark.long
def test_a_network_that_is_created_has_doors_to_what_runs_call(flights: Stack, aws_server: Aws) -> None:
    inside = [{"Name": "vpc-id", "Values": [section(flights).vpc_id]}]

    endpoints = aws_server.client("ec2").describe_vpc_endpoints(Filters=inside)["VpcEndpoints"]
    services = {item["ServiceName"].removeprefix("com.amazonaws.eu-west-1.") for item in endpoints}
    assert services == {"ecr.api", "ecr.dkr", "ecs", "logs", "s3", "secretsmanager"}


@pytest.mark.long
@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (
            "image",
            "penstock.local/flights:other",
            {(DEFINITION, "task"): "replace", (DEFINITION, "worker"): "replace", **DOCUMENT},
        ),
        ("worker_resources.memory_mib", "2048", {(DEFINITION, "worker"): "replace", **DOCUMENT}),
        ("worker_resources.memory_mib", "1000", {SELF: "update"}),
        ("resources.memory_mib", "2048", {(DEFINITION, "task"): "replace", **DOCUMENT}),
        ("max_workers", "8", DOCUMENT),
        ("fargate_spot", "true", DOCUMENT),
        ("worker_threads", "2", DOCUMENT),
        (
            "scheduler_port",
            "9000",
            {(INGRESS, "run-scheduler"): "update", (EGRESS, "run-scheduler"): "update", **DOCUMENT},
        ),
        (
            "scheduler_task",
            "true",
            {
                (DEFINITION, "scheduler"): "create",
                (INLINE, "task"): "update",
                (POLICY, "previewer"): "update",
                **DOCUMENT,
            },
        ),
        (
            "tls",
            "false",
            {
                (DEFINITION, "task"): "replace",
                (INLINE, "task"): "update",
                (INLINE, "worker"): "delete",
                (POLICY, "submitter"): "update",
                ("aws:ec2/vpcEndpoint:VpcEndpoint", "network-secretsmanager"): "delete",
                ("penstock:index:Network", "network"): "update",
                **DOCUMENT,
            },
        ),
    ],
)
def test_an_edit_of_one_property_is_shown_as_what_it_is(flights: Stack, path: str, value: str, expected: Any) -> None:
    assert changed(flights, path, value) == expected


def test_a_mistake_is_one_sentence_from_preview(flights: Stack) -> None:
    before = flights.file.read_text()
    flights.set("provider_kwargs.n_workers", "4")
    try:
        finished = flights.run("preview")
    finally:
        flights.file.write_text(before)

    (error,) = finished.errors
    assert error == (
        "penstock:provider_kwargs.n_workers is given, expected the arguments min_workers and max_workers. "
        f"Correct it in stacks/Pulumi.{flights.name}.yaml."
    )


@pytest.mark.long
def test_a_scheduler_in_a_task_of_its_own_and_nothing_left_of_it_all(engine: Engine, aws_server: Aws) -> None:
    before = existing(aws_server)
    changes = {**CHANGES, "network_cidr": "127.44.0.0/24", "scheduler_task": "true", "environment_name": "gone-dask"}
    with aws_stack_from_example(engine, example=EXAMPLE, **changes) as stack:
        stack.up()
        stack.do("preview", "--expect-no-changes", "--refresh")
        arn = section(stack).scheduler_task_definition_arn
        found = aws_server.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
        assert [item["name"] for item in found["containerDefinitions"]] == ["dask-scheduler"]
        assert found["taskRoleArn"] == section(stack).worker_task_role_arn
        assert len(existing(aws_server) - before) > 20

        stack.destroy()

    assert existing(aws_server) - before == set()
