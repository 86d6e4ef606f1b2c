"""Dask workers as pods of a real cluster: what they do, what they leave, who may join them."""

import re
import threading
import time
from typing import Any

import pytest

from runner.environment import Action, Environment, FailurePolicy, Timeouts
from runner.kubernetes import names
from runner.kubernetes.client import Client, path
from runner.outcome import Outcome, State
from runner.request import WorkerCount
from tests.testbed import container_processes, kubernetes_cluster
from tests.testbed.dask_on_kubernetes import IMAGE, await_nothing_left, dask_environment, left_of
from tests.testbed.followed_run import Run, told

pytestmark = pytest.mark.cluster


def submit(client: Client, target: Environment, function: str, **parameters: Any) -> Run:
    return kubernetes_cluster.submit(client, target, function, file="dask_pods.py", **parameters)


def workers(client: Client, namespace: str) -> list[dict[str, Any]]:
    """Pods of workers, by number."""
    found = [pod for pod in kubernetes_cluster.pods(client, namespace) if names.WORKER in pod["metadata"]["labels"]]
    return sorted(found, key=lambda pod: int(pod["metadata"]["labels"][names.WORKER]))


def pod_of_run(client: Client, namespace: str) -> dict[str, Any]:
    """The pod of the only run's Job."""
    found = kubernetes_cluster.pods(client, namespace)
    (own,) = [pod for pod in found if names.WORKER not in pod["metadata"]["labels"]]
    return own


def succeeded(outcome: Outcome) -> Any:
    assert outcome.exit_code == 0, outcome
    return outcome.result


def test_a_flow_uses_workers_that_import_the_modules_beside_it(client: Client, namespace: str) -> None:
    run = submit(client, dask_environment(namespace, 2), "squares")
    result = succeeded(run.follow())
    ended = time.monotonic()

    assert result["sum"] == sum(number * number for number in range(20))
    assert result["address"].startswith("tls://")
    assert run.output == b""
    await_nothing_left(client, namespace, 5)
    assert time.monotonic() - ended < 5


def test_pods_belong_to_the_run(client: Client, namespace: str) -> None:
    run = submit(client, dask_environment(namespace, 2), "stay", workers=2)
    run.start_following()
    run.await_output(b"up")
    own = pod_of_run(client, namespace)
    found = workers(client, namespace)

    for number, pod in enumerate(found):
        assert pod["metadata"]["name"] == f"{own['metadata']['name']}-worker-{number}"
        assert [owner["uid"] for owner in pod["metadata"]["ownerReferences"]] == [own["metadata"]["uid"]]
        assert {name: pod["metadata"]["labels"][name] for name in (names.RUN_ID, names.ATTEMPT, names.ENVIRONMENT)} == {
            names.RUN_ID: run.run_id,
            names.ATTEMPT: "1",
            names.ENVIRONMENT: "dask",
        }
        assert pod["spec"]["automountServiceAccountToken"] is False
        (container,) = pod["spec"]["containers"]
        assert container["image"] == IMAGE
        assert "BEGIN" not in str(container)
    (secret,) = left_of(client, namespace, "secrets")
    assert [owner["uid"] for owner in secret["metadata"]["ownerReferences"]] == [own["metadata"]["uid"]]

    # The owner's end is theirs, whoever brings it about.
    client.delete(
        path("batch/v1", "jobs", namespace=namespace, name=f"dask-{run.run_id}-1"),
        {"propagationPolicy": "Background"},
    )
    run.end()
    await_nothing_left(client, namespace, 15)


def test_cancelling_closes_the_cluster(client: Client, namespace: str) -> None:
    run = submit(client, dask_environment(namespace, 2), "stay", workers=2)
    run.start_following()
    run.await_output(b"up")

    run.launcher.stop(run.run_id)
    outcome = run.end()

    assert (outcome.state, outcome.exit_code) == (State.CANCELLED, 143)
    await_nothing_left(client, namespace, 5)


