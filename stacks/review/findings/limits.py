"""Findings about how much, how long and how many."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stacks.review.comparing import Change
from stacks.review.finding import Finding, PreviewCheck, Rule, StepCheck
from stacks.review.findings import aws_limits, kubernetes_limits
from stacks.review.findings.kubernetes import word
from stacks.review.findings.measures import MEASURES, measured
from stacks.review.findings.measures import RULES as MEASURE_RULES
from stacks.review.findings.whose import is_environment
from stacks.review.preview import Preview, Step
from stacks.review.values import Properties, at, mapping
from stacks.review.workloads import document

IN_SECTION = ("max_workers", "min_workers", "worker_resources")
"""Keys that a document has in the section of its kind."""
Pair = tuple[Any, Any]


@dataclass(kw_only=True)
class Sides:
    """An environment before and after, as its component's arguments say and as its document says."""

    component: Step | None = None
    document: Step | None = None
    given: dict[str, Pair] = field(default_factory=dict)
    written: dict[str, Pair] = field(default_factory=dict)


def environments(preview: Preview) -> Iterator[Finding]:
    """Numbers of environments: by their components' arguments, by their documents where these say more."""
    for name, sides in sorted(_environments(preview).items()):
        for key in MEASURES:
            pair, step = _best(sides, key)
            if step is not None and not _follows(sides, key):
                change = Change(path=key, before=pair[0], after=pair[1])
                yield from measured(step, MEASURES[key], name, change, (key.partition(".")[0],))


def around(preview: Preview) -> Iterator[Finding]:
    """Numbers of what is around environments, where their components' arguments do not tell the same."""
    told = {
        key.partition(".")[0]
        for sides in _environments(preview).values()
        for key, (before, after) in sides.given.items()
        if before != after
    }
    for step in preview.steps:
        yield from aws_limits.found(step, told)


def _environments(preview: Preview) -> Mapping[str, Sides]:
    found: dict[str, Sides] = {}
    for step in preview.steps:
        if step.old is None or step.new is None:
            continue
        if is_environment(step):
            sides = found.setdefault(word(at(step.new, "environment_name")) or step.name, Sides())
            sides.component = step
            sides.given = {key: (_given(step.old, key), _given(step.new, key)) for key in MEASURES}
        elif (old := document(step, step.old)) is not None and (new := document(step, step.new)) is not None:
            sides = found.setdefault(word(new.get("name")), Sides())
            sides.document = step
            sides.written = {key: (_written(old, key), _written(new, key)) for key in MEASURES}
    return found


def _best(sides: Sides, key: str) -> tuple[Pair, Step | None]:
    """The number before and after, and the resource that tells it best; none when it does not change."""
    given, written = sides.given.get(key, (None, None)), sides.written.get(key, (None, None))
    # What is not given is a default, which only the document tells.
    exact = given if None not in given or sides.document is None or written == (None, None) else written
    if exact[0] == exact[1]:
        return exact, None
    return exact, sides.component if given[0] != given[1] and sides.component is not None else sides.document


def _follows(sides: Sides, key: str) -> bool:
    """Whether it is the fewest workers of clusters of fixed size, which are as many as the most."""
    fewest, most = (sides.written.get(name, (None, None)) for name in ("min_workers", "max_workers"))
    return key == "min_workers" and sides.given.get(key, (None, None)) == (None, None) and fewest == most


def _given(properties: Properties | None, key: str) -> Any:
    return at(properties, *key.split("."))


def _written(found: Mapping[str, Any], key: str) -> Any:
    path = key.split(".")
    section = mapping(found.get(word(found.get("kind")).replace("-", "_")))
    return at(section if path[0] in IN_SECTION else found, *path)


RULES: tuple[Rule, ...] = (*MEASURE_RULES, *kubernetes_limits.RULES)
STEP_CHECKS: tuple[StepCheck, ...] = kubernetes_limits.STEP_CHECKS
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = (environments, around, *kubernetes_limits.PREVIEW_CHECKS)
