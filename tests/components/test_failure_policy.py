from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.failure_policy import job_failure_policy
from runner.environment import Action, FailurePolicy

DISRUPTED = [{"type": "DisruptionTarget", "status": "True"}]


def action_on(policy: FailurePolicy, exit_code: int, *, disrupted: bool = False) -> str:
    """What Kubernetes does about a pod: the first rule that matches decides, else the failure is counted."""
    fields = job_failure_policy(policy)
    for rule in fields["podFailurePolicy"]["rules"]:
        if "onPodConditions" in rule and disrupted:
            return str(rule["action"])
        codes = rule.get("onExitCodes")
        if codes and exit_code not in codes["values"]:
            assert (codes["containerName"], codes["operator"]) == ("flow", "NotIn")
            return str(rule["action"])
    return "Count" if fields["backoffLimit"] else "FailJob"


def test_by_default_only_a_place_that_was_taken_away_starts_a_run_again() -> None:
    assert job_failure_policy(FailurePolicy()) == {
        "backoffLimit": 0,
        "podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": DISRUPTED}]},
    }


def test_not_even_that_when_it_is_to_fail() -> None:
    fields = job_failure_policy(FailurePolicy(preempted=Action.FAIL))

    assert fields["podFailurePolicy"]["rules"] == [{"action": "FailJob", "onPodConditions": DISRUPTED}]


@pytest.mark.parametrize(
    ("failure", "codes"),
    [
        ("flow", {*range(1, 64)}),
        ("crash", {*range(129, 256)} - {130, 137, 143}),
        ("oom", {137}),
    ],
)
def test_each_failure_has_its_exit_codes(failure: str, codes: set[int]) -> None:
    policy = FailurePolicy(retries=2, **{failure: Action.RETRY})

    assert {code for code in range(1, 256) if action_on(policy, code) == "Count"} == codes
    assert job_failure_policy(policy)["backoffLimit"] == 2


@given(
    st.builds(
        FailurePolicy,
        retries=st.integers(1, 100),
        flow=st.just(Action.RETRY),
        crash=st.sampled_from(Action),
        oom=st.sampled_from(Action),
        preempted=st.sampled_from(Action),
    )
)
def test_what_nobody_can_mend_by_running_again_always_ends_the_run(policy: FailurePolicy) -> None:
    assert {action_on(policy, code) for code in (*range(64, 129), 130, 143)} == {"FailJob"}


@given(st.sampled_from(Action), st.integers(1, 255))
def test_the_condition_of_the_pod_comes_before_its_exit_code(preempted: Action, code: int) -> None:
    policy = FailurePolicy(retries=1, flow=Action.RETRY, crash=Action.RETRY, oom=Action.RETRY, preempted=preempted)
    wanted = {Action.RETRY: "Ignore", Action.FAIL: "FailJob"}[preempted]

    assert action_on(policy, code, disrupted=True) == wanted


def test_the_exit_codes_are_as_the_api_wants_them_sorted_and_few() -> None:
    policy = FailurePolicy(retries=1, flow=Action.RETRY, crash=Action.RETRY, oom=Action.RETRY)
    rules: list[dict[str, Any]] = job_failure_policy(policy)["podFailurePolicy"]["rules"]

    values = rules[1]["onExitCodes"]["values"]
    assert values == sorted(set(values))
    assert len(values) <= 255
    assert 0 not in values