@pytest.mark.parametrize("how", ["killed", "deleted", "evicted"])
def test_a_worker_that_is_lost_is_replaced(client: Client, namespace: str, how: str) -> None:
    run = submit(client, dask_environment(namespace, 2), "work", workers=2, tasks=80)
    run.start_following()
    run.await_output(b"working")
    first = workers(client, namespace)[0]
    where = path("v1", "pods", namespace=namespace, name=first["metadata"]["name"])

    if how == "killed":
        container_processes.kill(first, container_processes.WORKER)
    elif how == "deleted":
        client.delete(where, {"gracePeriodSeconds": 0})
    else:
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": first["metadata"]["name"]}}
        client.create(f"{where}/eviction", body)
    result = succeeded(run.end())

    assert result["sum"] == sum(range(80))
    assert 2 in result["workers"]
    assert re.search(rb"penstock: worker 0 .*; another takes its place\.\n", run.output), run.output
    await_nothing_left(client, namespace, 5)


def test_a_worker_that_is_asked_to_leave_hands_its_results_over(client: Client, namespace: str) -> None:
    run = submit(client, dask_environment(namespace, 2), "hold")
    run.start_following()
    run.await_output(b"up")
    name = workers(client, namespace)[0]["metadata"]["name"]

    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    client.create(f"{path('v1', 'pods', namespace=namespace, name=name)}/eviction", body)

    assert succeeded(run.end()) is True
    assert b"penstock: worker 0 was taken away (EvictionByEvictionAPI" in run.output


def test_each_pod_of_a_run_that_is_started_again_has_its_own_workers(client: Client, namespace: str) -> None:
    policy = FailurePolicy(crash=Action.RETRY, retries=1)
    target = dask_environment(
        namespace, 1, job={"failure_policy": {"crash": "retry", "retries": 1}}, failure_policy=policy
    )
    run = submit(client, target, "crash_once")
    outcome = run.follow()

    assert told(outcome) == ("crash", 139)
    assert run.output.count(b"crashing\n") == 2
    assert len([notice for notice in run.notices if "starts it again" in notice]) == 1
    await_nothing_left(client, namespace, 10)


def test_a_worker_that_is_killed_for_memory_is_replaced(client: Client, namespace: str) -> None:
    target = dask_environment(namespace, 2, worker={"worker_resources": {"memory_mib": 200}})
    run = submit(client, target, "take_much_memory")
    result = succeeded(run.follow())

    assert result["sum"] == sum(range(30))
    assert 0 not in result["workers"]
    assert b"penstock: worker 0 was killed for memory; worker_resources.memory_mib of the stack gives each more" in (
        run.output
    )


@pytest.mark.parametrize("process", ["the runner", "the flow"])
def test_nothing_is_left_of_a_run_that_is_killed(client: Client, namespace: str, process: str) -> None:
    run = submit(client, dask_environment(namespace, 2), "stay", workers=2)
    run.start_following()
    run.await_output(b"up")
    own = pod_of_run(client, namespace)

    pids = container_processes.processes(own)
    container_processes.kill_process(pids[0] if process == "the runner" else pids[1])
    outcome = run.end()

    assert told(outcome) == ("crash", 137)
    # A worker would look for its scheduler for 60 s; the container `cleanup` does not wait for that.
    await_nothing_left(client, namespace, 10)


def test_workers_end_by_themselves_when_nobody_can_clean_up(client: Client, namespace: str) -> None:
    run = submit(client, dask_environment(namespace, 2), "stay", workers=2)
    run.start_following()
    run.await_output(b"up")
    own = pod_of_run(client, namespace)

    client.delete(path("rbac.authorization.k8s.io/v1", "rolebindings", namespace=namespace, name="dask-runner"))
    container_processes.kill(own)
    run.end()

    kubernetes_cluster.await_pods(
        client, namespace, lambda found: all(pod["status"]["phase"] == "Failed" for pod in found), seconds=70
    )
    client.delete(
        path("batch/v1", "jobs", namespace=namespace, name=f"dask-{run.run_id}-1"), {"propagationPolicy": "Background"}
    )
    await_nothing_left(client, namespace, 15)


def test_a_quota_that_admits_two_of_eight_workers(client: Client, namespace: str) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "3"}}}
    client.create(path("v1", "resourcequotas", namespace=namespace), quota)
    run = submit(client, dask_environment(namespace, 8), "work", workers=2, tasks=40)
    result = succeeded(run.follow())

    assert (result["sum"], result["workers"]) == (sum(range(40)), [0, 1]) or len(result["workers"]) == 2
    sentences = [line for line in run.output.decode().splitlines() if line.startswith("penstock:")]
    assert sentences == ["penstock: 6 of 8 workers wait (quota): pods 3/3. The flow goes on with those that there are."]


