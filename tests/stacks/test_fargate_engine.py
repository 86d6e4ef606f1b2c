"""The example stack for ECS under the real Pulumi CLI and SDK, on the test AWS with the provider of the tests.

AWS' own provider is not among the parts: see tests/testbed/aws/provider/README.md.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from components import ecs_policies
from components.iam import policy
from tests.stacks.ecs_stacks import DEFINITION, PARAMETER, called, named, steps
from tests.testbed.aws.handle import Aws
from tests.testbed.pulumi_aws import Attached, attached_provider, aws_engine, aws_stack_from_example
from tests.testbed.pulumi_engine import Engine
from tests.testbed.pulumi_kubernetes import Stack

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

EXAMPLE = {"image": "penstock.local/flights:test", "network_cidr": "127.40.0.0/24"}
VPC = "aws:ec2/vpc:Vpc"
SELF = "penstock:index:FargateTaskEnvironment"


@pytest.fixture(scope="module")
def provider(aws_server: Aws) -> Iterator[Attached]:
    with attached_provider(aws_server) as provider:
        yield provider


@pytest.fixture(scope="module")
def engine(provider: Attached, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return aws_engine(tmp_path_factory.mktemp("engine"), provider)


@pytest.fixture(scope="module")
def flights(engine: Engine) -> Iterator[Stack]:
    """The example, provisioned, which no test changes."""
    with aws_stack_from_example(engine, environment_name="flights", **EXAMPLE) as stack:
        stack.up()
        yield stack


@pytest.fixture(scope="module")
def edited(engine: Engine) -> Iterator[Stack]:
    """Another one, whose configuration tests change and put back."""
    with aws_stack_from_example(engine, environment_name="edited", **EXAMPLE) as stack:
        stack.up()
        yield stack


NEW_REVISION = {DEFINITION: {"replace"}, PARAMETER: {"update"}, SELF: {"update"}}


def test_a_first_preview_shows_policies_and_containers_without_an_unknown(engine: Engine) -> None:
    with aws_stack_from_example(engine, environment_name="new", **EXAMPLE) as stack:
        preview = json.loads(stack.do("preview", "--json"))

    own = named("new")
    inputs = {
        (step["urn"].split("::")[2].rpartition("$")[2], step["urn"].rpartition("-")[2]): step["newState"]["inputs"]
        for step in preview["steps"]
        if "inputs" in step["newState"]
    }
    policies = {name: found["policy"] for name, found in inputs.items() if "policy" in found}
    assert policies["aws:iam/policy:Policy", "submitter"] == policy(ecs_policies.submitter(own))
    assert policies["aws:iam/policy:Policy", "previewer"] == policy(ecs_policies.previewer(own))
    assert all(isinstance(json.loads(text), dict) for text in policies.values())
    definition = inputs[DEFINITION, "task"]
    assert json.loads(definition["containerDefinitions"])[0]["image"] == EXAMPLE["image"]
    assert definition["taskRoleArn"] == own.task_role_arn


def test_a_second_preview_is_empty_also_when_it_looks_at_aws(flights: Stack) -> None:
    flights.do("preview", "--expect-no-changes")
    flights.do("preview", "--expect-no-changes", "--refresh")


@pytest.mark.long
def test_a_previewer_may_read_all_that_a_preview_looks_at(flights: Stack, aws_server: Aws) -> None:
    made = ecs_policies.previewer(named("flights"))
    aws_server.calls(clear=True)

    flights.do("preview", "--expect-no-changes", "--refresh")

    actions = called(aws_server)
    # It needs no right: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    assert actions - {"sts:GetCallerIdentity"} - {action for item in made for action in item.actions} == set()
    assert {action.partition(":")[0] for action in actions} == {"ec2", "ecs", "iam", "logs", "s3", "ssm", "sts"}


def test_the_document_at_aws_is_the_stacks_output_byte_by_byte(flights: Stack, aws_server: Aws) -> None:
    environment, data = flights.environment()

    stored = aws_server.client("ssm").get_parameter(Name="/penstock/flights/environment")["Parameter"]
    assert (stored["Value"].encode(), stored["Type"]) == (data, "String")
    assert environment.fargate_task is not None
    assert environment.fargate_task.task_definition_arn.endswith("task-definition/penstock-flights:1")
    assert environment.image == EXAMPLE["image"]


def test_the_policies_are_at_aws_as_the_functions_make_them(flights: Stack, aws_server: Aws) -> None:
    iam, own = aws_server.client("iam"), named("flights")

    for part, made in (("submitter", ecs_policies.submitter(own)), ("previewer", ecs_policies.previewer(own))):
        arn = flights.do("stack", "output", f"{part}_policy_arn").strip()
        assert arn == own.place.iam(f"policy/{own.policy(part)}")
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        stored = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        assert stored == json.loads(policy(made))
    for part, sid in (("task", "ReadOwnCode"), ("execution", "WriteLog")):
        stored = iam.get_role_policy(RoleName=own.role(part), PolicyName=part)["PolicyDocument"]
        assert stored["Statement"][0]["Sid"] == sid


def test_what_ecs_and_s3_have(flights: Stack, aws_server: Aws) -> None:
    own = named("flights")
    (cluster,) = aws_server.client("ecs").describe_clusters(clusters=[own.cluster], include=["TAGS"])["clusters"]
    definition = aws_server.client("ecs").describe_task_definition(taskDefinition=own.family)["taskDefinition"]
    s3 = aws_server.client("s3")

    assert cluster["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert {"key": "penstock.dev/environment", "value": "flights"} in cluster["tags"]
    assert (definition["cpu"], definition["memory"], definition["networkMode"]) == ("512", "1024", "awsvpc")
    assert definition["taskRoleArn"] == own.task_role_arn
    assert definition["containerDefinitions"][0]["name"] == "flow"
    blocked = s3.get_public_access_block(Bucket=own.bucket)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    (denied,) = json.loads(s3.get_bucket_policy(Bucket=own.bucket)["Policy"])["Statement"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.long
def test_runs_reach_endpoints_and_s3_and_nothing_reaches_them(flights: Stack, aws_server: Aws) -> None:
    environment, _ = flights.environment()
    assert environment.fargate_task is not None
    ec2 = aws_server.client("ec2")

    (group,) = ec2.describe_security_groups(GroupIds=list(environment.fargate_task.security_groups))["SecurityGroups"]
    assert group["IpPermissions"] == []
    reached = {
        (item.get("CidrIp") or item["PrefixListId"]).partition("-")[0]
        for rule in group["IpPermissionsEgress"]
        for item in [*rule["IpRanges"], *rule["PrefixListIds"]]
    }
    assert reached == {EXAMPLE["network_cidr"], "pl"}
    assert {rule["FromPort"] for rule in group["IpPermissionsEgress"]} == {443}
    subnets = ec2.describe_subnets(SubnetIds=list(environment.fargate_task.subnets))["Subnets"]
    assert sorted(subnet["CidrBlock"] for subnet in subnets) == ["127.40.0.0/25", "127.40.0.128/25"]
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [group["VpcId"]]}])["RouteTables"]
    gateways = {route.get("GatewayId", "")[:4] for table in tables for route in table["Routes"]}
    assert gateways <= {"loca", "vpce", ""}


@pytest.fixture
def own_network(aws_server: Aws) -> Iterator[tuple[str, list[str]]]:
    """A network that somebody else has made: its id, and its subnets'."""
    ec2 = aws_server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="127.42.0.0/24")["Vpc"]["VpcId"]
    blocks = ("127.42.0.0/25", "127.42.0.128/25")
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=block)["Subnet"]["SubnetId"] for block in blocks]
    yield vpc, subnets
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)


