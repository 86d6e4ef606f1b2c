"""Previews that are recorded now say the same as those that are kept."""

import os
import shutil
from collections.abc import Iterable
from typing import Any

import pytest

from stacks.review import reporting
from stacks.review.preview import Preview
from stacks.review.reading import preview_file as reading
from tests.stacks.review.recording.places import AWS, KUBERNETES
from tests.stacks.review.recording.record import PREVIEWS, portable, record
from tests.testbed.pulumi_engine import CHECKOUT
from tools.pulumi_env import pulumi_environment

PROVIDER = "pulumi-resource-kubernetes"


def said(text: str) -> list[tuple[Any, ...]]:
    preview = reading.read(text, "preview")
    assert isinstance(preview, Preview)
    made = reporting.report([preview], stack_files=CHECKOUT / "stacks")
    return [(told.weight, told.rule, told.name, told.field) for told in made.findings]


def assert_the_same_is_said(platform: str, names: Iterable[str]) -> None:
    names = list(names)
    recorded = {case: portable(text) for case, text in record(platform, names)}

    assert sorted(case.name for case in recorded) == sorted(names)
    for case, text in recorded.items():
        kept = said((PREVIEWS / case.file).read_text())
        assert said(text) == kept, case.name
        assert bool(kept) != case.name.endswith("-same")


@pytest.mark.engine
@pytest.mark.aws
@pytest.mark.long
@pytest.mark.timeout(180)
def test_on_the_test_aws() -> None:
    if shutil.which("pulumi", path=pulumi_environment(None, os.environ)["PATH"]) is None:
        pytest.skip("no Pulumi CLI: PATH has no `pulumi`; `make test` gets one")
    assert_the_same_is_said(
        AWS, ("beside-aws-create", "beside-aws-policy-widened", "beside-aws-ingress", "beside-aws-unprotected")
    )


@pytest.mark.engine
@pytest.mark.cluster
@pytest.mark.timeout(180)
def test_on_the_cluster_as_the_environments_previewer(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which(PROVIDER) is None:
        pytest.skip(f"no provider: PATH has no `{PROVIDER}`; `make test-cluster` gets one")
    monkeypatch.setenv("KUBECONFIG", os.environ["PENSTOCK_TEST_KUBECONFIG"])
    assert_the_same_is_said(KUBERNETES, ("jobs-prod-same", "jobs-prod-pod-security", "jobs-prod-egress"))
