"""Workers' pods and their Secret as objects of the API, and how such a pod ended."""

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.clusters import worker_pod
from runner.clusters.ended import End, Ended
from runner.clusters.worker_pod import Owner
from runner.contract import to_bytes
from runner.kubernetes import names
from runner.outcome import FailureClass
from tests.runner.clusters.worker_pods import (
    OWNER,
    TOLD,
    WRITTEN,
    container,
    template,
    terminated,
    told_pod,
    with_worker,
)
from tests.runner.strategies import JSON, TEXT

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
POD_NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,251}[a-z0-9])?", fullmatch=True)
NUMBERS = st.integers(0, 10**6)


def test_the_whole_pod(golden: Any) -> None:
    pod = worker_pod.pod(template(), 7, TOLD)

    golden("worker-pod.json", json.dumps(pod, indent=2, sort_keys=True).encode() + b"\n")


def test_equal_arguments_give_equal_bytes_and_what_is_given_is_not_changed() -> None:
    given_, told = template(), dict(TOLD)

    first = to_bytes(worker_pod.pod(given_, 7, told))

    assert to_bytes(worker_pod.pod(given_, 7, told)) == first
    assert (given_.pod, told) == (WRITTEN, TOLD)


def test_a_variable_stands_once_whoever_sets_it_the_later_one_winning() -> None:
    written = [{"name": name, "value": "template"} for name in ("A", "B", "C", "PENSTOCK_INPUT_WORKER")]
    made = template(
        with_worker(env=written),
        env={"B": "env", "C": "env", "D": "env", "PENSTOCK_INPUT_KEYS": "env"},
        secrets=[{"env": name, "id": "vault", "key": "k"} for name in ("C", "PENSTOCK_POD_IP")],
    )

    secret = {"secretKeyRef": {"name": "vault", "key": "k"}}
    keys = {"secretKeyRef": {"name": f"{OWNER.pod}-keys", "key": "tls.pem"}}
    assert container(worker_pod.pod(made, 0, {}))["env"] == [
        {"name": "A", "value": "template"},
        {"name": "B", "value": "env"},
        {"name": "C", "valueFrom": secret},
        {"name": "PENSTOCK_INPUT_WORKER", "value": '{"number":0}'},
        {"name": "D", "value": "env"},
        {"name": "PENSTOCK_INPUT_KEYS", "valueFrom": keys},
        {"name": "PENSTOCK_POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    ]


@given(st.text("$()ab{}"))
def test_a_plain_variable_has_its_value_to_the_letter(value: str) -> None:
    (found,) = container(worker_pod.pod(template(with_worker(), env={"A": value}, secrets=[]), 0, TOLD))["env"][:1]

    # How Kubernetes reads a value: $$ is $, $(NAME) is what stands there, and any other $ is one.
    read = re.sub(r"\$\$|\$\(\w+\)", lambda found: "$" if found[0] == "$$" else "replaced", found["value"])
    assert read == value


def test_an_image_and_a_command_of_the_users_are_kept() -> None:
    mine = {"image": "gpu:1", "command": ["numactl", "python3", "-m", "runner.clusters.worker"]}

    found = container(worker_pod.pod(template(with_worker(**mine)), 0, TOLD))

    assert {key: found[key] for key in mine} == mine


def test_every_container_without_an_image_has_the_runs() -> None:
    spec = worker_pod.pod(template(), 0, TOLD)["spec"]

    images = {item["name"]: item["image"] for item in (*spec["initContainers"], *spec["containers"])}
    own = "registry.example/flights:1"
    assert images == {"fetch": "fetch:1", "prepare": own, "log-shipper": own, "worker": own}


@given(st.dictionaries(TEXT, JSON, max_size=3) | st.just({"a": "$(HOME) $$(X) $"}), NUMBERS)
def test_what_a_worker_is_told_comes_through_kubernetes_as_it_is(told: dict[str, Any], number: int) -> None:
    found = container(worker_pod.pod(template(with_worker()), number, told))["env"]

    (text,) = [item["value"] for item in found if item["name"] == worker_pod.INPUT_VARIABLE]
    assert "$" not in text
    assert json.loads(text) == {**told, "number": number}


def _owner(pod: str) -> Owner:
    return Owner(namespace="flows", pod=pod, uid="u", labels={})


@given(POD_NAMES, NUMBERS, NUMBERS)
def test_names_are_legal_and_others_for_other_numbers(pod: str, one: int, other: int) -> None:
    owner = _owner(pod)
    made = [worker_pod.worker_name(owner, number) for number in (one, other)]

    assert all(NAME.fullmatch(name) for name in [*made, worker_pod.secret_name(owner)])
    assert (made[0] == made[1]) == (one == other)
    assert made[0].endswith(f"-worker-{one}")


@given(st.lists(POD_NAMES, min_size=2, max_size=2, unique=True), NUMBERS)
def test_names_are_others_for_other_pods(pods: list[str], number: int) -> None:
    one, other = map(_owner, pods)

    assert worker_pod.worker_name(one, number) != worker_pod.worker_name(other, number)
    assert worker_pod.secret_name(one) != worker_pod.secret_name(other)


def test_the_secret_holds_the_keys_and_belongs_to_the_runs_pod() -> None:
    assert worker_pod.secret(OWNER, "PEM") == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "dask-the-run-1-x7k2p-keys",
            "namespace": "flows",
            "labels": {
                "penstock.dev/run-id": "the-run",
                "penstock.dev/attempt": "1",
                "penstock.dev/environment": "dask",
            },
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": OWNER.pod, "uid": OWNER.uid}],
        },
        "type": "Opaque",
        "immutable": True,
        "stringData": {"tls.pem": "PEM"},
    }


