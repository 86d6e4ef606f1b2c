"""AWS itself in place of the test AWS, for who has an account, says so, and names what it may cost.

Asked for by `PENSTOCK_TEST_AWS=real` together with `PENSTOCK_TEST_AWS_BUDGET=<dollars>`. Without both, AWS itself is
never contacted.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from tests.testbed.aws.handle import Aws

WHICH, BUDGET, IMAGE = "PENSTOCK_TEST_AWS", "PENSTOCK_TEST_AWS_BUDGET", "PENSTOCK_TEST_AWS_IMAGE"
ONLY_THERE = {
    "image": f"images by their names here: {IMAGE} names the one that is there",
    "inject": "faults",
    "hit": "faults",
    "delays": "delays",
    "forget": "tasks that are forgotten before their time",
    "processes": "processes of tasks",
    "calls": "the record of calls",
    "user": "users that are made for a test",
}
"""What the test AWS' own door is for, and AWS has nothing like it."""
POLL_SECONDS = 1.0
WAIT_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class RealAws(Aws):
    """AWS itself, with the credentials of whoever runs the tests. What only the test AWS can do skips the test."""

    endpoint: str = ""
    budget: float
    """Dollars that whoever runs the tests is ready to pay. Nothing here measures what is spent."""

    @property
    def env(self) -> dict[str, str]:
        """The region; all else is there already."""
        return {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}

    def client(self, service: str) -> Any:
        made = boto3.client(service, region_name=self.region)
        made.meta.events.register("provide-client-params.ec2.CreateVpc", _refuse_loopback)
        return made

    def _control(self, what: str, **given: Any) -> Any:
        if what == "clear" or (what == "image" and given["name"] == os.environ.get(IMAGE)):
            return None
        if what == "await-stopped":
            return self._await_stopped(given["cluster"])
        pytest.skip(f"AWS itself does not have {ONLY_THERE[what]}")

    def _await_stopped(self, cluster: str) -> None:
        ecs, limit = self.client("ecs"), time.monotonic() + WAIT_SECONDS
        while found := _up(ecs, cluster):
            assert time.monotonic() < limit, f"still up after {WAIT_SECONDS} s: {found}"
            time.sleep(POLL_SECONDS)


def chosen(environ: Mapping[str, str]) -> RealAws | None:
    """AWS itself, if it is asked for; null for the test AWS.

    Raises:
        pytest.UsageError: it is asked for, but not in a way that can be meant.
    """
    which = environ.get(WHICH, "")
    if which not in {"", "real"}:
        raise pytest.UsageError(f"{WHICH} is {which!r}. Set it to `real` for AWS itself, or unset it for the test AWS.")
    if not which:
        return None
    try:
        budget = float(environ.get(BUDGET, ""))
    except ValueError:
        budget = 0.0
    if not 0 < budget < float("inf"):
        raise pytest.UsageError(
            f"{WHICH}=real starts tasks that cost money. Say in {BUDGET} how many dollars they may cost, such as 5."
        )
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise pytest.UsageError(f"{WHICH}=real needs a region. Set AWS_REGION.")
    return RealAws(region=region, budget=budget)


def _refuse_loopback(params: Mapping[str, Any], **_: Any) -> None:
    if str(params.get("CidrBlock", "")).startswith("127."):
        pytest.skip("AWS itself does not have networks of this machine's own addresses")


def _up(ecs: Any, cluster: str) -> list[str]:
    return [
        arn
        for status in ("RUNNING", "STOPPED")
        for arn in _not_stopped(ecs, cluster, ecs.list_tasks(cluster=cluster, desiredStatus=status)["taskArns"])
    ]


def _not_stopped(ecs: Any, cluster: str, arns: list[str]) -> list[str]:
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
    return [str(task["taskArn"]) for task in tasks if task["lastStatus"] != "STOPPED"]
