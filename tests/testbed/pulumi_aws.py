"""Stacks on an AWS of this machine: the provider of the tests, and stacks that leave nothing behind."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tests.testbed.aws.handle import Aws
from tests.testbed.aws.provider.wire import dump, load
from tests.testbed.pulumi_engine import CHECKOUT, Engine, penstock_at
from tests.testbed.pulumi_kubernetes import Stack

EXAMPLE = "Pulumi.fargate-task.yaml"
ENVIRONMENT = "flights"
PLUGIN_FOLDER = CHECKOUT / "tests" / "testbed" / "aws" / "provider" / "bin"
"""Put on PATH, it gives the Pulumi CLI the provider as a plugin."""
END_SECONDS = 10
CALL_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Attached:
    """A provider that runs for many commands of the CLI."""

    port: int
    aws: Aws

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables with which the CLI uses it."""
        return {**self.aws.env, "PULUMI_DEBUG_PROVIDERS": f"aws:{self.port}"}


@contextmanager
def attached_provider(aws: Aws) -> Iterator[Attached]:
    """A provider for an AWS, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.testbed.aws.provider"],
        cwd=CHECKOUT,
        env={**os.environ, **aws.env},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield Attached(port=int(process.stdout.readline()), aws=aws)
        finally:
            process.terminate()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def aws_engine(folder: Path, provider: Attached) -> Engine:
    """Our project in a folder, for stacks on the provider's AWS; skips the test where there is no CLI."""
    return with_aws(penstock_at(folder), provider)


def with_aws(engine: Engine, provider: Attached) -> Engine:
    """An engine whose stacks are on the provider's AWS."""
    return replace(engine, env={**engine.env, **provider.variables})


@contextmanager
def aws_stack_from_example(engine: Engine, *, example: str = EXAMPLE, **changes: str) -> Iterator[Stack]:
    """An example stack; destroyed at the end, whatever happens.

    Args:
        engine: with the provider.
        example: file of the example in `stacks/`.
        changes: values of its configuration, by path; `environment_name` is the stack's own name if not given.
    """
    name = f"s{secrets.token_hex(4)}"
    stack = Stack(engine=engine, name=name, namespace="")
    shutil.copy(stack.file.with_name(example), stack.file)
    engine.do("stack", "init", name)
    try:
        for path, value in {"environment_name": f"{ENVIRONMENT}-{name}", **changes}.items():
            stack.set(path, value)
        yield stack
    finally:
        if f"{name}.json" in engine.stacks:
            stack.destroy()


