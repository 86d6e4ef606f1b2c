"""Section `ecs`: submits and starts of tasks beside boto3 and bare Python, on the test AWS of this very machine.

What AWS itself takes is not among it: the server answers within milliseconds, on the same processors as what is
measured, and its tasks are PROVISIONING and PENDING for `WAITING` only.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.bench import ecs_place
from tests.bench.ecs_place import EcsPlace, line_seconds, own_seconds, variables
from tests.bench.figures import Comparison, Figure
from tests.bench.processes import MeasurementError, interleaved, seconds_to_end, timed
from tests.testbed.aws.handle import started
from tests.testbed.ecs_environment import place
from tools.progress import step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.bed import Bed
    from tests.bench.processes import Command

SECTION = "ecs"
PAIRS = 25
STARTS = 15
FOLLOWED = 10
MANY = 500
PER_SECOND = 20
"""Most tasks that RunTask starts on Fargate in a second."""
THROTTLED = 20
"""Calls that the test AWS refuses among the many: by itself it refuses none."""
WAITING = {"PROVISIONING": 0.02, "PENDING": 0.02}
"""Seconds that tasks wait before they start; on Fargate it is half a minute, and more for a large image."""
BARE = "import json, urllib.request; print('hello from the flow', flush=True)"
ACCEPTED = b"accepted"
SDK = "boto3's run_task"


def measure(bed: Bed, pairs: int | None) -> Iterator[Figure]:
    """The section's figures."""
    with started() as aws, variables(aws.env | {"XDG_STATE_HOME": bed.variables["XDG_STATE_HOME"]}):
        aws.delay(**WAITING)
        aws.add_image(ecs_place.IMAGE, bin_folder=str(bed.bin))
        with place(aws, kind_name="bench", image=ecs_place.IMAGE) as flows:
            there = EcsPlace(bed=bed, aws=aws, flows=flows)
            yield from _submits(there, pairs or PAIRS)
            yield from _starts(there, pairs or STARTS)
            yield from _followed(there, pairs or FOLLOWED)
            yield from _many(there)


def _submits(there: EcsPlace, rounds: int) -> Iterator[Figure]:
    """Processes that start a task which ends at once, and nothing else."""
    target = there.flows.with_definition(image=ecs_place.IMAGE, entryPoint=["true"])
    launcher = there.python(ecs_place.CLIENT, there.document(target), 0)
    command = there.penstock(there.document(target), "--detach")
    raw = there.boto3(there.call(target))
    calls: list[list[float]] = [[], [], []]

    def timed_call(number: int, what: Command, marker: bytes) -> float:
        there.aws.calls(clear=True)
        times = timed(what, marker=marker)
        calls[number].append(float(len(there.aws.calls(clear=True))))
        return times.line if marker else times.end

    with step(f"{SECTION}: {rounds} rounds of three ways to submit"):
        seconds = interleaved(
            [
                lambda: timed_call(0, launcher, ACCEPTED),
                lambda: timed_call(1, command, b""),
                lambda: timed_call(2, raw, ACCEPTED),
            ],
            rounds=rounds,
        )
    there.settle()
    ours, detached, others = map(tuple, seconds)
    known, whole, single = (tuple(counts[-rounds:]) for counts in calls)
    for name, times, goal in (
        ("start of a process until the launcher has its task accepted", ours, 0.45),
        ("`penstock run --detach`, whole command", detached, None),
    ):
        figure = Figure(
            section=SECTION,
            name=name,
            other=SDK,
            comparison=Comparison.AMOUNT,
            goal=goal,
            ours=times,
            others=others,
        )
        yield figure
        yield replace(figure, name=f"{name}, speed", comparison=Comparison.SPEEDUP, goal=None)
    for name, counts in (("calls of a submit, code in the image", known), ("calls of `penstock run --detach`", whole)):
        yield Figure(
            section=SECTION,
            name=name,
            other=SDK,
            comparison=Comparison.AMOUNT,
            goal=1,
            ours=counts,
            others=single,
            unit="calls",
        )
    yield _imports(there, rounds)


