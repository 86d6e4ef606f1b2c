"""Says in plain words why a task does not start, from what ECS says of it.

Pure functions of the API's words. Each gives the failure's class, ECS' own words and the next step, and whether trying
again can help: capacity comes by itself, a missing image does not.

Sources: "RunTask" (failures), "Stopped tasks error messages" and "CannotPullContainer task errors" in the Amazon ECS
Developer Guide, and the messages of containerd that these quote.
"""

import re
from collections.abc import Mapping
from typing import Any

from runner.aws.errors import ApiError
from runner.http.errors import Unreachable
from runner.outcome import Failure, FailureClass
from runner.trouble import Trouble

BUSY = re.compile(
    r"\b(429|5\d\d)\b|too many requests|toomanyrequests|pull rate limit|timeout|timed out|deadline exceeded|"
    r"connection refused|connection reset|no such host|network is unreachable|no route to host|EOF|TLS handshake",
    re.IGNORECASE,
)
"""What a registry or the way to it says when trying again can help."""
QUOTA = re.compile(
    r"limit on the number of vCPUs|vCPU limit|reached the limit|exceeds? (the|your) .*limit", re.IGNORECASE
)
PULL = re.compile(r"CannotPull(ECR)?Container(Image)?Error|CannotPullImageManifestError|CannotPullContainer")
NO_INSTANCE = {"ATTRIBUTE", "EMPTY CAPACITY PROVIDER", "NO ACTIVE INSTANCES", "EMPTY"}
INITIALIZATION = "ResourceInitializationError"
UNSTARTABLE = re.compile(
    r"CannotStartContainerError|CannotCreateContainerError|ContainerRuntimeError|CannotCreateVolume"
)
LOG_GROUP = re.compile(r"log group does not exist|failed to validate logger|initialize logging driver", re.IGNORECASE)
SECRETS = re.compile(r"secrets? or registry auth|retrieve secret|fetching secret|secretsmanager|ssm", re.IGNORECASE)


RUN = "the run"


def of_failure(failure: Mapping[str, Any], *, whose: str = RUN) -> Trouble:
    """Why RunTask started no task.

    Args:
        failure: one of its `failures`.
        whose: whose task it would have been, in words.
    """
    reason = str(failure.get("reason") or "no reason given")
    said = " ".join(part for part in (reason, str(failure.get("detail") or "")) if part)
    if QUOTA.search(said):
        return of_quota(said, whose=whose)
    if reason in NO_INSTANCE or "constraint" in said.lower():
        return _trouble(
            FailureClass.UNSCHEDULABLE,
            f"No instance of the cluster may take {whose}.",
            "Add one that can, or correct the stack's placement constraints and launch type.",
            said,
            fatal=False,
        )
    if reason.startswith("RESOURCE:") or "capacity" in said.lower() or reason == "AGENT":
        missing = reason.partition(":")[2].lower()
        return _trouble(
            FailureClass.UNSCHEDULABLE,
            f"No {'instance of the cluster' if missing else 'capacity of AWS'} has room for {whose}"
            f"{f' (its {missing})' if missing else ''}.",
            "Wait, ask for less, or let the stack use other subnets or capacity providers.",
            said,
            fatal=False,
        )
    return _trouble(
        FailureClass.CONFIG,
        f"ECS did not take {whose}.",
        "Correct that part of the stack, then `pulumi up` and `penstock env pull`.",
        said,
        fatal=True,
    )


def of_quota(said: str, *, whose: str = RUN) -> Trouble:
    """The account's limit is reached."""
    return _trouble(
        FailureClass.QUOTA,
        f"The account's limit of Fargate leaves no room for {whose}.",
        "Wait until other tasks have ended, or have the quota raised (Service Quotas, AWS Fargate).",
        said,
        fatal=False,
    )


