"""AWS itself in place of the test AWS: only for who asks for it twice; it is never contacted here."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.testbed.aws.faults import Kind
from tests.testbed.aws.real import RealAws, chosen

AWS = RealAws(region="eu-west-1", budget=5.0)
ASKED = {"PENSTOCK_TEST_AWS": "real", "PENSTOCK_TEST_AWS_BUDGET": "5", "AWS_REGION": "eu-central-1"}


@pytest.mark.parametrize("environ", [{}, {"PENSTOCK_TEST_AWS_BUDGET": "5"}, {"PENSTOCK_TEST_AWS": ""}])
def test_without_being_asked_for_it_is_the_test_aws(environ: dict[str, str]) -> None:
    assert chosen({"AWS_PROFILE": "mine", "AWS_REGION": "eu-central-1", **environ}) is None


def test_with_both_it_is_aws_itself_and_nobody_elses_keys() -> None:
    found = chosen(ASKED)

    assert found == RealAws(region="eu-central-1", budget=5.0)
    assert found.env == {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"PENSTOCK_TEST_AWS": "yes"}, "PENSTOCK_TEST_AWS is 'yes'. Set it to `real`"),
        ({"PENSTOCK_TEST_AWS_BUDGET": ""}, "Say in PENSTOCK_TEST_AWS_BUDGET how many dollars"),
        ({"PENSTOCK_TEST_AWS_BUDGET": "0"}, "Say in PENSTOCK_TEST_AWS_BUDGET how many dollars"),
        ({"PENSTOCK_TEST_AWS_BUDGET": "nan"}, "Say in PENSTOCK_TEST_AWS_BUDGET how many dollars"),
        ({"PENSTOCK_TEST_AWS_BUDGET": "inf"}, "Say in PENSTOCK_TEST_AWS_BUDGET how many dollars"),
        ({"AWS_REGION": ""}, "needs a region. Set AWS_REGION."),
    ],
)
def test_what_cannot_be_meant_is_refused(change: dict[str, str], sentence: str) -> None:
    with pytest.raises(pytest.UsageError) as caught:
        chosen({**ASKED, **change})

    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: AWS.inject(Kind.SPOT), "faults"),
        (lambda: AWS.delay(PENDING=1), "delays"),
        (AWS.forget, "tasks that are forgotten before their time"),
        (lambda: AWS.processes("1"), "processes of tasks"),
        (AWS.calls, "the record of calls"),
        (lambda: AWS.needed("me"), "the record of calls"),
        (lambda: AWS.user("me"), "users that are made for a test"),
        (
            lambda: AWS.add_image("other:1", bin_folder="/bin"),
            "images by their names here: PENSTOCK_TEST_AWS_IMAGE",
        ),
    ],
)
def test_what_only_the_test_aws_can_do_skips_with_the_reason(call: Callable[[], Any], reason: str) -> None:
    with pytest.raises(pytest.skip.Exception, match=f"AWS itself does not have {reason}"):
        call()


def test_its_image_is_there_and_there_are_no_faults_to_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_TEST_AWS_IMAGE", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/runner:1")

    AWS.add_image("123456789012.dkr.ecr.eu-west-1.amazonaws.com/runner:1", bin_folder="/bin")
    AWS.clear()