@dataclass(frozen=True, kw_only=True)
class Direct:
    """The provider's methods without an engine, about resources of one name."""

    stub: Any
    name: str = "probe"

    def urn(self, token: str) -> str:
        """Name of the resource in the protocol."""
        return f"urn:pulumi:stack::project::{token}::{self.name}"

    def check(self, token: str, **inputs: Any) -> tuple[dict[str, Any], list[str]]:
        """Inputs filled in, and the sentences about what is wrong with them."""
        request = provider_pb2.CheckRequest(urn=self.urn(token), news=dump(inputs), randomSeed=secrets.token_bytes(8))
        answer = self.stub.Check(request, timeout=CALL_SECONDS)
        return load(answer.inputs), [failure.reason for failure in answer.failures]

    def create(self, token: str, **inputs: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Make one: its id, its inputs filled in, its outputs."""
        checked, wrong = self.check(token, **inputs)
        assert wrong == []
        request = provider_pb2.CreateRequest(urn=self.urn(token), properties=dump(checked))
        made = self.stub.Create(request, timeout=CALL_SECONDS)
        return made.id, checked, load(made.properties)

    def diff(self, token: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
        """What changes between inputs that are filled in."""
        request = provider_pb2.DiffRequest(urn=self.urn(token), old_inputs=dump(old), news=dump(new))
        return self.stub.Diff(request, timeout=CALL_SECONDS)

    def update(
        self, token: str, id_: str, outputs: dict[str, Any], old: dict[str, Any], new: dict[str, Any]
    ) -> dict[str, Any]:
        """Change one in place; its outputs."""
        request = provider_pb2.UpdateRequest(
            urn=self.urn(token), id=id_, olds=dump(outputs), old_inputs=dump(old), news=dump(new)
        )
        return load(self.stub.Update(request, timeout=CALL_SECONDS).properties)

    def read(
        self, token: str, id_: str, outputs: dict[str, Any] | None = None, inputs: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """What one is like: id, inputs and outputs; no id when it is gone. By its id alone, as an import."""
        request = provider_pb2.ReadRequest(
            urn=self.urn(token), id=id_, properties=dump(outputs or {}), inputs=dump(inputs or {})
        )
        answer = self.stub.Read(request, timeout=CALL_SECONDS)
        return answer.id, load(answer.inputs), load(answer.properties)

    def delete(self, token: str, id_: str, outputs: dict[str, Any]) -> None:
        """Delete one."""
        request = provider_pb2.DeleteRequest(urn=self.urn(token), id=id_, properties=dump(outputs))
        self.stub.Delete(request, timeout=CALL_SECONDS)

    def invoke(self, token: str, **given: Any) -> dict[str, Any]:
        """The answer of a function."""
        request = provider_pb2.InvokeRequest(tok=token, args=dump(given))
        return load(getattr(self.stub.Invoke(request, timeout=CALL_SECONDS), "return"))

    def configure(self, **given: Any) -> None:
        """Settings of this connection."""
        self.stub.Configure(provider_pb2.ConfigureRequest(args=dump(given)), timeout=CALL_SECONDS)


@contextmanager
def directly(provider: Attached) -> Iterator[Direct]:
    """A connection of its own to a provider, configured."""
    with grpc.insecure_channel(f"127.0.0.1:{provider.port}") as channel:
        direct = Direct(stub=provider_pb2_grpc.ResourceProviderStub(channel))
        direct.configure(region=provider.aws.region)
        yield direct


def existing(aws: Aws) -> set[str]:
    """All that stacks can make and that is there, as type and name; without what every account has.

    So the default VPC with its subnets and groups, and inactive clusters and task definitions, are left out.
    """
    found = {
        "ecs": _ecs(aws.client("ecs")),
        "iam": _iam(aws.client("iam")),
        "ec2": _ec2(aws.client("ec2")),
        "logs": (f"group {item['logGroupName']}" for item in aws.client("logs").describe_log_groups()["logGroups"]),
        "ssm": (f"parameter {item['Name']}" for item in aws.client("ssm").describe_parameters()["Parameters"]),
        "s3": (f"bucket {item['Name']}" for item in aws.client("s3").list_buckets()["Buckets"]),
        "secretsmanager": (
            f"secret {item['Name']}" for item in aws.client("secretsmanager").list_secrets()["SecretList"]
        ),
    }
    return {f"{service} {item}" for service, items in found.items() for item in items}


def _ecs(client: Any) -> Iterator[str]:
    clusters = client.describe_clusters(clusters=client.list_clusters()["clusterArns"])["clusters"]
    yield from (f"cluster {item['clusterName']}" for item in clusters if item["status"] == "ACTIVE")
    for arn in client.list_task_definitions(status="ACTIVE")["taskDefinitionArns"]:
        yield f"task definition {arn.rsplit('/', 1)[1]}"


def _iam(client: Any) -> Iterator[str]:
    for role in (item["RoleName"] for item in client.list_roles()["Roles"]):
        yield f"role {role}"
        yield from (f"policy {name} of {role}" for name in client.list_role_policies(RoleName=role)["PolicyNames"])
        for policy in client.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            yield f"policy {policy['PolicyName']} attached to {role}"
    yield from (f"policy {item['PolicyName']}" for item in client.list_policies(Scope="Local")["Policies"])


def _ec2(client: Any) -> Iterator[str]:
    default = {item["VpcId"] for item in client.describe_vpcs()["Vpcs"] if item["IsDefault"]}
    yield from (f"vpc {item['VpcId']}" for item in client.describe_vpcs()["Vpcs"] if not item["IsDefault"])
    for subnet in client.describe_subnets()["Subnets"]:
        if subnet["VpcId"] not in default:
            yield f"subnet {subnet['SubnetId']}"
    for group in client.describe_security_groups()["SecurityGroups"]:
        if group["GroupName"] != "default":
            yield f"security group {group['GroupName']}"
    for table in client.describe_route_tables()["RouteTables"]:
        if not any(association.get("Main") for association in table["Associations"]):
            yield f"route table {table['RouteTableId']}"
    for endpoint in client.describe_vpc_endpoints()["VpcEndpoints"]:
        if endpoint["State"].lower() not in {"deleting", "deleted"}:
            yield f"endpoint {endpoint['VpcEndpointId']}"
