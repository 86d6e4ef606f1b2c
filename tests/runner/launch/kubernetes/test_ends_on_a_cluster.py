"""All that Kubernetes itself does to a run, done for real: evictions, kills, deletions, a machine that is away."""

import time

import pytest

from runner.environment import Action, FailurePolicy
from runner.kubernetes.client import Client, path
from runner.sections import Resources
from tests.testbed.container_processes import kill
from tests.testbed.followed_run import told
from tests.testbed.kubernetes_cluster import environment, jobs, pods, submit, the_node

pytestmark = pytest.mark.cluster


def _evict(client: Client, namespace: str, pod: str) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    client.create(path("v1", "pods", namespace=namespace, name=pod, sub="eviction"), body)


def test_an_evicted_run_is_started_again(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace), "wait_until", moment=time.time() + 6)
    run.start_following()
    run.await_output(b"up")
    first = pods(client, namespace)[0]["metadata"]["name"]

    _evict(client, namespace, first)
    outcome = run.end()

    assert (outcome.exit_code, outcome.result) == (0, "waited")
    assert "ended (preempted), and the cluster starts it again" in run.await_notice("starts it again")
    assert run.output.count(b"up\n") == 2


def test_an_evicted_run_that_is_not_to_be_started_again(client: Client, namespace: str) -> None:
    policy = {"preempted": "fail"}
    target = environment(
        namespace,
        job={"failure_policy": policy},
        failure_policy=FailurePolicy(preempted=Action.FAIL),
    )
    run = submit(client, target, "wait_until", moment=time.time() + 60)
    run.start_following()
    run.await_output(b"up")

    _evict(client, namespace, pods(client, namespace)[0]["metadata"]["name"])
    outcome = run.end()

    assert told(outcome) == ("preempted", 75)
    assert "EvictionByEvictionAPI" in str(outcome.failure)


def test_a_flow_that_fails_is_started_again_as_often_as_the_policy_says(client: Client, namespace: str) -> None:
    policy = {"flow": "retry", "retries": 1}
    target = environment(
        namespace,
        job={"failure_policy": policy},
        failure_policy=FailurePolicy(flow=Action.RETRY, retries=1),
    )
    run = submit(client, target, "fail")

    outcome = run.follow()

    assert told(outcome) == ("flow", 1)
    assert len(pods(client, namespace)) == 2
    assert len([notice for notice in run.notices if "starts it again" in notice]) == 1
    assert run.launcher.find(run.run_id).outcome.exit_code == 1


def test_a_flow_that_takes_too_much_memory(client: Client, namespace: str) -> None:
    target = environment(namespace, resources=Resources(cpu_millicores=50, memory_mib=64))
    run = submit(client, target, "fill_memory")
    outcome = run.follow()

    assert told(outcome) == ("oom", 137)
    assert told(run.launcher.find(run.run_id).outcome) == ("oom", 137)


def test_a_runner_that_is_killed(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace), "wait_until", moment=time.time() + 60)
    run.start_following()
    run.await_output(b"up")

    kill(pods(client, namespace)[0])
    outcome = run.end()

    assert told(outcome) == ("crash", 137)
    assert run.launcher.log(run.run_id) == b"up\n"


def test_a_pod_that_somebody_deletes(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace), "wait_until", moment=time.time() + 60)
    run.start_following()
    run.await_output(b"up")

    client.delete(path("v1", "pods", namespace=namespace, name=pods(client, namespace)[0]["metadata"]["name"]))

    assert told(run.end()) == ("cancelled", 143)


def test_a_job_that_somebody_deletes(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace), "wait_until", moment=time.time() + 60)
    run.start_following()
    run.await_output(b"up")

    name = jobs(client, namespace)[0]["metadata"]["name"]
    client.delete(path("batch/v1", "jobs", namespace=namespace, name=name), {"propagationPolicy": "Background"})

    assert told(run.end()) == ("cancelled", 143)


def test_a_machine_whose_kubelet_is_away_for_a_while(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace), "count", lines=120, pause=0.1)
    run.start_following()
    run.await_output(b"line 10 ")

    node = the_node()
    node.stop_component("kubelet")
    time.sleep(5)  # the time that it is away
    node.start_component("kubelet")
    outcome = run.end()

    assert (outcome.exit_code, outcome.log.lines) == (0, 120)
    assert run.output.count(b"\n") == 120
    assert run.launcher.log(run.run_id) == run.output
