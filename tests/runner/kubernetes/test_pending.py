"""Words of real clusters, each with the class that it is given and whether waiting can help."""

import pytest

from runner.environment import FailurePolicy
from runner.kubernetes import pending
from runner.outcome import FailureClass
from tests.runner.launch.kubernetes.objects import condition, job, pod

PULL = (
    'failed to pull and unpack image "docker.io/team/flows:1": failed to resolve reference "docker.io/team/flows:1": '
)
WAITING = [
    ("ErrImagePull", f"{PULL}docker.io/team/flows:1: not found", "image", True),
    (
        "ErrImagePull",
        f"{PULL}pull access denied, repository does not exist or may require authorization",
        "image",
        True,
    ),
    ("ErrImagePull", f"{PULL}unexpected status from HEAD request: 403 Forbidden", "image", True),
    ("ErrImagePull", "no match for platform in manifest: not found", "image", True),
    ("ErrImageNeverPull", 'Container image "flows:1" is not present with pull policy of Never', "image", True),
    ("InvalidImageName", 'Failed to apply default image tag "A:B:C": invalid reference format', "image", True),
    ("ImagePullBackOff", 'Back-off pulling image "flows:1": ErrImagePull: flows:1: not found', "image", True),
    ("ImagePullBackOff", 'Back-off pulling image "flows:1"', "image", False),
    ("ErrImagePull", f"{PULL}unexpected status from HEAD request: 429 Too Many Requests", "registry", False),
    ("ErrImagePull", f"{PULL}unexpected status from HEAD request: 503 Service Unavailable", "registry", False),
    ("ErrImagePull", f"{PULL}failed to do request: dial tcp 10.0.0.1:443: i/o timeout", "registry", False),
    ("ErrImagePull", f"{PULL}failed to do request: dial tcp: lookup registry: no such host", "registry", False),
    ("ErrImagePull", f"{PULL}dial tcp: lookup registry: Temporary failure in name resolution", "registry", False),
    (
        "ErrImagePull",
        f"{PULL}failed to do request: dial tcp 127.0.0.1:5000: connect: connection refused",
        "registry",
        False,
    ),
    ("CreateContainerConfigError", 'secret "api" not found', "config", True),
    ("CreateContainerConfigError", "container has runAsNonRoot and image will run as root", "config", True),
    ("RunContainerError", 'exec: "python3": executable file not found in $PATH', "config", True),
]


@pytest.mark.parametrize(("reason", "message", "failure_class", "fatal"), WAITING)
def test_a_container_that_waits(reason: str, message: str, failure_class: str, fatal: bool) -> None:
    trouble = pending.of_pod(pod({"waiting": {"reason": reason, "message": message}}))

    assert trouble is not None
    assert (trouble.failure.failure_class, trouble.fatal) == (failure_class, fatal)
    assert trouble.failure.evidence == message
    assert trouble.failure.next_step


def test_a_container_that_is_being_made_is_no_trouble() -> None:
    assert pending.of_pod(pod({"waiting": {"reason": "ContainerCreating"}})) is None
    assert pending.of_pod(pod({"running": {}})) is None


def test_a_pod_that_no_machine_can_take() -> None:
    said = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available."
    trouble = pending.of_pod(pod(None, condition("PodScheduled", "Unschedulable", said, status="False")))

    assert trouble is not None
    assert (trouble.failure.failure_class, trouble.fatal) == (FailureClass.UNSCHEDULABLE, False)
    assert trouble.failure.evidence == said


FORBIDDEN = 'Error creating: pods "jobs-the-run-1-abcde" is forbidden: '
REFUSALS = [
    (f"{FORBIDDEN}exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5", "quota", False, "pods 5/5"),
    (
        f"{FORBIDDEN}exceeded quota: q, requested: pods=1,requests.memory=1Gi, used: requests.memory=3Gi, limited: requests.memory=3584Mi",
        "quota",
        False,
        "requests.memory 3Gi/3584Mi",
    ),
    (f"{FORBIDDEN}failed quota: q: must specify limits.cpu for: flow", "quota", True, "wants limits"),
    (f'{FORBIDDEN}violates PodSecurity "restricted:latest": privileged', "config", True, "Pod Security"),
    ('Error creating: admission webhook "policy.example" denied the request: no', "config", True, "does not allow"),
    (
        'Error creating: Internal error occurred: failed calling webhook "x": timeout',
        "never-started",
        False,
        "does not answer",
    ),
    (
        f'{FORBIDDEN}error looking up service account flows/jobs-runner: serviceaccount "jobs-runner" not found',
        "config",
        True,
        "service account",
    ),
    (f"{FORBIDDEN}no PriorityClass with name high was found", "config", True, "does not allow"),
    ("Error creating: etcdserver: request timed out", "never-started", False, "cannot make"),
]


@pytest.mark.parametrize(("message", "failure_class", "fatal", "words"), REFUSALS)
def test_a_pod_that_cannot_be_made(message: str, failure_class: str, fatal: bool, words: str) -> None:
    trouble = pending.of_event({"reason": "FailedCreate", "message": message})

    assert trouble is not None
    assert (trouble.failure.failure_class, trouble.fatal) == (failure_class, fatal)
    assert words in trouble.failure.message
    assert trouble.failure.evidence == message


@pytest.mark.parametrize(
    ("message", "failure_class", "fatal"),
    [
        ('MountVolume.SetUp failed for volume "data" : configmap "settings" not found', "config", True),
        ('MountVolume.SetUp failed for volume "data" : secret "x" not found', "config", True),
        ("Unable to attach or mount volumes: timed out waiting for the condition", "never-started", False),
    ],
)
def test_a_volume_that_cannot_be_mounted(message: str, failure_class: str, fatal: bool) -> None:
    trouble = pending.of_event({"reason": "FailedMount", "message": message})

    assert trouble is not None
    assert (trouble.failure.failure_class, trouble.fatal) == (failure_class, fatal)


def test_an_event_that_keeps_nobody_from_starting() -> None:
    assert pending.of_event({"reason": "Scheduled", "message": "Successfully assigned"}) is None


def test_a_suspended_job() -> None:
    held = job()
    assert pending.suspended(held) is None

    held["spec"]["suspend"] = True
    held["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] = "team"
    trouble = pending.suspended(held)

    assert trouble is not None
    assert trouble.failure.message == "The Job waits in the queue 'team'."


def test_giving_up_tells_the_clock_and_the_cause() -> None:
    trouble = pending.of_event({"reason": "FailedCreate", "message": REFUSALS[0][0]})

    assert pending.not_started(trouble, clock="queue", seconds=90).message == (
        "It had not started 90 s after it was accepted: pods 5/5"
    )
    unexplained = pending.not_started(None, clock="start", seconds=900)
    assert unexplained.failure_class is FailureClass.NEVER_STARTED
    assert "900 s after it was given a machine" in unexplained.message
    assert FailurePolicy().retries == 0