def of_refusal(error: Exception, *, whose: str = RUN) -> Trouble:
    """Why RunTask was not taken at all.

    Args:
        error: what became of the call.
        whose: whose task it would have been, in words.
    """
    said = (isinstance(error, ApiError) and error.message) or str(error) or type(error).__name__
    if QUOTA.search(said):
        return of_quota(said, whose=whose)
    passing = isinstance(error, ApiError | Unreachable) and error.transient
    message, _, step = str(error).partition(". ")
    failure_class = FailureClass.UNSCHEDULABLE if passing else FailureClass.CONFIG
    return _trouble(failure_class, f"{message.rstrip('.')}.", step or "Start the run again.", said, fatal=not passing)


def of_stopped(task: Mapping[str, Any], *, whose: str = RUN) -> Trouble:
    """Why a task that was accepted has stopped before its container was up.

    Args:
        task: the task.
        whose: whose task it is, in words.
    """
    reasons = [str(task.get("stoppedReason") or ""), *(str(item.get("reason") or "") for item in task["containers"])]
    said = " ".join(dict.fromkeys(reason for reason in reasons if reason)) or "no reason given"
    if PULL.search(said):
        return _of_pull(said)
    if INITIALIZATION in said:
        return _of_initialization(said, whose)
    if UNSTARTABLE.search(said):
        return _trouble(
            FailureClass.CONFIG,
            "The container cannot be started.",
            "See that the image has Python and penstock of this version for the task's processor architecture.",
            said,
            fatal=True,
        )
    if QUOTA.search(said):
        return of_quota(said, whose=whose)
    return _trouble(
        FailureClass.NEVER_STARTED,
        "The task stopped before its container was up.",
        "Start it again with `penstock retry`; if that happens again, see what ECS says.",
        said,
        fatal=False,
    )


def not_started(*, clock: str, seconds: float, last: Failure | None = None, whose: str = "The run") -> Failure:
    """A run whose clock is over before its container was up.

    Args:
        clock: `queue` or `start`.
        seconds: the clock.
        last: what it was last waiting for.
        whose: whose clock, in words that begin a sentence.
    """
    waited = f"{whose} has not {'found a place' if clock == 'queue' else 'started'} within {seconds:g} s"
    return Failure(
        failure_class=FailureClass.NEVER_STARTED if last is None else last.failure_class,
        message=f"{waited}." if last is None else f"{waited}: {last.message}",
        next_step=f"Give it more with timeouts.{clock}_seconds of the stack, or see what ECS says of its cluster."
        if last is None
        else last.next_step,
        evidence=None if last is None else last.evidence,
    )


def _of_pull(said: str) -> Trouble:
    if BUSY.search(said):
        return _trouble(
            FailureClass.REGISTRY,
            "The image's registry, or the way to it, does not answer now.",
            "Wait; without a NAT gateway, see that the VPC has endpoints for ecr.api, ecr.dkr and S3.",
            said,
            fatal=False,
        )
    if re.search(r"denied|unauthorized|forbidden|\b403\b|no basic auth", said, re.IGNORECASE):
        message = "The registry does not give the image to this task."
        step = "Let the execution role pull it, or correct `image` of the stack."
    else:
        message = "The image cannot be pulled."
        step = "Correct `image` of the stack, then `pulumi up` and `penstock env pull`."
    return _trouble(FailureClass.IMAGE, message, step, said, fatal=True)


def _of_initialization(said: str, whose: str) -> Trouble:
    if LOG_GROUP.search(said):
        message, step = f"The log group of {whose} is not there.", "Make it again with `pulumi up --refresh`."
    elif SECRETS.search(said):
        message = f"A secret of {whose} cannot be read."
        step = "See that it exists, that the execution role may read it, and that the subnet reaches its service."
    else:
        message, step = "The task's surroundings cannot be made.", "Correct what ECS names in the stack."
    busy = BUSY.search(said) is not None and not re.search(r"not authorized|denied|can't find|NotFound", said)
    return _trouble(FailureClass.CONFIG, message, step, said, fatal=not busy)


def _trouble(failure_class: FailureClass, message: str, next_step: str, evidence: str, *, fatal: bool) -> Trouble:
    failure = Failure(failure_class=failure_class, message=message, next_step=next_step, evidence=evidence)
    return Trouble(failure=failure, fatal=fatal)
