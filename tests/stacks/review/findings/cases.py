"""What tests of single findings share: findings in a form that is easy to compare, and shapes that nobody expects."""

import copy
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from stacks.review.finding import Finding, StepCheck
from stacks.review.preview import Step
from stacks.review.values import SECRET, UNKNOWN
from tests.stacks.review.steps import step

ODD: tuple[Any, ...] = (None, UNKNOWN, SECRET, "", "x", 7, True, [], {}, [None], [[UNKNOWN]], ["x"], {"x": SECRET})
"""What a preview may have in any place."""


def told(findings: Iterable[Finding]) -> str:
    """Findings in lines: weight and rule; the sentence; field, what was there before and what is after."""
    return "".join(
        f"{one.weight.name} {one.rule.name}\n{one.what}\n{one.field}: {_json(one.before)} -> {_json(one.after)}\n"
        for one in findings
    )


def _json(value: Any) -> str:
    return json.dumps(value, default=repr)


def found(checks: Sequence[StepCheck], one: Step) -> list[Finding]:
    """All that checks find about a resource."""
    return [finding for check in checks for finding in check(one)]


def broken(value: Any) -> Iterator[Any]:
    """The value with each part of it, and all of it, replaced by what is odd there."""
    yield from ODD
    if isinstance(value, dict):
        for key, item in value.items():
            for odd in broken(item):
                yield {**value, key: odd}
            yield {other: kept for other, kept in value.items() if other != key}
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for odd in broken(item):
                yield [*value[:index], odd, *value[index + 1 :]]


def check_survives(checks: Sequence[StepCheck], type_: str, old: Any, new: Any) -> None:
    """Checks say something sound, or nothing, whatever a preview has in any place."""
    before = copy.deepcopy((old, new))
    pairs = [(None, odd) for odd in broken(new)]
    pairs += [(odd, new) for odd in broken(old)] + [(old, odd) for odd in broken(new)]
    pairs += [(odd, odd) for odd in broken(new)] + [(odd, None) for odd in broken(old)]
    for one, other in pairs:
        for finding in found(checks, step(type_, one, other)):
            assert str(finding.what)
            assert finding.what.text[:1] not in ("", " ")
            assert all(isinstance(name, str) for name in finding.what.names)
    assert (old, new) == before
