"""What `penstock doctor` checks of an environment on ECS: with reads only, so that it leaves nothing behind."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from runner import contract
from runner.aws.access import Access, load
from runner.aws.client import Asked, Client
from runner.aws.errors import ApiError, NotFound
from runner.cli.check import Check, Level
from runner.environment import Environment
from runner.errors import PenstockError
from runner.launch.base import Reach
from runner.launch.ecs import documents, names
from runner.launch.ecs.finder import no_log_group
from runner.sections import FargateTask

BUDGET_SECONDS = 5.0
WHO = Asked(
    method="POST",
    path="/",
    action="GetCallerIdentity",
    headers={"Content-Type": "application/x-www-form-urlencoded"},
    body=b"Action=GetCallerIdentity&Version=2011-06-15",
)


def checks(environment: Environment, reach: Reach) -> Iterator[Check]:
    """Whether AWS answers, knows who asks, lets them see runs, and has this very environment."""
    section = environment.on_ecs
    assert section is not None  # noqa: S101 asked for environments on ECS only
    try:
        access = load(region=section.region, profile=reach.profile)
        yield Check(Level.OK, "account", f"{_who(access)} in {section.region}")
    except PenstockError as error:
        yield Check(Level.FAIL, "account", str(error))
        return
    yield _tried("cluster", lambda: _cluster(access, section))
    yield _tried("log group", lambda: _log_group(access, section))
    yield _tried("document", lambda: _document(environment, reach, section))


def _who(access: Access) -> str:
    answer = Client(access, "sts", budget_seconds=BUDGET_SECONDS).send(WHO)
    found = re.search(rb"<Arn>(.*?)</Arn>", answer.body)
    return found[1].decode() if found else "somebody"


def _tried(what: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except PenstockError as error:
        return Check(Level.FAIL, what, str(error))


def _cluster(access: Access, section: FargateTask) -> Check:
    client = Client(access, "ecs", budget_seconds=BUDGET_SECONDS)
    try:
        found: list[Any] = client.call("ListTasks", cluster=section.cluster_arn)["taskArns"]
    except NotFound as error:
        return Check(Level.FAIL, "cluster", f"{section.cluster_arn}: {error.message}", "Provision it with `pulumi up`.")
    return Check(
        Level.OK, "cluster", f"{section.cluster_arn}, {len(found)} {'task' if len(found) == 1 else 'tasks'} up"
    )


def _log_group(access: Access, section: FargateTask) -> Check:
    client = Client(access, "logs", budget_seconds=BUDGET_SECONDS)
    prefix = names.streams(section)
    try:
        client.call("FilterLogEvents", logGroupName=section.log_group, logStreamNamePrefix=prefix, limit=1)
    except NotFound:
        raise no_log_group(section.log_group) from None
    return Check(Level.OK, "log group", section.log_group)


def _document(environment: Environment, reach: Reach, section: FargateTask) -> Check:
    where = Reach(profile=reach.profile, region=section.region)
    step = f"Get it with `penstock env pull --ssm {environment.name}`."
    try:
        there = documents.document(where, environment.name)
    except ApiError as error:
        return Check(Level.NOTE, "document", str(error))
    if there == contract.to_bytes(environment):
        return Check(Level.OK, "document", "the same as in Systems Manager")
    return Check(Level.FAIL, "document", "another than the one in Systems Manager", step)
