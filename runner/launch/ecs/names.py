"""Names and tags of the tasks of runs: an API, since people and policies select by them."""

import hashlib

from runner.labels import ATTEMPT, ENVIRONMENT, REQUEST, RUN_ID
from runner.sections import FLOW_CONTAINER, FargateTask

__all__ = ["ATTEMPT", "ENVIRONMENT", "REQUEST", "RUN_ID"]

RETRIES = "penstock.dev/retries"
"""Tag: how many of the retries that the failure policy counts were used before this attempt."""
CANCELLED = "penstock: cancelled"
INTERRUPTED = "penstock: interrupted"
NEVER_STARTED = "penstock: did not start in time"
RUN_ENDED = "penstock: the run has ended"
"""What tasks are stopped for, in our own words (`stoppedReason`)."""
LONGEST_TOKEN = 64
"""Longest `clientToken` of RunTask."""


def client_token(environment: str, run_id: str, attempt: int) -> str:
    """What makes RunTask start an attempt once, however often it is asked: the same for every client."""
    digest = hashlib.sha256(f"{environment}/{run_id}/{attempt}".encode()).hexdigest()
    return f"{run_id}-{digest}"[:LONGEST_TOKEN]


def task_id(arn: str) -> str:
    """The last part of a task's ARN."""
    return arn.rpartition("/")[2]


def stream(section: FargateTask, arn: str) -> str:
    """Name of the log stream that the flow's container of a task writes to, as Docker's awslogs driver makes it."""
    return f"{streams(section)}{task_id(arn)}"


def streams(section: FargateTask, container: str = FLOW_CONTAINER) -> str:
    """What the names of the streams of all containers of a name begin with: those of runs, if not said otherwise."""
    return f"{section.log_stream_prefix}/{container}/"