def _imports(there: EcsPlace, rounds: int) -> Figure:
    """What of a cold submit is loading code."""
    ours = there.bed.command("python", "-c", "import runner.launch.ecs.connect, runner.environment")
    theirs = f"import sys; sys.path.append({str(ecs_place.PACKAGES)!r}); import boto3"
    others = there.bed.command("python", "-c", theirs)
    with step(f"{SECTION}: {rounds} pairs of imports"):
        mine, sdk = interleaved([lambda: seconds_to_end(ours), lambda: seconds_to_end(others)], rounds=rounds)
    return Figure(
        section=SECTION,
        name="python that imports the launcher",
        other="that imports boto3",
        comparison=Comparison.AMOUNT,
        goal=None,
        ours=tuple(mine),
        others=tuple(sdk),
    )


def _starts(there: EcsPlace, rounds: int) -> Iterator[Figure]:
    """From a container's start to its first line, as ECS and the log tell of them."""
    target = there.flows.with_definition(image=ecs_place.IMAGE)
    bare = there.flows.definition(
        family=f"{there.flows.name}-bare", image=ecs_place.IMAGE, entryPoint=["python3", "-c", BARE]
    )
    with step(f"{SECTION}: {rounds} rounds of a bare task and two runs"):
        raw, travelling, baked = interleaved(
            [
                lambda: line_seconds(there, there.bare_task(bare)),
                lambda: line_seconds(there, there.run(target, travels=True)),
                lambda: line_seconds(there, there.run(target, travels=False)),
            ],
            rounds=rounds,
        )
    there.settle()
    for name, times in (("code travels", travelling), ("code in the image", baked)):
        yield Figure(
            section=SECTION,
            name=f"start of the container to the flow's first line, {name}",
            other="a task of python importing json, urllib",
            comparison=Comparison.RATIO,
            goal=1.5,
            ours=tuple(times),
            others=tuple(raw),
        )


def _followed(there: EcsPlace, rounds: int) -> Iterator[Figure]:
    """From the start of the command to its exit."""
    target = there.flows.with_definition(image=ecs_place.IMAGE)
    document = there.document(target)
    bare = there.flows.with_definition(image=ecs_place.IMAGE, entryPoint=["python3", "-c", BARE, "--"])
    section = there.flows.section
    raw = there.boto3(there.call(bare), section.log_group, section.log_stream_prefix)
    lives: list[float] = []

    def ours() -> float:
        run_id = f"followed-{os.urandom(4).hex()}"
        seconds = timed(there.penstock(document, "--run-id", run_id), marker=ecs_place.LINE).end
        lives.append(own_seconds(there.task(run_id)))
        return seconds

    with step(f"{SECTION}: {rounds} pairs of a flow that is followed"):
        mine, others = interleaved([ours, lambda: timed(raw, marker=ecs_place.LINE).end], rounds=rounds)
    there.settle()
    yield Figure(
        section=SECTION,
        name=f"`penstock run` of a hello flow, of it {sum(WAITING.values()):g} s that the test AWS waits",
        other="boto3: run_task, DescribeTasks every 0.1 s, its log",
        comparison=Comparison.AMOUNT,
        goal=None,
        ours=tuple(mine),
        others=tuple(others),
    )
    yield Figure(
        section=SECTION,
        name="the same",
        other="its task, from createdAt to stoppedAt",
        comparison=Comparison.DIFFERENCE,
        goal=None,
        ours=tuple(mine),
        others=tuple(lives[-rounds:]),
    )


def _many(there: EcsPlace) -> Iterator[Figure]:
    """Many submits at once; some calls are refused, as a busy account's are."""
    target = there.flows.with_definition(image=ecs_place.IMAGE, entryPoint=["true"])
    command = there.python(ecs_place.CLIENT, there.document(target), MANY)
    with step(f"{SECTION}: {MANY} submits through one client"):
        there.aws.calls(clear=True)
        words = there.many(command, THROTTLED)
        asked = len(there.aws.calls(clear=True))
    there.settle()
    if len(words) != 3 or asked != 1 + MANY + THROTTLED:
        raise MeasurementError(f"{MANY} submits printed {words} and made {asked} calls.")
    yield Figure(
        section=SECTION,
        name=f"{MANY} submits through one client, of whose calls {THROTTLED} are throttled",
        other=f"{PER_SECOND} a second",
        comparison=Comparison.RATIO,
        goal=1.05,
        ours=(float(words[1]),),
        others=(MANY / PER_SECOND,),
    )
    yield Figure(
        section=SECTION,
        name="submits of these that failed",
        other=f"throttled calls: {THROTTLED}",
        comparison=Comparison.AMOUNT,
        goal=0,
        ours=(float(words[2]),),
        others=(float(THROTTLED),),
        unit="errors",
    )