@pytest.mark.long
def test_a_network_of_ones_own_gets_a_security_group_and_nothing_else(
    engine: Engine, own_network: tuple[str, list[str]], aws_server: Aws
) -> None:
    vpc, (first, second) = own_network
    ec2 = aws_server.client("ec2")
    mine = [{"Name": "vpc-id", "Values": [vpc]}]
    settings = {"vpc_id": vpc, "subnet_ids[0]": first, "subnet_ids[1]": second, "assign_public_ip": "true"}
    with aws_stack_from_example(engine, environment_name="guest", image=EXAMPLE["image"], **settings) as stack:
        stack.up()
        stack.do("preview", "--expect-no-changes")
        environment, _ = stack.environment()
        groups = ec2.describe_security_groups(Filters=mine)["SecurityGroups"]
        endpoints = ec2.describe_vpc_endpoints(Filters=mine)["VpcEndpoints"]

    section = environment.fargate_task
    assert section is not None
    assert (set(section.subnets), section.assign_public_ip) == ({first, second}, True)
    (group,) = [group for group in groups if group["GroupName"] != "default"]
    assert list(section.security_groups) == [group["GroupId"]]
    assert group["IpPermissions"] == []
    reached = {
        item.get("CidrIp") or item["PrefixListId"]
        for rule in group["IpPermissionsEgress"]
        for item in [*rule["IpRanges"], *rule["PrefixListIds"]]
    }
    of_s3 = [{"Name": "prefix-list-name", "Values": ["com.amazonaws.eu-west-1.s3"]}]
    (listed,) = ec2.describe_managed_prefix_lists(Filters=of_s3)["PrefixLists"]
    assert reached == {"127.42.0.0/24", listed["PrefixListId"]}
    assert endpoints == []
    assert [group["GroupName"] for group in ec2.describe_security_groups(Filters=mine)["SecurityGroups"]] == ["default"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("image", "penstock.local/flights:other", NEW_REVISION),
        ("env.MODE", "fast", NEW_REVISION),
        ("timeouts.grace_seconds", "60", NEW_REVISION),
        ("resources.memory_mib", "2048", NEW_REVISION),
        ("timeouts.run_seconds", "60", {PARAMETER: {"update"}, SELF: {"update"}}),
        ("log_retention_days", "7", {"aws:cloudwatch/logGroup:LogGroup": {"update"}, SELF: {"update"}}),
        (
            "input_retention_days",
            "7",
            {"aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {"update"}, SELF: {"update"}},
        ),
        ("resources.memory_mib", "1000", {SELF: {"update"}}),
    ],
)
def test_an_edit_of_one_property_is_shown_as_what_it_is(edited: Stack, path: str, value: str, expected: Any) -> None:
    assert steps(edited, path, value) == expected


