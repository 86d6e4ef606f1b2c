"""Where section `dask-cloud-provider` measures: Dask clusters on the test AWS, of runs and of dask-cloudprovider."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from dataclasses import dataclass, field, replace
from multiprocessing import connection as sockets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.clusters import tls
from runner.environment import Callbacks, Executor, ExecutorType
from runner.launch.pack import pack
from runner.request import RunRequest
from runner.sections import SCHEDULER_TASK_CONTAINER, WORKER_TASK_CONTAINER
from tests.bench.processes import MeasurementError
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import IMAGE, DaskPlace

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from tests.bench.bed import Bed

FILE = "ecs_dask_work.py"
ENTRY = Path(__file__).with_name("ecs_dask_entry.py")
LEAN = ("--no-nanny", "--no-dashboard")
"""Workers of one process each and without a dashboard, as those of runs are."""
SECONDS = 90.0
LOOK_SECONDS = 0.1
USER = "dask-cloudprovider"
"""Who makes the calls of its clusters."""


@dataclass(kw_only=True)
class Cluster:
    """A Dask cluster with its client in a task, which answers until it is ended."""

    there: EcsDaskPlace
    task: str
    """Id of the task that the client is in."""
    connection: Connection
    began: float
    """When its task was asked for."""

    def ask(self, question: str) -> float:
        """What its client answers."""
        self.connection.send(question)
        if not self.connection.poll(SECONDS):
            raise MeasurementError(f"A cluster of the bench did not answer {question!r}:\n{self.there.words()}")
        return float(self.connection.recv())

    def others(self) -> list[dict[str, Any]]:
        """The tasks of its workers, and of a scheduler."""
        found = self.there.flows.tasks()
        return [task for task in found if not task["taskArn"].endswith(self.task)]

    def close(self) -> float:
        """End it as it is meant to end; the seconds until no task of it is up."""
        ended_at = self.ask("end")
        self.there.aws.await_stopped(self.there.flows.section.cluster_arn)
        return self._last_stopped() - ended_at

    def kill(self) -> None:
        """Kill the process of its client with all that is in its container."""
        (pid,) = (pid for name, pid in self.there.aws.processes(self.task).items() if name in {"flow", "client"})
        os.kill(pid, signal.SIGKILL)

    def left(self, seconds: float) -> tuple[float, float]:
        """Wait until no task of it is up, but no longer; how many then are, and for how long some were."""
        began = time.time()
        self.there.aws.await_stopped(self.there.flows.section.cluster_arn, seconds=seconds)
        up = [task for task in self.others() if task["lastStatus"] != "STOPPED"]
        return float(len(up)), seconds if up else self._last_stopped() - began

    def _last_stopped(self) -> float:
        return max(float(task["stoppedAt"].timestamp()) for task in self.others())


@dataclass(kw_only=True)
class EcsDaskPlace:
    """An environment on the test AWS, in which there can be clusters of dask-cloudprovider as well."""

    bed: Bed
    aws: Aws
    flows: DaskPlace
    _definitions: dict[str, str] = field(default_factory=dict)

    def of_run(self, workers: int, *, report: bool = True) -> Cluster:
        """A run, whose cluster is up."""
        target = replace(
            self.flows.changed(min_workers=workers, max_workers=workers),
            executor=Executor(type=ExecutorType.DASK, performance_report=report),
            callbacks=Callbacks(on_execute="ecs_dask_work:opening"),
        )
        flow = f"{FILE}:serve"
        packed = pack(self._folder(), flow=flow)
        socket, run_id = self._socket(), f"bench-{os.urandom(4).hex()}"
        asked = RunRequest(
            run_id=run_id,
            accepted_at=time.time(),
            flow=flow,
            parameters={"place": socket, "workers": workers},
            bundle=packed.bundle,
        )
        began = time.time()
        self.flows.launcher(target).submit(target, asked, bundle=packed.data)
        (task,) = (task for task in self.flows.tasks() if task["startedBy"] == run_id)
        return self._connected(task["taskArn"], socket, began)

    def of_cloudprovider(self, workers: int, *options: str) -> Cluster:
        """A cluster of dask-cloudprovider, opened by a program in a task, as runs are.

        Args:
            workers: how many.
            options: further ones of `dask worker`.
        """
        section, socket = self.flows.section, self._socket()
        keywords = self.bed.folder / f"{Path(socket).name}.json"
        keywords.write_text(json.dumps(self._keywords(options)))
        program = ["python3", "-P", str(self._folder() / FILE), str(keywords), socket, str(workers)]
        began = time.time()
        answer = self.aws.client("ecs").run_task(
            cluster=section.cluster_arn,
            taskDefinition=self._definition("client", []),
            launchType="FARGATE",
            networkConfiguration={
                "awsvpcConfiguration": {
                    "subnets": list(section.subnets),
                    "securityGroups": list(section.security_groups),
                }
            },
            overrides={
                "containerOverrides": [{"name": "client", "command": program, "environment": self._variables()}]
            },
        )
        return self._connected(answer["tasks"][0]["taskArn"], socket, began)

    def calls(self) -> float:
        """How often the clusters since the last time have called AWS, their workers included."""
        own = (f"assumed-role/{self.flows.name}-", f"user/{USER}")
        return float(sum(any(each in call["principal"] for each in own) for call in self.aws.calls(clear=True)))

    def settle(self) -> None:
        """Stop what is up, and forget all tasks: what comes next is alone."""
        section = self.flows.section
        for task in self.flows.tasks():
            if task["lastStatus"] != "STOPPED":
                self.aws.client("ecs").stop_task(cluster=section.cluster_arn, task=task["taskArn"])
        self.aws.await_stopped(section.cluster_arn)
        self.aws.forget()

    def words(self) -> str:
        """The last that all tasks have printed."""
        logs, group = self.aws.client("logs"), self.flows.section.log_group
        return "\n".join(
            f"{stream['logStreamName']}: {event['message']}"
            for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"][-9:]
        )

    def _connected(self, arn: str, socket: str, began: float) -> Cluster:
        until = time.monotonic() + SECONDS
        while True:
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                found = sockets.Client(socket, family="AF_UNIX")
                return Cluster(there=self, task=arn.rpartition("/")[2], connection=found, began=began)
            if self._state(arn) == "STOPPED" or time.monotonic() > until:
                raise MeasurementError(f"A cluster of the bench did not come up:\n{self.words()}")
            time.sleep(LOOK_SECONDS)

    def _state(self, arn: str) -> str:
        return next(str(task["lastStatus"]) for task in self.flows.tasks() if task["taskArn"] == arn)

    def _definition(self, name: str, entry: list[str]) -> str:
        """The task definition of a container by its name, registered once."""
        if name not in self._definitions:
            options = {
                "awslogs-group": self.flows.section.log_group,
                "awslogs-region": self.aws.region,
                "awslogs-stream-prefix": self.flows.section.log_stream_prefix,
            }
            container = {
                "name": name,
                "image": IMAGE,
                "entryPoint": entry,
                "logConfiguration": {"logDriver": "awslogs", "options": options},
            }
            self._definitions[name] = self.flows.register(f"{self.flows.name}-plain-{name}", [container])
        return self._definitions[name]

    def _keywords(self, options: tuple[str, ...]) -> dict[str, Any]:
        """Of FargateCluster: everything is there already, so it has nothing to create or to look up."""
        section = self.flows.section
        entry = ["python3", "-P", str(ENTRY)]
        keys = self.bed.folder / "keys.pem"
        if not keys.exists():
            keys.write_text(tls.make())
        return {
            "cluster_arn": section.cluster_arn,
            "execution_role_arn": section.execution_role_arn,
            "task_role_arn": section.worker_task_role_arn,
            "scheduler_task_definition_arn": self._definition(SCHEDULER_TASK_CONTAINER, entry),
            "worker_task_definition_arn": self._definition(WORKER_TASK_CONTAINER, entry),
            "cloudwatch_logs_group": section.log_group,
            "vpc": section.vpc_id,
            "subnets": list(section.subnets),
            "security_groups": list(section.security_groups),
            "environment": {"BENCH_KEYS": str(keys)},
            "worker_cpu": 1024,
            "worker_mem": 1024,
            "worker_extra_args": list(options),
            "fargate_use_private_ip": True,
            "skip_cleanup": True,
            "region_name": self.aws.region,
        }

    def _variables(self) -> list[dict[str, str]]:
        """Of the client of a plain cluster, who may do everything."""
        allow = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
        return [{"name": name, "value": value} for name, value in self.aws.user(USER, allow).items()]

    def _folder(self) -> Path:
        """A folder with the flow alone, as its bundle."""
        folder = self.bed.folder / "dask"
        if not folder.exists():
            folder.mkdir()
            (folder / FILE).write_bytes((self.bed.flows / FILE).read_bytes())
        return folder

    def _socket(self) -> str:
        return str(self.bed.folder / f"dask-{os.urandom(4).hex()}")