def test_a_worker_for_which_there_is_no_machine(client: Client, namespace: str) -> None:
    target = dask_environment(namespace, 3, worker={"worker_resources": {"memory_mib": 9 * 1024}})
    run = submit(client, target, "work", workers=1, tasks=30)
    result = succeeded(run.follow())

    assert result["sum"] == sum(range(30))
    assert b"workers wait (unschedulable): No machine of the cluster can take a worker now." in run.output


def test_workers_come_and_go_with_the_work(client: Client, namespace: str) -> None:
    result = succeeded(submit(client, dask_environment(namespace, (0, 8)), "come_and_go").follow())

    assert result == {"idle": 0, "most": 8, "at last": 1, "kept": True, "results": 400}


def test_results_move_to_the_workers_that_stay(client: Client, namespace: str) -> None:
    assert succeeded(submit(client, dask_environment(namespace, 4), "shrink").follow()) == {"workers": 1, "kept": True}


def test_the_last_worker_stays_as_long_as_it_holds_a_result(client: Client, namespace: str) -> None:
    assert succeeded(submit(client, dask_environment(namespace, 1), "shrink_to_nothing").follow()) is True


@pytest.mark.parametrize("stealing", [True, False])
def test_options_reach_the_processes_that_they_are_meant_for(client: Client, namespace: str, stealing: bool) -> None:
    target = dask_environment(
        namespace, 1, work_stealing=stealing, worker_threads=3, env={"MODE": "fast"}, scheduler_logs=True
    )
    run = submit(client, target, "settings")
    result = succeeded(run.follow())

    del result["same image"]
    assert result == {
        "stealing": stealing,
        "threads": 3,
        "memory_mib": 256,
        "variables": ["MODE", "PENSTOCK_ATTEMPT", "PENSTOCK_ENVIRONMENT", "PENSTOCK_POD_IP", "PENSTOCK_RUN_ID"],
    }
    assert b"INFO    distributed.scheduler: " in run.output


def test_the_log_of_the_cluster_can_be_asked_for(client: Client, namespace: str) -> None:
    run = submit(client, dask_environment(namespace, 1, log_k8s_errors=True), "squares")
    succeeded(run.follow())

    assert b"DEBUG   penstock.kubernetes: worker 0: created" in run.output
    assert b"distributed" not in run.output


def test_the_number_of_workers_is_the_runs_own(client: Client, namespace: str) -> None:
    target = dask_environment(namespace, (1, 4))
    run = kubernetes_cluster.submit(
        client, target, "stay", file="dask_pods.py", count=WorkerCount(min_workers=3, max_workers=3), workers=3
    )
    run.start_following()
    run.await_output(b"up")

    assert len(workers(client, namespace)) == 3
    run.launcher.stop(run.run_id)
    run.end()


def test_only_the_ports_of_dask_can_be_reached(client: Client, namespace: str) -> None:
    result = succeeded(submit(client, dask_environment(namespace, 1), "addresses").follow())

    for where, port in (("run", 8786), ("worker", 8788)):
        reachable = [place for place in result[where] if not place.startswith("127.0.0.1:")]
        assert [place.rpartition(":")[2] for place in reachable] == [str(port)]
        assert reachable[0].startswith("10.")


def test_runs_do_not_see_each_other_and_strangers_see_nothing(client: Client, namespace: str) -> None:
    target = dask_environment(namespace, 2)
    first, second = (submit(client, target, "stay", workers=2) for _ in range(2))
    for run in (first, second):
        run.start_following()
        run.await_output(b"up")
    places = [bytes(run.output).split()[1:] for run in (first, second)]
    assert not set(places[0]) & set(places[1])

    everywhere = [place.decode() for run in places for place in run]
    result = succeeded(submit(client, target, "knock", places=everywhere).follow())

    assert len(result) == len(everywhere) * 3
    assert [answer for answer in result.values() if answer.startswith("connected")] == []
    for run in (first, second):
        run.launcher.stop(run.run_id)
        run.end()
        assert b"TLS handshake failed with remote" in run.output
    await_nothing_left(client, namespace, 10)


