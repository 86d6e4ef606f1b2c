"""Where section `ecs` measures: an environment on the test AWS, whose tasks have what the bench's bed has."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from runner import contract
from runner.launch.ecs.task import render
from runner.launch.pack import pack
from runner.request import RunRequest
from tests.bench.processes import TIMEOUT_SECONDS, MeasurementError, read, started
from tests.testbed.aws.faults import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.environment import Environment
    from tests.bench.bed import Bed
    from tests.bench.processes import Command
    from tests.testbed.aws.handle import Aws
    from tests.testbed.ecs_environment import Place

IMAGE = "penstock.local/bench:test"
CLIENT = Path(__file__).with_name("ecs_client.py")
BOTO3 = Path(__file__).with_name("ecs_boto3.py")
PACKAGES = Path(boto3.__file__).parents[1]
"""Folder with boto3, which the bed has not."""
LINE = b"hello from the flow"


@dataclass(frozen=True, kw_only=True)
class EcsPlace:
    """The bed, the test AWS, and an environment there."""

    bed: Bed
    aws: Aws
    flows: Place

    def python(self, *words: str | Path | int) -> Command:
        """A command of the bed's Python that reaches the test AWS."""
        return self.bed.command("python", "-P", *map(str, words), variables=self.aws.env)

    def boto3(self, *words: str | Path) -> Command:
        """A command that makes a call through AWS' own client."""
        return self.python(BOTO3, PACKAGES, *words)

    def penstock(self, document: Path, *options: str) -> Command:
        """`penstock run` of the flow that is measured."""
        flow = self._hello() / "hello.py:main"
        return self.bed.command("penstock", "run", flow, "--environment", document, *options, variables=self.aws.env)

    def document(self, target: Environment) -> Path:
        """A file with the document of an environment."""
        return self._file("environment", contract.to_bytes(target))

    def call(self, target: Environment) -> Path:
        """A file with the call that a submit makes, but for the token: each of its calls is to start a task."""
        parameters = dict(render(target, self._asked()).parameters)
        del parameters["clientToken"]
        return self._file("call", json.dumps(parameters).encode())

    def run(self, target: Environment, *, travels: bool) -> dict[str, Any]:
        """The task of a run of a hello flow that has ended; as with a bare task, nobody follows it meanwhile."""
        launcher = self.flows.launcher(target)
        asked, data = self._asked(), None
        if travels:
            flow = "hello.py:main"
            packed = pack(self._hello(), flow=flow)
            asked, data = (
                RunRequest(run_id=asked.run_id, accepted_at=asked.accepted_at, flow=flow, bundle=packed.bundle),
                packed.data,
            )
        launcher.submit(target, asked, bundle=data)
        return self.task(asked.run_id)

    def bare_task(self, definition: str) -> dict[str, Any]:
        """A task that is none of Penstock's and has ended."""
        run_id = f"bare-{os.urandom(4).hex()}"
        section = self.flows.section
        network = {"subnets": list(section.subnets), "securityGroups": list(section.security_groups)}
        self.aws.client("ecs").run_task(
            cluster=section.cluster_arn,
            taskDefinition=definition,
            startedBy=run_id,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": network},
        )
        self.aws.await_stopped(section.cluster_arn)
        return self.task(run_id)

    def task(self, run_id: str) -> dict[str, Any]:
        """A task by what started it, once it has stopped."""
        self.aws.await_stopped(self.flows.section.cluster_arn)
        (found,) = (task for task in self.flows.tasks() if task["startedBy"] == run_id)
        return found

    def settle(self) -> None:
        """Wait until no task runs, and forget those that have."""
        self.aws.await_stopped(self.flows.section.cluster_arn)
        self.aws.forget()

    def many(self, command: Command, throttled: int) -> list[str]:
        """The words that the client of many submits prints, some calls of which are refused after its first submit."""
        with started(command) as process:
            output = b""
            for data in read(process, until=time.perf_counter() + TIMEOUT_SECONDS):
                if not output:
                    self.aws.inject(Kind.THROTTLE, action="RunTask", times=throttled)
                output += data
        return output.decode().split()

    @staticmethod
    def _asked() -> RunRequest:
        return RunRequest(
            run_id=f"bench-{os.urandom(4).hex()}",
            accepted_at=time.time(),
            flow="pprint:pprint",
            parameters={"object": LINE.decode()},
        )

    def _file(self, kind: str, data: bytes) -> Path:
        place = self.bed.folder / f"{kind}-{os.urandom(4).hex()}.json"
        place.write_bytes(data)
        return place

    def _hello(self) -> Path:
        """A folder with the hello flow alone, as its bundle."""
        folder = self.bed.folder / "hello"
        if not folder.exists():
            folder.mkdir()
            (folder / "hello.py").write_bytes((self.bed.flows / "hello.py").read_bytes())
        return folder


def own_seconds(task: dict[str, Any]) -> float:
    """Seconds that a task was there, from when ECS had accepted it."""
    return float((task["stoppedAt"] - task["createdAt"]).total_seconds())


def line_seconds(there: EcsPlace, task: dict[str, Any]) -> float:
    """Seconds from the start of a task's container to the flow's own first line, as its log has it."""
    stream = f"{there.flows.section.log_stream_prefix}/flow/{task['taskArn'].rpartition('/')[2]}"
    found = there.aws.client("logs").get_log_events(
        logGroupName=there.flows.section.log_group, logStreamName=stream, startFromHead=True
    )["events"]
    return first_line(found) - float(task["startedAt"].timestamp())


def first_line(events: list[dict[str, Any]]) -> float:
    """When the flow's line was printed, in seconds since 1970.

    Raises:
        MeasurementError: it was not.
    """
    for event in events:
        if event["message"].strip("'\n") == LINE.decode():
            return float(event["timestamp"]) / 1000
    raise MeasurementError(f"A task never printed {LINE.decode()!r}, but: {[event['message'] for event in events]}")


@contextlib.contextmanager
def variables(given: Mapping[str, str]) -> Iterator[None]:
    """Have environment variables for a while: the launcher in this process reads them, too."""
    before = dict(os.environ)
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
