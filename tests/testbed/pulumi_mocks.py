"""Runs Pulumi programs without an engine and keeps what they register.

Assert after `deploy` has returned: inside `apply` a failing assertion may be lost, and what has been registered so far
is a race.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.settings import get_root_resource

PROJECT = "penstock"
STACK = "dev"


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One resource as the engine would have seen it."""

    urn: str
    type: str
    name: str
    parent: str
    protect: bool
    inputs: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Exported:
    """One output of the stack."""

    value: Any
    known: bool
    secret: bool


ACCOUNT, REGION = "123456789012", "eu-west-1"
VPC_CIDR = "127.20.0.0/16"
LOOKUPS: Mapping[str, Mapping[str, Any]] = {
    "aws:index/getPartition:getPartition": {"partition": "aws"},
    "aws:index/getRegion:getRegion": {"region": REGION},
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
    "aws:index/getAvailabilityZones:getAvailabilityZones": {"names": [f"{REGION}{zone}" for zone in "abc"]},
    "aws:ec2/getVpc:getVpc": {"cidrBlock": VPC_CIDR},
    "aws:ec2/getPrefixList:getPrefixList": {"id": "pl-s3"},
}
"""What is looked up at AWS: who asks, where, and the network there is. Nothing else can be looked up."""
MADE: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    "aws:ecs/cluster:Cluster": lambda given: {"arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{given['name']}"},
    "aws:ecs/taskDefinition:TaskDefinition": lambda given: {
        "arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{given['family']}:1"
    },
    "aws:iam/policy:Policy": lambda given: {"arn": f"arn:aws:iam::{ACCOUNT}:policy/{given['name']}"},
    "aws:ec2/vpcEndpoint:VpcEndpoint": lambda _: {"prefixListId": "pl-s3"},
}
"""What AWS adds to those of its objects whose properties components read."""


class EchoMocks(Mocks):
    """Every resource is created as asked for."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        added = MADE[args.typ](args.inputs) if args.typ in MADE else {}
        return (f"{args.name}-id" if args.custom else None), {**args.inputs, **added}

    def call(self, args: MockCallArgs) -> Any:
        if args.token not in LOOKUPS:
            raise AssertionError(f"the program looks up {args.token}")
        return dict(LOOKUPS[args.token])


class RecordingMonitor(MockMonitor):
    """Pulumi's mock of the engine, which forgets most of what it is told, with a memory."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.registered: list[Registered] = []
        self.outputs: dict[str, list[Mapping[str, Any]]] = {}
        """Outputs that components registered, by URN; a list, so that a second registration shows."""
        self.exports: dict[str, Exported] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name is Pulumi's
        with own_loop():
            answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        self.registered.append(
            Registered(
                urn=answer.urn,
                type=request.type,
                name=request.name,
                parent=request.parent,
                protect=request.protect,
                inputs=rpc.deserialize_properties(request.object),
            )
        )
        return answer

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - the name is Pulumi's
        with own_loop():
            return super().Invoke(request)  # type: ignore[no-untyped-call]

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the name is Pulumi's
        self.outputs.setdefault(request.urn, []).append(rpc.deserialize_properties(request.outputs))
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    def named(self, type_: str, name: str) -> Registered:
        """The one resource of that type and name."""
        (found,) = [item for item in self.registered if (item.type, item.name) == (type_, name)]
        return found

    @property
    def own(self) -> list[Registered]:
        """All resources but the stack itself."""
        return [item for item in self.registered if item.type != "pulumi:pulumi:Stack"]


class Deploy:
    """Runs a program and returns what it registered; `preview` as Pulumi's preview would run it."""

    monitor: RecordingMonitor
    """Of the last deployment, also when its program failed."""

    def __call__(self, program: Callable[[], object], *, preview: bool = False) -> RecordingMonitor:
        # Without a reset, the root stack of the run before stays, with its name and exports.
        pulumi.runtime.reset_options(project=PROJECT, stack=STACK)
        self.monitor = RecordingMonitor(EchoMocks())
        set_mocks(self.monitor.mocks, project=PROJECT, stack=STACK, preview=preview, monitor=self.monitor)

        def run() -> pulumi.Output[None]:
            program()
            return pulumi.Output.from_input(self._keep_exports(getattr(get_root_resource(), "outputs", {})))

        pulumi.runtime.test(run)()  # type: ignore[no-untyped-call]
        return self.monitor

    async def _keep_exports(self, exports: Mapping[str, Any]) -> None:
        for name, value in exports.items():
            output = pulumi.Output.from_input(value)
            self.monitor.exports[name] = Exported(
                value=await output.future(), known=await output.is_known(), secret=await output.is_secret()
            )


@contextmanager
def own_loop() -> Iterator[None]:
    """An event loop for a worker thread: left alone, Pulumi opens one in each and closes none of them."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        loop.close()


@contextmanager
def mocked_pulumi() -> Iterator[Deploy]:
    """Gives the `deploy` of a test, on an event loop of its own."""
    loop = asyncio.new_event_loop()
    # A program that fails leaves futures that nobody awaits. Pulumi's own start script silences asyncio for the same
    # reason; here they would be reported from whatever test the garbage collector runs in.
    loop.set_exception_handler(lambda *_: None)
    asyncio.set_event_loop(loop)
    try:
        yield Deploy()
    finally:
        pulumi.runtime.reset_options()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        loop.close()


def unknown() -> pulumi.Output[Any]:
    """What a resource's property is at preview."""

    async def soon(value: Any) -> Any:
        return value

    return pulumi.Output(set(), soon(None), soon(False))
