"""Says in plain words why a Job's pod does not start, from what the cluster says of it.

Pure functions of the API's objects. Each gives the failure's class, the cluster's own words and the next step, and
whether waiting can help: a missing image does not come by itself, room in a quota does.
"""

import re
from collections.abc import Mapping
from typing import Any

from runner.outcome import Failure, FailureClass
from runner.sections import FLOW_CONTAINER
from runner.trouble import Trouble

Object = Mapping[str, Any]

BUSY = re.compile(
    r"\b(429|5\d\d)\b|too many requests|toomanyrequests|timeout|timed out|deadline exceeded|connection refused|"
    r"connection reset|no such host|name resolution|server misbehaving|network is unreachable|no route to host|EOF|"
    r"TLS handshake",
    re.IGNORECASE,
)
"""What a registry or the way to it says when trying again can help; from containerd's and Docker's messages."""
REFUSED = re.compile(r"not found|denied|unauthorized|forbidden|no match for platform", re.IGNORECASE)
PULLING = {"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"}
NEVER_PULLED = {"InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
MISSING_VOLUME = re.compile(r"MountVolume\.SetUp failed for volume \"(?P<volume>[^\"]+)\".*not found")
QUOTA = re.compile(
    r"exceeded quota: (?P<quota>[^,]+), requested: (?P<requested>\S+), used: (?P<used>\S+), limited: (?P<limited>\S+)"
)


RUN = "the run"


def of_pod(pod: Object, *, whose: str = RUN) -> Trouble | None:
    """What keeps the pod from running; null when nothing is known to.

    Args:
        pod: the pod.
        whose: what it is the pod of, in words.
    """
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return _unscheduled(condition, whose)
    statuses = [
        *pod.get("status", {}).get("initContainerStatuses", []),
        *pod.get("status", {}).get("containerStatuses", []),
    ]
    for status in statuses:
        waiting = status.get("state", {}).get("waiting")
        trouble = _waiting(status, waiting) if waiting else None
        if trouble is not None:
            return trouble
    return None


def of_event(event: Object) -> Trouble | None:
    """What an event of the Job or of its pod tells; null when that is nothing that keeps it from running."""
    reason, message = event.get("reason", ""), (event.get("message") or event.get("note") or "").strip()
    if reason == "FailedCreate":
        return of_refusal(message)
    if reason == "FailedMount" and (missing := MISSING_VOLUME.search(message)):
        return _trouble(
            FailureClass.CONFIG,
            f"The volume {missing['volume']!r} of the run cannot be mounted: what it is made from is not there.",
            "Create the Secret, ConfigMap or claim that it names, or correct the stack's volumes.",
            message,
            fatal=True,
        )
    if reason in {"FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"}:
        return _trouble(
            FailureClass.NEVER_STARTED,
            "The machine cannot prepare the run's pod yet.",
            "It is tried again by the cluster; ask its administrator when it does not pass.",
            message,
            fatal=False,
        )
    return None


def of_refusal(message: str, *, whose: str = RUN) -> Trouble:
    """Why the API server refuses a pod.

    Args:
        message: the server's words.
        whose: what it is to be the pod of, in words.
    """
    if quota := QUOTA.search(message):
        return _trouble(FailureClass.QUOTA, quota_in_words(quota), QUOTA_STEP, message, fatal=False)
    if "exceeded quota" in message or "must specify" in message:
        fatal = "must specify" in message
        said = f"The quota of the namespace wants limits that {whose} does not give." if fatal else "A quota is full."
        return _trouble(FailureClass.QUOTA, said, QUOTA_STEP, message, fatal=fatal)
    if "violates PodSecurity" in message:
        said = f"The namespace's Pod Security level does not allow {whose}'s pod."
        return _trouble(
            FailureClass.CONFIG, said, "Correct job_spec in the stack, or lower pod_security.", message, fatal=True
        )
    if "failed calling webhook" in message:
        said = "An admission webhook of the cluster does not answer, so no pod can be made."
        step = "It is tried again by the cluster; tell its administrator when it does not pass."
        return _trouble(FailureClass.NEVER_STARTED, said, step, message, fatal=False)
    if "admission webhook" in message and "denied the request" in message:
        said = f"An admission webhook of the cluster does not allow {whose}'s pod."
        return _trouble(
            FailureClass.CONFIG, said, "Correct what it names, or ask who runs the webhook.", message, fatal=True
        )
    if "serviceaccount" in message and "not found" in message:
        said = f"The service account of {whose} is not in the namespace."
        return _trouble(FailureClass.CONFIG, said, "Provision the environment with `pulumi up`.", message, fatal=True)
    if "is forbidden" in message or "is invalid" in message:
        said = f"The cluster does not allow {whose}'s pod."
        return _trouble(FailureClass.CONFIG, said, "Correct what it names in the stack.", message, fatal=True)
    said = f"The cluster cannot make {whose}'s pod yet."
    return _trouble(FailureClass.NEVER_STARTED, said, "It is tried again by the cluster.", message, fatal=False)


QUOTA_STEP = "It starts when there is room; `penstock ls` shows what runs, and the stack's quota can be raised."


def quota_in_words(quota: re.Match[str]) -> str:
    """`pods 5/5`: what is used up of each thing that the run would need more of."""
    used, limited = (_amounts(quota[name]) for name in ("used", "limited"))
    needed = [name for name in _amounts(quota["requested"]) if name in used and name in limited]
    return ", ".join(f"{name} {used[name]}/{limited[name]}" for name in needed) or f"quota {quota['quota']} is full"


def suspended(job: Object) -> Trouble | None:
    """Why a suspended Job waits; null when it is not suspended."""
    if not job.get("spec", {}).get("suspend"):
        return None
    queue = job["metadata"].get("labels", {}).get("kueue.x-k8s.io/queue-name")
    said = f"The Job waits in the queue {queue!r}." if queue else "The Job is suspended."
    step = "It starts when the queue admits it." if queue else "Somebody has to resume it."
    return _trouble(FailureClass.QUOTA, said, step, None, fatal=False)


def not_started(why: Trouble | None, *, clock: str, seconds: float) -> Failure:
    """The failure of a run that is given up."""
    passed = f"It had not started {seconds:g} s after it was {'accepted' if clock == 'queue' else 'given a machine'}"
    if why is None:
        return Failure(
            failure_class=FailureClass.NEVER_STARTED,
            message=f"{passed}, and the cluster gives no reason.",
            next_step=f"Try again, or give it more time with timeouts.{clock}_seconds of the stack.",
        )
    cause = why.failure
    return Failure(
        failure_class=cause.failure_class,
        message=f"{passed}: {cause.message}",
        next_step=cause.next_step,
        evidence=cause.evidence,
    )


def _unscheduled(condition: Object, whose: str) -> Trouble:
    reason, message = condition.get("reason", ""), condition.get("message", "")
    if reason == "SchedulingGated":
        said = "The pod has a scheduling gate that nobody has removed yet."
        return _trouble(FailureClass.QUOTA, said, "It starts when its queue admits it.", message, fatal=False)
    return _trouble(
        FailureClass.UNSCHEDULABLE,
        f"No machine of the cluster can take {whose} now.",
        "It starts when one can; else lower its resources, or correct node_selector, affinity or tolerations.",
        message,
        fatal=False,
    )


def _waiting(status: Object, waiting: Object) -> Trouble | None:
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    image = status.get("image", "")
    if reason in NEVER_PULLED or (reason in PULLING and not BUSY.search(message)):
        return _trouble(
            FailureClass.IMAGE,
            f"The image {image} is not there, or the cluster may not have it.",
            "Correct its name, push it, or give the stack image_pull_secrets.",
            message or reason,
            # While it backs off, the kubelet of an older cluster says no more than that it does.
            fatal=reason != "ImagePullBackOff" or bool(REFUSED.search(message)),
        )
    if reason in PULLING:
        return _trouble(
            FailureClass.REGISTRY,
            f"The registry of {image} does not answer, or not now.",
            "The cluster tries again; see whether the registry is up and can be reached from its machines.",
            message or reason,
            fatal=False,
        )
    if reason in {"CreateContainerConfigError", "CreateContainerError"}:
        return _trouble(
            FailureClass.CONFIG,
            "The container cannot be made: something that it names is missing or wrong.",
            "Create what the message names, or correct the stack.",
            message or reason,
            fatal=True,
        )
    if reason == "RunContainerError":
        return _trouble(
            FailureClass.CONFIG,
            f"The container of image {image} cannot be started.",
            "See that the image has Python and penstock, and that its user may run them.",
            message or reason,
            fatal=True,
        )
    if reason == "CrashLoopBackOff" and status.get("name") != FLOW_CONTAINER:
        said = f"The container {status.get('name')!r} beside the flow ends again and again."
        return _trouble(
            FailureClass.CONFIG, said, "See its log with kubectl, and correct job_spec.", message, fatal=False
        )
    return None


def _amounts(text: str) -> dict[str, str]:
    """`pods=5,requests.cpu=2` by name."""
    return dict(item.split("=", 1) for item in text.split(",") if "=" in item)


def _trouble(
    failure_class: FailureClass, message: str, next_step: str, evidence: str | None, *, fatal: bool
) -> Trouble:
    failure = Failure(failure_class=failure_class, message=message, next_step=next_step, evidence=evidence or None)
    return Trouble(failure=failure, fatal=fatal)
