import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stacks.review.findings import documents
from stacks.review.values import SECRET, UNKNOWN, tree
from tests.stacks.review.findings.cases import check_survives, found, told
from tests.stacks.review.steps import step

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
PARAMETER = "aws:ssm/parameter:Parameter"
GOLDEN = Path(__file__).parents[3] / "components" / "golden"
KINDS = ("kubernetes-job", "dask-kubernetes", "fargate-task", "dask-cloud-provider")


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def carrying(document: Any) -> tuple[str, Any]:
    """A resource's type and its properties as a preview has them."""
    kept = tree(document)
    if "fargate_task" in document and (document["fargate_task"] or document["dask_cloud_provider"]):
        return PARAMETER, {"insecureValue": kept}
    return CONFIG_MAP, {"data": {"environment.json": kept}}


def changed(name: str, change: Callable[[Any], None]) -> str:
    old, new = golden(name), copy.deepcopy(golden(name))
    change(new)
    type_, before = carrying(old)
    return told(found(documents.STEP_CHECKS, step(type_, before, carrying(new)[1])))


@pytest.mark.parametrize("name", [name for kind in KINDS for name in (kind, f"{kind}-full")])
def test_documents_of_the_components_say_nothing_by_themselves(name: str) -> None:
    type_, properties = carrying(golden(name))
    assert not found(documents.STEP_CHECKS, step(type_, None, properties))
    assert not found(documents.STEP_CHECKS, step(type_, properties, copy.deepcopy(properties)))
    assert not found(documents.STEP_CHECKS, step(type_, properties, None))


def put(**values: Any) -> Callable[[Any], None]:
    """A change of keys, those inside a mapping with two underscores between."""

    def change(document: Any) -> None:
        for path, value in values.items():
            *way, last = path.split("__")
            place = document
            for key in way:
                place = place[key]
            place[last] = value

    return change


CASES: dict[str, tuple[str, Callable[[Any], None], str]] = {
    "told elsewhere": (
        "dask-kubernetes-full",
        put(image="other:2", resources__gpu=1, timeouts__run_seconds=5, dask_kubernetes__max_workers=9),
        "",
    ),
    "another version": (
        "dask-kubernetes-full",
        put(schema_version=2),
        """
DANGER document-version-changed
runs of analysts fail until their image has a penstock that reads documents 2
schema_version: 1 -> 2
""",
    ),
    "refused": (
        "dask-kubernetes-full",
        put(executor__type="threads"),
        """
DANGER document-refused
no runner can read the document of analysts: executor.type is "threads", expected one of inline, dask
executor.type: null -> "\\"threads\\""
NOTICE document-changed
runs of analysts start with other settings: executor.type
executor.type: "dask" -> "threads"
""",
    ),
    "renamed": (
        "dask-kubernetes-full",
        put(name="people"),
        """
WARNING environment-renamed
nobody finds the environment analysts by that name any more: it becomes people
name: "analysts" -> "people"
""",
    ),
    "another producer": (
        "dask-kubernetes-full",
        put(producer__version="2.0"),
        """
NOTICE document-producer-changed
the document of analysts is written by penstock 2.0 instead of any
producer.version: "any" -> "2.0"
""",
    ),
    "a key more": (
        "dask-kubernetes-full",
        put(dask_kubernetes__spill=True),
        """
NOTICE document-keys-new
runners that do not know dask_kubernetes.spill warn in runs of analysts and do without
dask_kubernetes.spill: null -> ["dask_kubernetes.spill"]
NOTICE document-changed
runs of analysts start with other settings: dask_kubernetes.spill
dask_kubernetes.spill: null -> true
""",
    ),
    "a variable more": (
        "dask-kubernetes-full",
        put(env__MODE="fast"),
        """
NOTICE document-changed
runs of analysts start with other settings: env.MODE
env.MODE: null -> "fast"
""",
    ),
    "a variable that is secret, and one that holds JSON": (
        "dask-kubernetes-full",
        put(env__PASSWORD=SECRET, env__JSON='{"a": 1}'),
        """
NOTICE document-changed
runs of analysts start with other settings: env.JSON.a and env.PASSWORD
: {"env.JSON.a": null, "env.PASSWORD": null} -> {"env.JSON.a": 1, "env.PASSWORD": "<secret>"}
""",
    ),
    "a failure policy": (
        "kubernetes-job",
        put(failure_policy__retries=1, failure_policy__oom="retry", kubernetes_job__job__spec__backoffLimit=1),
        """
NOTICE document-changed
runs of flights start with other settings: failure_policy.oom
failure_policy.oom: "fail" -> "retry"
""",
    ),
    "not known": (
        "fargate-task",
        put(fargate_task__region="nowhere", fargate_task__bucket=UNKNOWN),
        """
NOTICE document-changed
runs of flights start with other settings: fargate_task.bucket and fargate_task.region
: {"fargate_task.bucket": "penstock-flights-123456789012-eu-west-1", "fargate_task.region": "eu-west-1"} -> {"fargate_task.bucket": "<known after the change>", "fargate_task.region": "nowhere"}
""",  # noqa: E501 one line of a finding
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_found(case: str) -> None:
    name, change, expected = CASES[case]
    assert changed(name, change) == expected.lstrip()


def test_another_kind() -> None:
    old, new = golden("kubernetes-job"), {**golden("dask-kubernetes"), "name": golden("kubernetes-job")["name"]}
    lines = told(found(documents.STEP_CHECKS, step(CONFIG_MAP, carrying(old)[1], carrying(new)[1])))
    assert lines == (
        "WARNING environment-renamed\n"
        f"runs of {old['name']} take place as dask-kubernetes instead of kubernetes-job\n"
        'kind: "kubernetes-job" -> "dask-kubernetes"\n'
    )


def test_options_are_keys_of_the_stacks_file() -> None:
    type_, before = carrying(golden("dask-kubernetes-full"))
    new = golden("dask-kubernetes-full")
    put(callbacks__on_start="hooks:start", dask_kubernetes__worker_threads=4, env__A="b", log__level="DEBUG")(new)
    (finding,) = found(documents.STEP_CHECKS, step(type_, before, carrying(new)[1]))
    assert finding.options == ("on_start", "worker_threads", "env", "log")


def test_shapes_that_nobody_expects() -> None:
    small = {
        "schema_version": 1,
        "kind": "kubernetes-job",
        "name": "x",
        "env": {"A": "b"},
        "producer": {"version": "1"},
        "kubernetes_job": {"namespace": "x", "job": {}},
    }
    new = {**small, "name": "other", "executor": {"type": "x"}, "more": {"a": "b"}}
    check_survives(documents.STEP_CHECKS, CONFIG_MAP, carrying(small)[1], carrying(new)[1])
