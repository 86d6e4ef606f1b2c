"""The words of ECS for what keeps a task from starting, as AWS' guides quote them, and what is told of them."""

from typing import Any

import pytest

from runner.ecs import starting
from runner.outcome import FailureClass

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

STOPPED: list[tuple[str, str, bool]] = [
    (f"CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {ECR}/flows:1: {ECR}/flows:1: not found", "image", True),
    ("CannotPullContainerError: inspect image has been retried 1 time(s): failed to resolve ref \"docker.io/library/flows:1\": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed", "image", True),
    ("CannotPullContainerError: Error response from daemon: manifest for flows:2 not found: manifest unknown: manifest unknown", "image", True),
    (f"CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: failed to do request: Get {ECR}: dial tcp: lookup {ECR}: i/o timeout", "registry", False),
    ("CannotPullContainerError: pull image manifest has been retried 1 time(s): httpReaderSeeker: failed open: unexpected status code 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit", "registry", False),
    ("CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'", "image", True),
    ("CannotPullImageManifestError: Error response from daemon: received unexpected HTTP status: 503 Service Unavailable", "registry", False),
    ("ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret arn:aws:secretsmanager:x from secrets manager: AccessDeniedException: User: arn:aws:sts::1:assumed-role/x is not authorized to perform: secretsmanager:GetSecretValue", "config", True),
    ("ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration. RequestError: send request failed caused by: Post: dial tcp 52.94.4.1:443: i/o timeout", "config", False),
    ("ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.", "config", True),
    ("ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to resolve \"fs-1.efs.eu-west-1.amazonaws.com\"", "config", True),
    ("CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: exec format error", "config", True),
    ("Timeout waiting for network interface provisioning to complete.", "never-started", False),
    ("Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet 'subnet-1': InsufficientFreeAddressesInSubnet", "never-started", False),
    ("You've reached the limit on the number of vCPUs you can run concurrently", "quota", False),
]  # fmt: skip


@pytest.mark.parametrize(("words", "failure_class", "fatal"), STOPPED, ids=[words[:60] for words, _, _ in STOPPED])
def test_a_task_that_stopped_before_its_container_was_up(words: str, failure_class: str, fatal: bool) -> None:
    task: dict[str, Any] = {"stoppedReason": words, "stopCode": "TaskFailedToStart", "containers": [{"name": "flow"}]}

    trouble = starting.of_stopped(task)

    assert (trouble.failure.failure_class, trouble.fatal) == (failure_class, fatal)
    assert trouble.failure.evidence == words
    assert trouble.failure.message.endswith(".")
    assert trouble.failure.next_step


def test_the_reason_of_a_container_is_told_once() -> None:
    reason = "CannotPullContainerError: not found"
    task = {"stoppedReason": reason, "containers": [{"name": "flow", "reason": reason}]}

    assert starting.of_stopped(task).failure.evidence == reason


def test_no_reason_at_all() -> None:
    trouble = starting.of_stopped({"containers": []})

    assert (trouble.failure.failure_class, trouble.failure.evidence) == (FailureClass.NEVER_STARTED, "no reason given")


REFUSED = [
    ("RESOURCE:CPU", "unschedulable", False),
    ("RESOURCE:GPU", "unschedulable", False),
    ("RESOURCE:ENI", "unschedulable", False),
    ("AGENT", "unschedulable", False),
    ("ATTRIBUTE", "unschedulable", False),
    ("EMPTY CAPACITY PROVIDER", "unschedulable", False),
    ("Capacity is unavailable at this time. Please try again later or in a different availability zone", "unschedulable", False),
    ("MISSING", "config", True),
    ("INACTIVE", "config", True),
    ("You've reached the limit on the number of vCPUs you can run concurrently", "quota", False),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "failure_class", "fatal"), REFUSED)
def test_a_task_that_was_not_started(reason: str, failure_class: str, fatal: bool) -> None:
    trouble = starting.of_failure({"reason": reason, "arn": "arn:aws:ecs:x"})

    assert (trouble.failure.failure_class, trouble.fatal) == (failure_class, fatal)
    assert trouble.failure.evidence == reason


def test_what_was_last_waited_for_is_told_when_the_clock_is_over() -> None:
    last = starting.of_failure({"reason": "RESOURCE:MEMORY"}).failure

    over = starting.not_started(clock="queue", seconds=900, last=last)

    assert over.failure_class == "unschedulable"
    assert over.message == (
        "The run has not found a place within 900 s: No instance of the cluster has room for the run (its memory)."
    )
    assert over.evidence == "RESOURCE:MEMORY"
