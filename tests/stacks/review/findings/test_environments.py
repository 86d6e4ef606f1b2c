"""That an environment is new."""

from typing import Any

import pytest

from stacks.review.finding import Weight
from stacks.review.findings.environments import STEP_CHECKS
from stacks.review.preview import Step
from stacks.review.values import UNKNOWN
from tests.stacks.review.steps import step

JOBS = "penstock:index:KubernetesJobEnvironment"


def found(one: Step) -> list[tuple[str, Weight, str]]:
    return [(finding.rule.name, finding.weight, str(finding.what)) for check in STEP_CHECKS for finding in check(one)]


@pytest.mark.parametrize(
    "name", [{}, {"environment_name": ""}, {"environment_name": UNKNOWN}, {"environment_name": []}]
)
def test_a_new_one_is_told_by_its_name_and_kind(name: dict[str, Any]) -> None:
    told = ("environment-created", Weight.NOTICE, "the environment thing is new, a KubernetesJob")

    assert found(step(JOBS, None, name)) == [told]
    assert found(step(JOBS, None, {"environment_name": "prod"}))[0][2] == "the environment prod is new, a KubernetesJob"


@pytest.mark.parametrize(
    "one",
    [step(JOBS, {}, None), step(JOBS, {}, {"image": "a"}), step("penstock:index:Network", None, {})],
    ids=range(3),
)
def test_others_are_not(one: Step) -> None:
    assert found(one) == []