@pytest.mark.long
def test_an_edit_of_tags_replaces_nothing(edited: Stack) -> None:
    found = steps(edited, "tags.team", "science")

    assert set().union(*found.values()) == {"update"}
    assert {DEFINITION, "aws:ecs/cluster:Cluster", "aws:iam/role:Role", VPC, "aws:s3/bucket:Bucket"} <= set(found)


def test_an_image_makes_a_new_revision_that_the_document_names(edited: Stack, aws_server: Aws) -> None:
    stack = edited
    before = stack.file.read_text()
    stack.set("image", "penstock.local/flights:other")
    stack.up()
    environment, data = stack.environment()
    stack.file.write_text(before)

    assert environment.fargate_task is not None
    revision = int(environment.fargate_task.task_definition_arn.rpartition(":")[2])
    assert revision > 1
    stored = aws_server.client("ssm").get_parameter(Name="/penstock/edited/environment")["Parameter"]["Value"]
    assert stored.encode() == data
    stack.up()
    stack.do("preview", "--expect-no-changes")


def test_a_mistake_is_one_sentence_from_preview(edited: Stack) -> None:
    before = edited.file.read_text()
    edited.set("resources.gpu", "1")
    try:
        finished = edited.run("preview")
    finally:
        edited.file.write_text(before)

    (error,) = finished.errors
    assert error == (
        "penstock:resources.gpu is 1, expected none: Fargate has no GPU; EC2 has. "
        f"Correct it in stacks/Pulumi.{edited.name}.yaml."
    )


def test_a_network_that_is_not_there_is_one_sentence_from_preview(engine: Engine) -> None:
    settings = {"vpc_id": "vpc-0123456789abcdef0", "subnet_ids[0]": "subnet-0123456789abcdef0"}
    with aws_stack_from_example(engine, environment_name="lost", image=EXAMPLE["image"], **settings) as stack:
        finished = stack.run("preview")

    (error,) = [error for error in finished.errors if "vpc_id" in error]
    assert error.startswith(f"FargateTaskEnvironment '{stack.name}': vpc_id is none that AWS knows (")
    assert error.endswith("), expected the id of a VPC in the account and region. Correct that argument.")
    assert "Traceback" not in finished.out + finished.err


@pytest.mark.long
def test_destroy_leaves_nothing(engine: Engine, aws_server: Aws) -> None:
    client = aws_server.client
    tagged = [{"Name": "tag:penstock.dev/environment", "Values": ["gone"]}]
    with aws_stack_from_example(engine, environment_name="gone", **EXAMPLE) as stack:
        stack.up()
        own = named("gone")
        client("s3").put_object(Bucket=own.bucket, Key="bundles/x.zip", Body=b"x")
        assert len(client("ec2").describe_vpcs(Filters=tagged)["Vpcs"]) == 1

        stack.destroy()

    clusters = client("ecs").describe_clusters(clusters=[own.cluster])["clusters"]
    assert [found for found in clusters if found["status"] != "INACTIVE"] == []
    assert client("ecs").list_task_definitions(familyPrefix=own.family)["taskDefinitionArns"] == []
    assert client("logs").describe_log_groups(logGroupNamePrefix=own.log_group)["logGroups"] == []
    assert [found for found in client("iam").list_roles()["Roles"] if "penstock-gone" in found["RoleName"]] == []
    policies = client("iam").list_policies(Scope="Local")["Policies"]
    assert [found for found in policies if "penstock-gone" in found["PolicyName"]] == []
    assert own.bucket not in [found["Name"] for found in client("s3").list_buckets()["Buckets"]]
    parameters = client("ssm").describe_parameters()["Parameters"]
    assert own.parameter not in [found["Name"] for found in parameters]
    ec2 = client("ec2")
    assert ec2.describe_vpcs(Filters=tagged)["Vpcs"] == []
    assert ec2.describe_subnets(Filters=tagged)["Subnets"] == []
    assert ec2.describe_security_groups(Filters=tagged)["SecurityGroups"] == []
    endpoints = ec2.describe_vpc_endpoints(Filters=tagged)["VpcEndpoints"]
    assert [found for found in endpoints if found["State"] != "deleted"] == []
    assert f"{stack.name}.json" not in engine.stacks
