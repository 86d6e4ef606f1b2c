"""Section `ecs`: submits and starts of tasks beside boto3 and bare Python, on the test AWS of this very machine.

What AWS itself takes is not among it: the server answers within milliseconds, on the same processors.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from runner import contract
from runner.request import RunRequest
from tests.bench.figures import Comparison, Figure
from tests.bench.processes import Command, MeasurementError, interleaved, timed
from tests.testbed.aws.handle import Aws, started
from tests.testbed.ecs_environment import Place, place
from tools.paths import CHECKOUT
from tools.progress import step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.bed import Bed

SECTION = "ecs"
PAIRS = 25
STARTS = 15
MANY = 500
PER_SECOND = 20
"""Most tasks that RunTask starts on Fargate in a second."""
BARE = "import json, urllib.request; print('hello', flush=True)"
LOG_SECONDS = 20.0


def measure(bed: Bed, pairs: int | None) -> Iterator[Figure]:
    """The section's figures."""
    with started() as aws:
        before = dict(os.environ)
        os.environ.update(aws.env)
        try:
            with place(aws, kind_name="bench") as flows:
                yield from _submits(bed, aws, flows, pairs or PAIRS)
                yield from _starts(aws, flows, pairs or STARTS)
                yield _many(bed, aws, flows)
        finally:
            os.environ.clear()
            os.environ.update(before)


def _submits(bed: Bed, aws: Aws, flows: Place, rounds: int) -> Iterator[Figure]:
    environment = flows.with_definition(entryPoint=["true"])
    document = bed.folder / "environment.json"
    document.write_bytes(contract.to_bytes(environment))
    ours, theirs = (_client(bed, document, name) for name in ("penstock", "boto3"))
    with step(f"ecs: {rounds} pairs of submits"):
        aws.calls(clear=True)
        mine, others = interleaved(
            [lambda: timed(ours, marker=b"accepted").line, lambda: timed(theirs, marker=b"accepted").line],
            rounds=rounds,
        )
        calls = Counter(call["action"] for call in aws.calls(clear=True))
    if calls.keys() != {"RunTask"}:
        raise MeasurementError(f"Submits called {dict(calls)}, expected RunTask only.")
    common: dict[str, Any] = {"section": SECTION, "ours": tuple(mine), "others": tuple(others)}
    yield Figure(
        name="from a cold start to a task accepted, one call",
        other="boto3's run_task",
        comparison=Comparison.AMOUNT,
        goal=0.45,
        **common,
    )
    yield Figure(name="the same", other="boto3's run_task", comparison=Comparison.SPEEDUP, goal=None, **common)


def _client(bed: Bed, document: Path, name: str) -> Command:
    python = sys.executable
    script = f"{python} -P -m tests.bench.ecs_client {name} 1 < {document}"
    variables = {**bed.variables, **{key: value for key, value in os.environ.items() if key.startswith("AWS_")}}
    return Command(words=("sh", "-c", f"exec {script}"), folder=CHECKOUT, variables=variables)


def _starts(aws: Aws, flows: Place, rounds: int) -> Iterator[Figure]:
    bare = flows.definition(family=f"{flows.name}-bare", entryPoint=["python3", "-c", BARE])
    launcher = flows.launcher()
    count = iter(range(10**6))

    def ours() -> float:
        run_id = f"start-{next(count)}"
        asked = RunRequest(run_id=run_id, accepted_at=time.time(), flow="pprint:pprint", parameters={"object": "hello"})
        launcher.submit(flows.environment, asked)
        launcher.follow(run_id, lambda _: None)
        return _first_line(aws, flows, next(task for task in flows.tasks() if task["startedBy"] == run_id))

    def raw() -> float:
        network = {"subnets": [flows.subnet], "securityGroups": [flows.group]}
        answer = aws.client("ecs").run_task(
            cluster=flows.section.cluster_arn,
            taskDefinition=bare,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": network},
        )
        return _first_line(aws, flows, answer["tasks"][0])

    with step(f"ecs: {rounds} pairs of starts"):
        mine, others = interleaved([ours, raw], rounds=rounds)
    yield Figure(
        section=SECTION,
        name="from the container's start to the flow's first line",
        other="a task of python importing json, urllib",
        comparison=Comparison.RATIO,
        goal=1.5,
        ours=tuple(mine),
        others=tuple(others),
    )


def _first_line(aws: Aws, flows: Place, task: dict[str, Any]) -> float:
    """Seconds from the start of a task's container to the flow's own first line."""
    stream = f"{flows.section.log_stream_prefix}/flow/{task['taskArn'].rpartition('/')[2]}"
    until = time.monotonic() + LOG_SECONDS
    while time.monotonic() < until:
        found = aws.client("logs").filter_log_events(
            logGroupName=flows.section.log_group, logStreamNamePrefix=stream, filterPattern='"hello"'
        )["events"]
        lines = [event for event in found if event["message"].strip("'\n") == "hello"]
        if lines:
            (told,) = aws.client("ecs").describe_tasks(cluster=flows.section.cluster_arn, tasks=[task["taskArn"]])[
                "tasks"
            ]
            return float(lines[0]["timestamp"] / 1000 - told["startedAt"].timestamp())
        time.sleep(0.05)
    raise MeasurementError(f"The task {task['taskArn']} has not printed its line.")


def _many(bed: Bed, aws: Aws, flows: Place) -> Figure:
    environment = flows.with_definition(entryPoint=["true"])
    with step(f"ecs: {MANY} submits through one client"):
        aws.calls(clear=True)
        done = subprocess.run(
            [sys.executable, "-P", "-m", "tests.bench.ecs_client", "penstock", str(MANY)],
            input=contract.to_bytes(environment),
            env={**bed.variables, **aws.env},
            cwd=CHECKOUT,
            capture_output=True,
            check=True,
        )
        calls = Counter(call["action"] for call in aws.calls(clear=True))
    seconds, refused = done.stdout.decode().splitlines()[-1].split()
    if int(refused) or calls != {"RunTask": MANY + 1}:
        raise MeasurementError(f"{refused} submits were refused; {dict(calls)} were called, expected RunTask only.")
    return Figure(
        section=SECTION,
        name=f"{MANY} submits through one client, none refused",
        other=f"{PER_SECOND} a second",
        comparison=Comparison.RATIO,
        goal=1.05,
        ours=(float(seconds),),
        others=(MANY / PER_SECOND,),
    )
