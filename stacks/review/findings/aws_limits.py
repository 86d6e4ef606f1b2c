"""Findings about sizes of tasks and about how long logs and objects are kept at AWS."""

from collections.abc import Callable, Collection, Iterator, Mapping
from fractions import Fraction
from typing import Any

from stacks.review.comparing import Change
from stacks.review.finding import Finding
from stacks.review.findings.measures import LESS_HURTS, RETENTION, SIZE, Measure, measured
from stacks.review.findings.quantity import days, gibibytes, mebibytes, plain
from stacks.review.findings.whose import is_ours
from stacks.review.preview import Step
from stacks.review.values import Properties, at, items, mapping
from stacks.review.workloads import TASK_DEFINITION

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
LIFECYCLES = (
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
)
SIZES = ("resources", "worker_resources", "scheduler_resources")
"""Options that sizes of task definitions come from."""


def _cpu(units: Fraction) -> str:
    """Processor time as ECS counts it: 1024 is `1 vCPU`."""
    return f"{plain(units / 1024)} vCPU"


def _size(unit: Callable[[Fraction], str], text: str, less: str) -> Measure:
    return Measure(rule=SIZE, unit=unit, more=text, less=less, weights=LESS_HURTS, much=True)


TASK: Mapping[str, tuple[Measure, tuple[str, ...]]] = {
    "cpu": (_size(_cpu, "tasks of {} get {}", "tasks of {} get {} only"), SIZES),
    "memory": (
        _size(mebibytes, "tasks of {} get {} of memory", "tasks of {} that need more memory than {} are killed"),
        SIZES,
    ),
    "ephemeralStorage.sizeInGib": (
        _size(gibibytes, "tasks of {} have {} of storage", "tasks of {} have {} of storage only"),
        ("ephemeral_storage_gib",),
    ),
}
LOGS = Measure(
    rule=RETENTION,
    unit=days,
    more="logs of {} older than {} are deleted",
    less="logs of {} older than {} are deleted",
    gone="logs of {} are kept for ever",
    weights=LESS_HURTS,
)
OBJECTS = Measure(
    rule=RETENTION,
    unit=days,
    more="objects of {} older than {} are deleted",
    less="objects of {} older than {} are deleted",
    gone="objects of {} are kept for ever",
    weights=LESS_HURTS,
)


def found(step: Step, told: Collection[str]) -> Iterator[Finding]:
    """What changes of a resource, but for what its environment tells.

    Args:
        step: the resource.
        told: options by which a component of Penstock in the same preview says it.
    """
    if step.old is None or step.new is None:
        return
    if step.type == TASK_DEFINITION:
        for path, (measure, options) in TASK.items():
            if not (is_ours(step) and any(option in told for option in options)):
                before, after = (at(side, *path.split(".")) for side in (step.old, step.new))
                change = Change(path=path, before=before, after=after)
                yield from measured(step, measure, step.name, change, options)
    elif step.type == LOG_GROUP and not (is_ours(step) and "log_retention_days" in told):
        # 0 is for ever, as nothing is.
        before, after = (at(side, "retentionInDays") or None for side in (step.old, step.new))
        name = at(step.new, "name")
        name = name if isinstance(name, str) and name else step.name
        change = Change(path="retentionInDays", before=before, after=after)
        yield from measured(step, LOGS, name, change, ("log_retention_days",))
    elif step.type in LIFECYCLES and not (is_ours(step) and "input_retention_days" in told):
        old, new = _expirations(step.old), _expirations(step.new)
        for key in sorted({*old, *new}):
            change = Change(path=f"rules[{key}].expiration.days", before=old.get(key), after=new.get(key))
            yield from measured(step, OBJECTS, f"{step.name}/{key}", change, ("input_retention_days",))


def _expirations(properties: Properties | None) -> dict[str, Any]:
    """Days after which the objects of each rule go; of rules that are switched on."""
    return {
        str(rule.get("id")): at(rule, "expiration", "days")
        for rule in map(mapping, items(at(properties, "rules")))
        if rule.get("id") and rule.get("status") != "Disabled" and at(rule, "expiration", "days")
    }
