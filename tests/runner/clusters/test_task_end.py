"""How workers on ECS ended: what ECS says of their tasks, and what is made of it."""

import copy
from typing import Any

import pytest

from runner.clusters import task_end
from runner.clusters.ended import End, Ended
from runner.outcome import FailureClass

STARTED = "2026-05-04T10:00:00Z"
EXITED = "Essential container in task exited"
WORDS = "Traceback (most recent call last):\nValueError: no"
PULL = "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref flows:1: "


def task(code: int | None = None, *, name: str = "dask-worker", reason: str = "", **changes: Any) -> dict[str, Any]:
    """A task that was up and has stopped by itself, but for the changes."""
    said = {"name": name, "exitCode": code, "reason": reason}
    container = {key: value for key, value in said.items() if value not in {None, ""}}
    return {
        "lastStatus": "STOPPED",
        "startedAt": STARTED,
        "stopCode": "EssentialContainerExited",
        "stoppedReason": EXITED,
        "containers": [{"name": "sidecar", "exitCode": 1}, container],
        **changes,
    }


def by(code: str, reason: str, exit_code: int | None = 143) -> dict[str, Any]:
    """A task that was stopped from outside."""
    return task(exit_code, stopCode=code, stoppedReason=reason)


def never_up(reason: str) -> dict[str, Any]:
    return task(startedAt=None, stopCode="TaskFailedToStart", stoppedReason=reason)


def lost(failure_class: FailureClass, why: str, words: str = "") -> Ended:
    return Ended(end=End.LOST, failure_class=failure_class, why=why, last_words=words)


def unstarted(failure_class: FailureClass, why: str, evidence: str, next_step: str) -> Ended:
    return Ended(
        end=End.LOST,
        failure_class=failure_class,
        why=f"could not be started: {why}",
        evidence=evidence,
        next_step=next_step,
    )


CRASH, PREEMPTED, CONFIG, OOM = (FailureClass(name) for name in ("crash", "preempted", "config", "oom"))
CLOSED = Ended(end=End.CLOSED, failure_class=FailureClass.CANCELLED, why="was closed")
MEMORY = lost(OOM, "was killed for memory; worker_resources.memory_mib of the stack gives each more")
HOPELESS = "cannot work with this run: "
KILLED = "OutOfMemoryError: Container killed due to memory usage"
DENIED = "AWS does not allow secretsmanager:GetSecretValue (not authorized). Have it allowed"
ENDS: list[tuple[str, dict[str, Any], str, Ended]] = [
    ("closed by its scheduler", task(0), WORDS, CLOSED),
    (
        "cannot work with the run",
        task(65),
        "noise\npenstock: image is another one.",
        Ended(
            end=End.HOPELESS,
            failure_class=CONFIG,
            why=f"{HOPELESS}image is another one",
            last_words="noise\npenstock: image is another one.",
        ),
    ),
    (
        "cannot work with the run, without a word",
        task(65),
        "",
        Ended(end=End.HOPELESS, failure_class=CONFIG, why=f"{HOPELESS}it does not say why"),
    ),
    ("without a scheduler", task(69), "bye", lost(CRASH, "lost its connection to the scheduler", "bye")),
    ("without a scheduler or a word", task(69), "", lost(CRASH, "lost its connection to the scheduler")),
    (
        "without its keys",
        task(69),
        f"noise\npenstock: {DENIED}.",
        lost(CRASH, f"could not begin: {DENIED}", f"noise\npenstock: {DENIED}."),
    ),
    ("asked to stop", task(143), "", lost(PREEMPTED, "was asked to stop by the cluster")),
    ("stopped by the platform", task(75), "", lost(PREEMPTED, "was asked to stop by the cluster")),
    ("killed", task(137), "", lost(CRASH, "was ended by SIGKILL (exit code 137)")),
    ("a segmentation fault", task(139), "Fatal", lost(CRASH, "was ended by SIGSEGV (exit code 139)", "Fatal")),
    ("a signal without a name", task(255), "", lost(CRASH, "was ended by signal 127 (exit code 255)")),
    ("a code of its own", task(3), WORDS, lost(CRASH, f"ended with exit code 3 ({EXITED}): ValueError: no", WORDS)),
    ("a code with a reason", task(1, reason="odd"), "", lost(CRASH, "ended with exit code 1 (odd)")),
    ("a code alone", task(1, stoppedReason=None), "", lost(CRASH, "ended with exit code 1 (Error)")),
    ("killed for memory", task(137, reason=KILLED), WORDS, MEMORY),
    ("a child killed for memory", task(1, reason=KILLED), WORDS, MEMORY),
    (
        "Spot",
        by("SpotInterruption", "Your Spot Task was interrupted."),
        WORDS,
        lost(PREEMPTED, "was taken away (Your Spot Task was interrupted.)"),
    ),
    ("Spot, as it closed", by("SpotInterruption", "", 0), "", lost(PREEMPTED, "was taken away (SpotInterruption)")),
    (
        "Spot, before it was up",
        {**never_up("Your Spot Task was interrupted."), "stopCode": "SpotInterruption"},
        "",
        lost(PREEMPTED, "was taken away (Your Spot Task was interrupted.)"),
    ),
    (
        "its host went away",
        by("TerminationNotice", "Host EC2 (instance i-1) terminated.", None),
        "",
        lost(PREEMPTED, "was taken away (Host EC2 (instance i-1) terminated.)"),
    ),
    ("no exit code", task(), "", lost(PREEMPTED, f"was lost with its machine ({EXITED})")),
    ("somebody", by("UserInitiated", "too loud"), WORDS, lost(PREEMPTED, "was stopped by somebody else (too loud)")),
    (
        "somebody, before it was up",
        {**never_up("too loud"), "stopCode": "UserInitiated"},
        "",
        lost(PREEMPTED, "was stopped by somebody else (too loud)"),
    ),
    (
        "no image",
        never_up(f"{PULL}not found"),
        "",
        unstarted(
            FailureClass.IMAGE,
            "the image cannot be pulled",
            f"{PULL}not found",
            "Correct `image` of the stack, then `pulumi up` and `penstock env pull`.",
        ),
    ),
    (
        "no log group",
        never_up("ResourceInitializationError: failed to validate logger args: The specified log group does not exist"),
        "",
        unstarted(
            CONFIG,
            "the log group of a worker is not there",
            "ResourceInitializationError: failed to validate logger args: The specified log group does not exist",
            "Make it again with `pulumi up --refresh`.",
        ),
    ),
]