def test_no_pod_holds_the_keys_themselves() -> None:
    secret = worker_pod.secret(OWNER, "PEM")
    (keys,) = [
        item for item in container(worker_pod.pod(template(), 0, TOLD))["env"] if item["name"] == "PENSTOCK_INPUT_KEYS"
    ]

    reference = keys["valueFrom"]["secretKeyRef"]
    assert reference == {"name": secret["metadata"]["name"], "key": next(iter(secret["stringData"]))}


def test_the_selector_finds_every_worker_of_the_attempt() -> None:
    labels = worker_pod.pod(template(), 3, TOLD)["metadata"]["labels"]
    selected = worker_pod.selector(OWNER)

    assert selected == (
        "penstock.dev/attempt=1,penstock.dev/environment=dask,penstock.dev/run-id=the-run,penstock.dev/worker"
    )
    *equal, exists = selected.split(",")
    assert {name: labels[name] for name, _, _ in (item.partition("=") for item in equal)} == OWNER.labels
    assert labels[exists] == "3"


def test_a_worker_is_of_the_pod_that_owns_it_alone() -> None:
    own = worker_pod.pod(template(), 0, TOLD)
    others = copy.deepcopy(own)
    others["metadata"]["ownerReferences"][0]["uid"] = "uid-of-an-earlier-pod"

    assert worker_pod.is_of(OWNER, own)
    assert not worker_pod.is_of(OWNER, others)
    assert not worker_pod.is_of(OWNER, {"metadata": {}})


def lost(failure_class: FailureClass, why: str, last_words: str = "") -> Ended:
    return Ended(end=End.LOST, failure_class=failure_class, why=why, last_words=last_words)


