import copy
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from stacks.review.findings import limits
from stacks.review.findings.quantity import duration, number
from stacks.review.preview import Preview, Step
from stacks.review.values import UNKNOWN
from tests.stacks.review.findings.cases import broken, check_survives, found, told
from tests.stacks.review.steps import step

ENVIRONMENT = "penstock:index:DaskCloudProviderEnvironment"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
QUOTA = "kubernetes:core/v1:ResourceQuota"
RANGE = "kubernetes:core/v1:LimitRange"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
GOLDEN = Path(__file__).parents[3] / "components" / "golden"


def in_preview(*steps: Step) -> str:
    preview = Preview(stack="prod", steps=steps, counts={})
    findings = found(limits.STEP_CHECKS, steps[0])
    return told([*findings, *(one for check in limits.PREVIEW_CHECKS for one in check(preview))])


def size(**given: Any) -> dict[str, Any]:
    return {"resources": given}


def hard(**given: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "flows"}, "spec": {"hard": given}}


def ranges(**given: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "flows"}, "spec": {"limits": [{"type": "Container", **given}]}}


def lifecycle(**days: int) -> dict[str, Any]:
    return {"rules": [{"id": key, "status": "Enabled", "expiration": {"days": many}} for key, many in days.items()]}


CASES: dict[str, tuple[str, Any, Any, str]] = {
    "same": (ENVIRONMENT, {"max_workers": 4}, {"max_workers": 4.0}, ""),
    "new": (ENVIRONMENT, None, {"max_workers": 4}, ""),
    "gone": (ENVIRONMENT, {"max_workers": 4}, None, ""),
    "not known": (ENVIRONMENT, {"max_workers": 4}, {"max_workers": UNKNOWN}, ""),
    "many workers": (
        ENVIRONMENT,
        {"max_workers": 4},
        {"max_workers": 40},
        """
WARNING size-changed
a run of thing may have up to 40 workers
max_workers: 4 -> 40
""",
    ),
    "some workers more": (
        ENVIRONMENT,
        {"max_workers": 4, "environment_name": "prod"},
        {"max_workers": 6, "environment_name": "prod"},
        """
NOTICE size-changed
a run of prod may have up to 6 workers
max_workers: 4 -> 6
""",
    ),
    "less memory": (
        ENVIRONMENT,
        size(memory_mib=4096, cpu_millicores=500),
        size(memory_mib=1536, cpu_millicores=500),
        """
WARNING size-changed
runs of thing that need more memory than 1.5 GiB are killed
resources.memory_mib: 4096 -> 1536
""",
    ),
    "less processor time": (
        ENVIRONMENT,
        {"worker_resources": {"cpu_millicores": 2000}},
        {"worker_resources": {"cpu_millicores": 1000}},
        """
NOTICE size-changed
Dask workers of thing ask for 1 core
worker_resources.cpu_millicores: 2000 -> 1000
""",
    ),
    "a size that was a default": (
        ENVIRONMENT,
        {},
        {"ephemeral_storage_gib": 40},
        """
NOTICE size-changed
runs of thing have 40 GiB of storage while they run
ephemeral_storage_gib: null -> 40
""",
    ),
    "less time": (
        ENVIRONMENT,
        {"timeouts": {"run_seconds": 7200}},
        {"timeouts": {"run_seconds": 5400}},
        """
WARNING timeout-changed
runs of thing that take longer than 1 h 30 min are stopped
timeouts.run_seconds: 7200 -> 5400
""",
    ),
    "a time where none was": (
        ENVIRONMENT,
        {},
        {"timeouts": {"queue_seconds": 60}},
        """
WARNING timeout-changed
runs of thing that wait longer than 1 min for a place fail
timeouts.queue_seconds: null -> 60
""",
    ),
    "no time any more": (
        ENVIRONMENT,
        {"timeouts": {"run_seconds": 7200}},
        {"timeouts": {}},
        """
WARNING timeout-changed
a run of thing that hangs is never stopped
timeouts.run_seconds: 7200 -> null
""",
    ),
    "more time": (
        ENVIRONMENT,
        {"timeouts": {"run_seconds": 7200}},
        {"timeouts": {"run_seconds": 90000}},
        """
NOTICE timeout-changed
runs of thing may take up to 1 d 1 h
timeouts.run_seconds: 7200 -> 90000
""",
    ),
    "retention": (
        ENVIRONMENT,
        {"log_retention_days": 30, "input_retention_days": 7},
        {"log_retention_days": 1, "input_retention_days": 14},
        """
WARNING retention-changed
logs of thing older than 1 day are deleted
log_retention_days: 30 -> 1
NOTICE retention-changed
code and files of runs of thing older than 14 days are deleted
input_retention_days: 7 -> 14
""",
    ),
    "more quota": (
        QUOTA,
        hard(**{"requests.cpu": "4", "pods": "10"}),
        hard(**{"requests.cpu": "5000m", "pods": "1k"}),
        """
WARNING kubernetes-quota-changed
pods of the namespace flows may ask together for more: pods 1k and requests.cpu 5000m
spec.hard: {"pods": "10", "requests.cpu": "4"} -> {"pods": "1k", "requests.cpu": "5000m"}
""",
    ),
    "a little more quota": (
        QUOTA,
        hard(pods="10"),
        hard(pods="12"),
        """
NOTICE kubernetes-quota-changed
pods of the namespace flows may ask together for more: pods 12
spec.hard.pods: "10" -> "12"
""",
    ),
    "quota written differently": (QUOTA, hard(cpu="4"), hard(cpu="4000m"), ""),
    "less quota": (
        QUOTA,
        hard(memory="8Gi", pods="10"),
        hard(memory="4Gi"),
        """
WARNING kubernetes-quota-changed
runs wait when pods of the namespace flows would ask together for more than memory 4Gi
spec.hard.memory: "8Gi" -> "4Gi"
WARNING kubernetes-quota-changed
nothing limits any more how much pods of the namespace flows ask for of pods
spec.hard.pods: "10" -> null
""",
    ),
    "smaller containers": (
        RANGE,
        ranges(max={"cpu": "4"}, default={"cpu": "1"}),
        ranges(max={"cpu": "2"}, default={"cpu": "500m"}),
        """
NOTICE kubernetes-limits-changed
containers of the namespace flows have other limits or defaults
spec.limits[0].default.cpu: "1" -> "500m"
WARNING kubernetes-limits-changed
containers of the namespace flows with more of cpu than 2 are refused
spec.limits[0].max.cpu: "4" -> "2"
""",
    ),
    "no limits of containers": (
        RANGE,
        ranges(max={"cpu": "4"}),
        None,
        """
NOTICE kubernetes-limits-changed
containers of the namespace flows have no limits or defaults any more
: null -> null
""",
    ),
    "logs": (
        LOG_GROUP,
        {"name": "/flows", "retentionInDays": 30},
        {"name": "/flows", "retentionInDays": 7},
        """
WARNING retention-changed
logs of /flows older than 7 days are deleted
retentionInDays: 30 -> 7
""",
    ),
    "logs for ever": (
        LOG_GROUP,
        {"name": "/flows", "retentionInDays": 30},
        {"name": "/flows", "retentionInDays": 0},
        """
NOTICE retention-changed
logs of /flows are kept for ever
retentionInDays: 30 -> null
""",
    ),
    "logs no longer for ever": (
        LOG_GROUP,
        {"name": "/flows"},
        {"name": "/flows", "retentionInDays": 365},
        """
WARNING retention-changed
logs of /flows older than 365 days are deleted
retentionInDays: null -> 365
""",
    ),
    "objects": (
        LIFECYCLE,
        lifecycle(inputs=7, bundles=7),
        lifecycle(inputs=1, bundles=7),
        """
WARNING retention-changed
objects of thing/inputs older than 1 day are deleted
rules[inputs].expiration.days: 7 -> 1
""",
    ),
    "a task definition": (
        TASK,
        {"cpu": "256", "memory": "2048"},
        {"cpu": "1024", "memory": "1024"},
        """
WARNING size-changed
tasks of thing get 1 vCPU
cpu: "256" -> "1024"
WARNING size-changed
tasks of thing that need more memory than 1 GiB are killed
memory: "2048" -> "1024"
""",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_found(case: str) -> None:
    type_, old, new, expected = CASES[case]
    assert in_preview(step(type_, old, new)) == expected.lstrip()


def carrying(document: Any) -> dict[str, Any]:
    return {"data": {"environment.json": document}}


def test_what_a_component_and_its_document_say_is_told_once() -> None:
    old = json.loads((GOLDEN / "dask-kubernetes-full.json").read_text())
    new = copy.deepcopy(old)
    for document, most in ((old, 4), (new, 40)):
        document["dask_kubernetes"].update(max_workers=most, min_workers=most)
    component = step(ENVIRONMENT, {"max_workers": 4}, {"max_workers": 40}, name="analysts")
    config_map = step(CONFIG_MAP, carrying(old), carrying(new))
    lines = "WARNING size-changed\na run of analysts may have up to 40 workers\nmax_workers: 4 -> 40\n"
    assert in_preview(component, config_map) == in_preview(component) == in_preview(config_map) == lines
    default = step(ENVIRONMENT, {}, {"max_workers": 40}, name="analysts")
    assert in_preview(default, config_map) == lines


def test_what_a_default_becomes_is_told_by_the_document() -> None:
    old = json.loads((GOLDEN / "kubernetes-job.json").read_text())
    new = copy.deepcopy(old)
    new["timeouts"]["start_seconds"] = old["timeouts"]["start_seconds"] / 2
    assert in_preview(step(CONFIG_MAP, carrying(old), carrying(new))).startswith("WARNING timeout-changed\n")


def test_what_the_component_says_is_not_told_by_its_parts() -> None:
    component = step(ENVIRONMENT, {"log_retention_days": 30}, {"log_retention_days": 7}, name="prod")
    urn = f"urn:pulumi:prod::penstock::{ENVIRONMENT}${LOG_GROUP}::prod-log"
    part = Step(urn=urn, op=component.op, old={"retentionInDays": 30}, new={"retentionInDays": 7})
    assert in_preview(component, part) == in_preview(component)
    assert in_preview(part) == (
        "WARNING retention-changed\nlogs of prod-log older than 7 days are deleted\nretentionInDays: 30 -> 7\n"
    )


def test_numbers() -> None:
    written = {"500m": 0.5, "1Gi": 1024**3, "1e3": 1000, 2: 2, "0.5": 0.5, "256": 256, ".5k": 500}
    assert {one: number(one) for one in written} == written
    none: list[object] = ["", "x", "1Q", True, None, UNKNOWN, [], -1, "9" * 40, float("inf")]
    assert [number(one) for one in none] == [None] * len(none)
    times = {0: "0 s", 0.5: "0.5 s", 59: "59 s", 60: "1 min", 3661: "1 h 1 min", 86400: "1 d"}
    assert {one: duration(Fraction(one)) for one in times} == times


@pytest.mark.parametrize(
    "case", ["retention", "a time where none was", "less quota", "smaller containers", "objects", "a task definition"]
)
def test_shapes_that_nobody_expects(case: str) -> None:
    type_, old, new, _ = CASES[case]
    check_survives(limits.STEP_CHECKS, type_, old, new)
    for odd in broken(new):
        in_preview(step(type_, old, odd))
        in_preview(step(type_, odd, new))
