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

from tests.testbed.aws.provider.wire import dump, load
from tests.testbed.pulumi_engine import CHECKOUT, Engine, penstock_at
from tests.testbed.pulumi_kubernetes import Stack

REGION = "eu-west-1"
EXAMPLE = "Pulumi.fargate-task.yaml"
ENVIRONMENT = "flights"
PLUGIN_FOLDER = CHECKOUT / "tests" / "testbed" / "aws" / "provider" / "bin"
"""Put on PATH, it gives the Pulumi CLI the provider as a plugin."""
END_SECONDS = 10
CALL_SECONDS = 20


def aws_variables(endpoint: str) -> dict[str, str]:
    """Environment variables that send every client of AWS to an endpoint."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@dataclass(frozen=True, kw_only=True)
class Attached:
    """A provider that runs for many commands of the CLI."""

    port: int
    endpoint: str

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables with which the CLI uses it."""
        return {**aws_variables(self.endpoint), "PULUMI_DEBUG_PROVIDERS": f"aws:{self.port}"}


@contextmanager
def attached_provider(endpoint: str) -> Iterator[Attached]:
    """A provider for an AWS, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.testbed.aws.provider"],
        cwd=CHECKOUT,
        env={**os.environ, **aws_variables(endpoint)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield Attached(port=int(process.stdout.readline()), endpoint=endpoint)
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
        direct.configure(region=REGION)
        yield direct