@pytest.mark.parametrize(("task", "words", "expected"), [end[1:] for end in ENDS], ids=[end[0] for end in ENDS])
def test_how_a_worker_ended(task: dict[str, Any], words: str, expected: Ended) -> None:
    before = copy.deepcopy(task)

    assert task_end.ended(task, lambda: words) == expected
    assert task == before


@pytest.mark.parametrize(
    "name", ["closed by its scheduler", "killed for memory", "Spot", "somebody", "no image", "no exit code"]
)
def test_the_log_is_not_asked_where_ecs_says_it_all(name: str) -> None:
    asked: list[str] = []

    def words() -> str:
        asked.append("words")
        return ""

    task_end.ended(next(end[1] for end in ENDS if end[0] == name), words)

    assert asked == []


def test_a_scheduler_in_a_task_of_its_own_tells_as_a_worker_does() -> None:
    ended = task_end.ended(task(137, name="dask-scheduler", reason=KILLED), lambda: "")
    failed = task_end.ended(task(1, name="dask-scheduler"), lambda: "no such option")

    assert ended == MEMORY
    assert failed.why == f"ended with exit code 1 ({EXITED}): no such option"


NOT_STARTED: list[tuple[str, dict[str, Any], str | None, bool]] = [
    ("it was up", task(1), None, False),
    ("it was up for a moment", task(1, startedAt=None), None, False),
    ("somebody stopped it", {**never_up("x"), "stopCode": "UserInitiated"}, None, False),
    ("no image", never_up(f"{PULL}not found"), "image", True),
    ("denied", never_up(f"{PULL}403 Forbidden"), "image", True),
    ("the registry is busy", never_up(f"{PULL}429 Too Many Requests"), "registry", False),
    ("no address", never_up("Timeout waiting for network interface provisioning to complete."), "never-started", False),
    ("no room", never_up("You've reached the limit on the number of vCPUs you can run concurrently"), "quota", False),
    ("no program", never_up("CannotStartContainerError: exec: no such file"), "config", True),
]


@pytest.mark.parametrize(
    ("task", "failure_class", "fatal"), [item[1:] for item in NOT_STARTED], ids=[item[0] for item in NOT_STARTED]
)
def test_why_a_task_was_never_up(task: dict[str, Any], failure_class: str | None, fatal: bool) -> None:
    trouble = task_end.not_started(task)

    found = (None, False) if trouble is None else (trouble.failure.failure_class, trouble.fatal)
    assert found == (failure_class, fatal)


@pytest.mark.parametrize(
    ("status", "up", "ended"),
    [
        ("PROVISIONING", False, False),
        ("PENDING", False, False),
        ("ACTIVATING", False, False),
        ("RUNNING", True, False),
        ("DEACTIVATING", True, False),
        ("STOPPING", True, False),
        ("DEPROVISIONING", False, True),
        ("STOPPED", False, True),
    ],
)
def test_when_a_task_is_up_and_when_it_has_ended(status: str, up: bool, ended: bool) -> None:
    assert (task_end.is_up({"lastStatus": status}), task_end.has_ended({"lastStatus": status})) == (up, ended)