WORDS = sorted(f"worker {i} | {what} {i}" for i in range(2) for what in ("hello from", "trouble with"))


def test_what_workers_print_is_kept_line_by_line(client: Client, namespace: str) -> None:
    run = submit(client, dask_environment(namespace, 2), "talk", workers=2)
    succeeded(run.follow())

    assert run.output == b""
    kept = run.launcher.worker_log(run.run_id).decode().splitlines()
    assert sorted(line for line in kept if "INFO" not in line) == WORDS
    assert len([line for line in kept if line.endswith("INFO    flow: logged")]) == 2
    followed: list[bytes] = []
    run.launcher.follow_workers(run.run_id, followed.append)
    assert b"".join(followed).decode().splitlines() == kept


def test_what_workers_print_can_be_seen_while_they_work(client: Client, namespace: str) -> None:
    run = submit(client, dask_environment(namespace, 2), "talk", workers=2, stay=True)
    seen = Run(run.launcher, run.run_id)
    thread = threading.Thread(target=lambda: run.launcher.follow_workers(run.run_id, seen.take))
    thread.start()
    run.start_following()
    run.await_output(b"up")

    for words in WORDS:
        seen.await_output(words.encode())
    shown = run.launcher.worker_log(run.run_id).decode().splitlines()
    assert sorted(line for line in shown if "INFO" not in line) == WORDS
    run.launcher.stop(run.run_id)
    run.end()
    thread.join(30)
    assert not thread.is_alive()
    followed = seen.output.decode().splitlines()
    # Nothing lost, nothing twice; what Dask has to say of workers that close may come after it.
    assert sorted(followed[: len(shown)]) == sorted(shown)
    assert sorted(line for line in followed if line in WORDS) == WORDS


def test_the_last_words_of_a_worker_that_is_killed_are_kept(client: Client, namespace: str) -> None:
    run = submit(client, dask_environment(namespace, 2), "die_talking")
    succeeded(run.follow())

    kept = run.launcher.worker_log(run.run_id).decode().splitlines()
    assert kept[0] == "worker 0 | (ended; the last that the cluster kept of its output)"
    assert any("most recent call first" in line for line in kept[1:])
    assert b"penstock: worker 0 was ended by SIGSEGV (exit code 139); another takes its place.\n" in run.output


HOPELESS: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "another image",
        {"spec": {"containers": [{"name": "worker", "image": "penstock.local/runner:test"}]}},
        "config",
        "worker_spec: image is one with dask (not installed) instead of",
    ),
    (
        "no such image",
        {"spec": {"containers": [{"name": "worker", "image": "penstock.local/x:1", "imagePullPolicy": "Never"}]}},
        "image",
        "No worker could be started: The image penstock.local/x:1 is not there",
    ),
    (
        "a command that fails",
        {"spec": {"containers": [{"name": "worker", "command": ["python3", "-c", "import nothing_of_that_name"]}]}},
        "crash",
        "ModuleNotFoundError: No module named 'nothing_of_that_name'",
    ),
    (
        "a root user",
        {"spec": {"containers": [{"name": "worker", "securityContext": {"runAsUser": 0, "runAsNonRoot": False}}]}},
        "config",
        "The namespace's Pod Security level does not allow a worker's pod.",
    ),
    (
        "no such machine",
        {"spec": {"nodeSelector": {"no": "such"}}},
        "unschedulable",
        "No worker could be started: No machine of the cluster can take a worker now.",
    ),
]


@pytest.mark.parametrize(("what", "spec", "failure_class", "sentence"), HOPELESS, ids=[item[0] for item in HOPELESS])
def test_a_run_whose_workers_cannot_be_is_told_at_the_start(
    client: Client, namespace: str, what: str, spec: dict[str, Any], failure_class: str, sentence: str
) -> None:
    timeouts = Timeouts(start_seconds=4 if what == "no such machine" else 60, grace_seconds=5)
    target = dask_environment(namespace, 2, worker={"worker_spec": spec}, timeouts=timeouts)
    run = submit(client, target, "squares")
    outcome = run.follow()

    assert told(outcome) == (failure_class, 69), outcome
    assert outcome.failure is not None
    assert sentence in outcome.failure.message
    assert b"Traceback" not in run.output
    await_nothing_left(client, namespace, 10)