CLOSED = Ended(end=End.CLOSED, failure_class=FailureClass.CANCELLED, why="was closed")
OOM = lost(FailureClass.OOM, "was killed for memory; worker_resources.memory_mib of the stack gives each more")
STOPPED = lost(FailureClass.PREEMPTED, "was asked to stop by the cluster")
GONE = lost(FailureClass.PREEMPTED, "was lost with its machine")
TAINT = [
    {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "DeletionByTaintManager",
        "message": "Taint manager: deleting due to NoExecute taint",
    }
]
TAKEN = lost(
    FailureClass.PREEMPTED,
    "was taken away (DeletionByTaintManager: Taint manager: deleting due to NoExecute taint)",
)
WORDS = "Traceback (most recent call last):\nValueError: no\n"
ENDS: list[tuple[str, dict[str, Any], Ended | None]] = [
    ("pending", {}, None),
    ("waiting for its image", {"state": {"waiting": {"reason": "ImagePullBackOff"}}}, None),
    ("running", {"state": {"running": {}}}, None),
    ("running, to be taken away soon", {"state": {"running": {}}, "conditions": TAINT}, None),
    ("closed by its scheduler", {"state": terminated(0, "Completed")}, CLOSED),
    ("killed for memory", {"state": terminated(137, "OOMKilled")}, OOM),
    ("a child killed for memory", {"state": terminated(1, "OOMKilled")}, OOM),
    (
        "cannot work with the run",
        {"state": terminated(65, message="noise\npenstock: worker_spec: image is another one.\n")},
        Ended(
            end=End.HOPELESS,
            failure_class=FailureClass.CONFIG,
            why="cannot work with this run: worker_spec: image is another one",
            last_words="noise\npenstock: worker_spec: image is another one.",
        ),
    ),
    (
        "cannot work with the run, without a word",
        {"state": terminated(65)},
        Ended(
            end=End.HOPELESS, failure_class=FailureClass.CONFIG, why="cannot work with this run: it does not say why"
        ),
    ),
    (
        "without a scheduler",
        {"state": terminated(69, message="bye\n")},
        lost(FailureClass.CRASH, "lost its connection to the scheduler", "bye"),
    ),
    ("asked to stop", {"state": terminated(143)}, STOPPED),
    ("stopped by the platform", {"state": terminated(75)}, STOPPED),
    (
        "killed",
        {"state": terminated(137)},
        lost(FailureClass.CRASH, "was ended by SIGKILL (exit code 137)"),
    ),
    (
        "a segmentation fault",
        {"state": terminated(139, message="Fatal Python error")},
        lost(FailureClass.CRASH, "was ended by SIGSEGV (exit code 139)", "Fatal Python error"),
    ),
    (
        "a signal without a name",
        {"state": terminated(255)},
        lost(FailureClass.CRASH, "was ended by signal 127 (exit code 255)"),
    ),
    (
        "an exit code of its own",
        {"state": terminated(1, message=WORDS)},
        lost(FailureClass.CRASH, "ended with exit code 1 (Error): ValueError: no", WORDS.strip()),
    ),
    (
        "a program that is not there",
        {"state": terminated(128, "StartError", "exec: no such file")},
        lost(FailureClass.CRASH, "ended with exit code 128 (StartError): exec: no such file", "exec: no such file"),
    ),
    (
        "an exit code without a reason",
        {"state": terminated(3, "")},
        lost(FailureClass.CRASH, "ended with exit code 3 (Error)"),
    ),
    (
        "evicted",
        {"reason": "Evicted", "message": "The node was low on memory.", "phase": "Failed"},
        lost(FailureClass.PREEMPTED, "was taken away (Evicted: The node was low on memory.)"),
    ),
    ("taken away", {"state": terminated(143), "conditions": TAINT}, TAKEN),
    (
        "a disruption that was called off",
        {"state": terminated(143), "conditions": [{**TAINT[0], "status": "False"}]},
        STOPPED,
    ),
    ("failed without a word", {"phase": "Failed"}, GONE),
    ("succeeded without a word", {"phase": "Succeeded"}, GONE),
    ("failed while it was told to run", {"state": {"running": {}}, "phase": "Failed"}, GONE),
]


@pytest.mark.parametrize(("status", "expected"), [end[1:] for end in ENDS], ids=[end[0] for end in ENDS])
def test_how_a_worker_ended(status: dict[str, Any], expected: Ended | None) -> None:
    pod = told_pod(3, 1, **status)
    before = copy.deepcopy(pod)

    assert worker_pod.ended(pod) == expected
    assert pod == before


def test_only_the_workers_own_container_tells_how_it_ended() -> None:
    pod = told_pod(3, 1, state={"running": {}})
    pod["status"]["containerStatuses"][0]["state"] = terminated(1)

    assert worker_pod.ended(pod) is None


def test_a_long_last_line_is_told_in_part_and_kept_whole() -> None:
    found = worker_pod.ended(told_pod(3, 1, state=terminated(1, message="x" * 3000)))

    assert found == lost(FailureClass.CRASH, f"ended with exit code 1 (Error): {'x' * 500}", "x" * 3000)


def test_a_pod_that_somebody_deleted() -> None:
    assert worker_pod.deleted() == lost(FailureClass.PREEMPTED, "was deleted by somebody else")


def test_a_pod_without_a_status_has_not_ended() -> None:
    assert worker_pod.ended({"metadata": {"name": "x", "labels": {names.WORKER: "1"}}}) is None
