"""What is told of container images."""

from typing import Any

import pytest

from stacks.review.finding import Finding, Weight
from stacks.review.findings import images
from stacks.review.findings.images import Image, parsed
from stacks.review.preview import Op, Preview, Step
from stacks.review.values import SECRET, UNKNOWN
from tests.stacks.review.steps import step

TASK = "aws:ecs/taskDefinition:TaskDefinition"
ENVIRONMENT = "penstock:index:DaskCloudProviderEnvironment"
OURS = f"{ENVIRONMENT}${TASK}"
NOTICE, WARNING = Weight.NOTICE, Weight.WARNING
DIGEST = "@sha256:" + "0" * 64
CHANGED, MOVES, DROPPED, REGISTRY = (
    "image-changed",
    "image-tag-moves",
    "image-digest-dropped",
    "image-registry-changed",
)


def task(*references: Any) -> dict[str, Any]:
    return {"containerDefinitions": [{"name": f"c{i}", "image": image} for i, image in enumerate(references)]}


def told(*steps: Step) -> list[Finding]:
    return list(images.check_images(Preview(stack="prod", steps=steps, counts={})))


def lines(*steps: Step) -> list[tuple[str, Weight, str]]:
    return [(one.rule.name, one.weight, str(one.what)) for one in told(*steps)]


CASES: list[Any] = [
    ("r.io/f:1", "r.io/f:2", [(CHANGED, NOTICE, "get another image, 2")]),
    (f"r.io/f{DIGEST}", f"r.io/f{DIGEST[:-1]}1", [(CHANGED, NOTICE, f"get another image, r.io/f{DIGEST[:-1]}1")]),
    ("r.io/f:1", "r.io/g:1", [(CHANGED, NOTICE, "get another image, r.io/g:1")]),
    (f"r.io/f{DIGEST}", "r.io/f:1", [(DROPPED, WARNING, "get the image r.io/f:1 without a digest")]),
    ("r.io/f:1", f"r.io/f{DIGEST}", [(CHANGED, NOTICE, f"get another image, r.io/f{DIGEST}")]),
    ("r.io/f:1", "q.io/f:1", [(REGISTRY, WARNING, "get an image from q.io instead of r.io")]),
    (
        f"r.io/f{DIGEST}",
        "q.io/f:1",
        [
            (REGISTRY, WARNING, "get an image from q.io instead of r.io"),
            (MOVES, NOTICE, "get an image by the tag 1, which can move"),
        ],
    ),
    (
        "r.io/f:1",
        "r.io/f:latest",
        [
            (CHANGED, NOTICE, "get another image, latest"),
            (MOVES, WARNING, "get an image by the tag latest, which can move"),
        ],
    ),
    (None, "python", [(MOVES, WARNING, "get whatever python is at the time")]),
    (None, "localhost:5000/f:1", [(MOVES, NOTICE, "get an image by the tag 1, which can move")]),
    (None, f"r.io/f{DIGEST}", []),
    ("r.io/f:latest", "r.io/f:latest", []),
    ("r.io/f:1", None, []),
    ("r.io/f:1", UNKNOWN, []),
    (UNKNOWN, f"r.io/f{DIGEST}", []),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES, ids=range(len(CASES)))
def test_what_another_image_means(before: Any, after: Any, expected: list[Any]) -> None:
    change = step(TASK, task(before) if before else None, task(after), op=Op.REPLACE, name="flow")
    assert lines(change) == [(rule, weight, f"containers of flow {text}") for rule, weight, text in expected]
    assert all((one.field, one.after) == ("containerDefinitions[c0].image", after) for one in told(change))


def test_one_change_of_many_containers_is_told_once() -> None:
    def change(part: str, number: int) -> Step:
        return step(
            OURS, task(*["r.io/f:1"] * number), task(*["r.io/f:2"] * number), name=f"prod-{part}", op=Op.REPLACE
        )

    environment = step(ENVIRONMENT, {"image": "r.io/f:1"}, {"image": "r.io/f:2"}, name="prod")
    found = told(environment, change("worker", 1), change("task", 2))
    assert [(one.rule.name, str(one.what), one.before, one.after, one.options) for one in found] == [
        (CHANGED, "runs and workers of prod get another image, 2", "r.io/f:1", "r.io/f:2", ("image",))
    ]
    two = told(change("task", 1), step(TASK, None, task("python:3.12"), name="other"))
    assert [str(one.what) for one in two] == [
        "runs of prod get another image, 2",
        "containers of other get an image by the tag 3.12, which can move",
    ]


def test_the_argument_is_told_where_nothing_else_shows_it() -> None:
    environment = step(ENVIRONMENT, {"image": "r.io/f:1"}, {"image": "r.io/f:2"}, name="flights")
    found = told(environment, step(OURS, task("r.io/f:1"), {"containerDefinitions": UNKNOWN}, name="flights-task"))
    assert [(str(one.what), one.field, one.options) for one in found] == [
        ("runs and workers of flights get another image, 2", "image", ("image",))
    ]


def test_images_of_an_environment_document_are_those_of_runs_and_workers() -> None:
    def document(image: str) -> dict[str, Any]:
        pod = {"containers": [{"name": "c", "image": image}]}
        section = {"job": {"spec": {"template": {"spec": pod}}}, "worker": {"spec": pod}}
        return {
            "data": {"environment.json": {"schema_version": 1, "kind": "dask-kubernetes", "dask_kubernetes": section}}
        }

    top = {"data": {"environment.json": {"schema_version": 1, "kind": "kubernetes-job", "image": "r.io/f:3"}}}
    assert lines(step("kubernetes:core/v1:ConfigMap", document("r.io/f:1"), top)) == [
        (MOVES, NOTICE, "runs of prod get an image by the tag 3, which can move")
    ]
    type_ = "penstock:index:DaskKubernetesEnvironment$kubernetes:core/v1:ConfigMap"
    change = step(type_, document("r.io/f:1"), document("r.io/f:2"), name="flights-environment")
    assert lines(change) == [(CHANGED, NOTICE, "runs and workers of flights get another image, 2")]


PARSED = {
    "python": Image(registry="docker.io", repository="python", tag="", digest=""),
    "library/python:3": Image(registry="docker.io", repository="library/python", tag="3", digest=""),
    "localhost/f": Image(registry="localhost", repository="f", tag="", digest=""),
    "r.io:5000/a/b": Image(registry="r.io:5000", repository="a/b", tag="", digest=""),
    "r.io/f:1@sha256:0": Image(registry="r.io", repository="f", tag="1", digest="sha256:0"),
    "": Image(registry="docker.io", repository="", tag="", digest=""),
    ":@/": Image(registry="docker.io", repository="", tag="", digest="/"),
}


@pytest.mark.parametrize("reference", PARSED)
def test_the_parts_of_a_reference(reference: str) -> None:
    assert parsed(reference) == PARSED[reference]


@pytest.mark.parametrize("type_", [TASK, ENVIRONMENT, "kubernetes:apps/v1:Deployment", "kubernetes:core/v1:ConfigMap"])
def test_no_shape_makes_it_fail(type_: str) -> None:
    values: list[Any] = [
        None,
        UNKNOWN,
        SECRET,
        1,
        "x",
        "@",
        ":",
        "/:",
        [],
        {},
        [1],
        [{"name": 1, "image": "x"}],
        [{"image": {}}],
    ]
    for value in values:
        pods = {"spec": {"template": {"spec": {"containers": value}}}}
        for new in ({"containerDefinitions": value}, task(value), {"image": value}, pods, {"data": value}):
            for old in (None, {}, task("r.io/f:1"), {"image": value}):
                assert all(str(one.what) for one in told(step(type_, old, new, op=Op.UPDATE)))
