"""All that keeps a run from starting on Kubernetes, produced for real, and what its follower is told of it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.environment import SecretReference, SecretSource, Timeouts
from runner.kubernetes import names
from runner.kubernetes.client import Client, path
from runner.kubernetes.config import load
from runner.kubernetes.watch import Watch
from runner.launch.kubernetes import status
from runner.outcome import Outcome
from runner.sections import Resources
from tests.testbed import kubernetes_cluster
from tests.testbed.admission import GROUP, PODS, await_refusal, denying, webhook
from tests.testbed.followed_run import Run, told
from tests.testbed.kubernetes_cluster import await_gone, environment, jobs, pods, submit
from tests.testbed.registry import registry

pytestmark = pytest.mark.cluster

EXPLAINED_SECONDS = 10.0
CONFIG_MAP = {"name": "settings", "mount_path": "/settings", "config_map": "not-there"}


def _given_up(client: Client, namespace: str, run: Run) -> Outcome:
    """The outcome of a run that cannot start: told in time, and nothing of it is left."""
    began = time.monotonic()
    outcome = run.follow()
    assert time.monotonic() - began < EXPLAINED_SECONDS
    assert outcome.failure is not None
    assert outcome.failure.evidence
    assert outcome.failure.next_step
    assert jobs(client, namespace) == []
    assert pods(client, namespace) == []
    return outcome


@pytest.mark.parametrize(("word", "reason"), [("missing", "not found"), ("denied", "403 Forbidden")])
def test_an_image_that_cannot_be_had(client: Client, namespace: str, word: str, reason: str) -> None:
    with registry() as address:
        run = submit(client, environment(namespace, image=f"{address}/{word}:1"), "succeed")
        outcome = _given_up(client, namespace, run)

    assert told(outcome) == ("image", 69)
    assert reason in str(outcome.failure)


@pytest.mark.parametrize(("word", "reason"), [("busy", "429 Too Many Requests"), ("down", "503 Service Unavailable")])
def test_a_registry_that_has_no_time_is_waited_for(client: Client, namespace: str, word: str, reason: str) -> None:
    with registry() as address:
        target = environment(
            namespace, image=f"{address}/{word}:1", timeouts=Timeouts(start_seconds=6, grace_seconds=5)
        )
        run = submit(client, target, "succeed")
        outcome = run.follow()

    assert "queued(registry): The registry of 127.0.0.1" in run.notices[0]
    assert told(outcome) == ("registry", 69)
    assert reason in str(outcome.failure)
    assert "It had not started 6 s after it was given a machine" in str(outcome.failure)
    assert jobs(client, namespace) == []


def test_an_image_name_that_is_none(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace, image="penstock.local/Runner:test"), "succeed")

    assert told(_given_up(client, namespace, run)) == ("image", 69)


def test_a_secret_that_is_missing(client: Client, namespace: str) -> None:
    reference = SecretReference(env="TOKEN", source=SecretSource.KUBERNETES_SECRET, id="not-there", key="token")
    run = submit(client, environment(namespace, secrets=(reference,)), "succeed")
    outcome = _given_up(client, namespace, run)

    assert told(outcome) == ("config", 69)
    assert 'secret "not-there" not found' in str(outcome.failure)


def test_a_config_map_that_is_missing(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace, job={"volumes": [CONFIG_MAP]}), "succeed")
    outcome = _given_up(client, namespace, run)

    assert told(outcome) == ("config", 69)
    assert 'configmap "not-there" not found' in str(outcome.failure)


def test_a_service_account_that_is_missing(client: Client, namespace: str) -> None:
    client.delete(path("v1", "serviceaccounts", namespace=namespace, name="jobs-runner"))
    outcome = _given_up(client, namespace, submit(client, environment(namespace), "succeed"))

    assert told(outcome) == ("config", 69)
    assert "service account" in str(outcome.failure)


def _job_with(flow: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {"spec": {"containers": [flow]}}}}


def test_pod_security_refuses_a_privileged_pod(client: Client, namespace: str) -> None:
    flow = {"name": "flow", "securityContext": {"allowPrivilegeEscalation": True}}
    target = environment(namespace, job={"job_spec": _job_with(flow)})
    outcome = _given_up(client, namespace, submit(client, target, "succeed"))

    assert told(outcome) == ("config", 69)
    assert 'violates PodSecurity "restricted' in str(outcome.failure)


@pytest.fixture
def no_pods_policy(client: Client, namespace: str) -> Iterator[str]:
    """Admission that denies all pods of the namespace."""
    name = f"deny-{namespace}"
    here = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    denied = {"expression": "false", "message": "no pods on Sundays"}
    policy = {"matchConstraints": {"resourceRules": PODS, "namespaceSelector": here}, "validations": [denied]}
    binding = {"policyName": name, "validationActions": ["Deny"]}
    kinds = {"ValidatingAdmissionPolicy": policy, "ValidatingAdmissionPolicyBinding": binding}
    for kind, spec in kinds.items():
        plural = "validatingadmissionpolicies" if spec is policy else "validatingadmissionpolicybindings"
        client.create(
            path(GROUP, plural), {"apiVersion": GROUP, "kind": kind, "metadata": {"name": name}, "spec": spec}
        )
    yield name
    for plural in ("validatingadmissionpolicybindings", "validatingadmissionpolicies"):
        client.delete(path(GROUP, plural, name=name))


def test_admission_that_denies_the_pod(client: Client, namespace: str, no_pods_policy: str) -> None:
    await_refusal(client, namespace, "no pods on Sundays")
    outcome = _given_up(client, namespace, submit(client, environment(namespace), "succeed"))

    assert told(outcome) == ("config", 69)
    assert "no pods on Sundays" in str(outcome.failure)
    assert no_pods_policy in str(outcome.failure)


def test_a_webhook_that_denies_the_pod(client: Client, namespace: str, tmp_path: Path) -> None:
    with denying(client, namespace, tmp_path, "no pods on Mondays") as name:
        await_refusal(client, namespace, "no pods on Mondays")
        outcome = _given_up(client, namespace, submit(client, environment(namespace), "succeed"))

    assert told(outcome) == ("config", 69)
    assert f'admission webhook "{name}" denied the request: no pods on Mondays' in str(outcome.failure)


def test_a_webhook_that_does_not_answer_is_waited_for(client: Client, namespace: str) -> None:
    target = environment(namespace, timeouts=Timeouts(queue_seconds=8, grace_seconds=5))
    with webhook(client, namespace, "https://127.0.0.1:9/"):
        await_refusal(client, namespace, "failed calling webhook")
        run = submit(client, target, "succeed")
        outcome = run.follow()

    assert "An admission webhook of the cluster does not answer" in run.notices[0]
    assert told(outcome) == ("never-started", 69)
    assert "failed calling webhook" in str(outcome.failure)


def test_a_full_quota_is_waited_for_and_the_run_starts_when_there_is_room(client: Client, namespace: str) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}
    client.create(path("v1", "resourcequotas", namespace=namespace), quota)
    _await_quota(client, namespace)
    first = submit(client, environment(namespace), "wait_until", moment=time.time() + 8)
    first.start_following()
    first.await_output(b"up")
    second = submit(client, environment(namespace), "succeed")
    began = time.monotonic()
    second.start_following()

    assert second.await_notice("queued(quota): pods 1/1")
    assert time.monotonic() - began < EXPLAINED_SECONDS
    waiting = second.launcher.find(second.run_id).outcome.waiting
    assert waiting is not None
    assert (waiting.failure_class, waiting.message) == ("quota", "pods 1/1")
    assert first.end().exit_code == 0
    assert second.end().exit_code == 0


def test_a_quota_that_stays_full_is_given_up_when_the_queue_clock_is_over(client: Client, namespace: str) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}}
    client.create(path("v1", "resourcequotas", namespace=namespace), quota)
    _await_quota(client, namespace)
    target = environment(namespace, timeouts=Timeouts(queue_seconds=3, grace_seconds=5))
    outcome = _given_up(client, namespace, submit(client, target, "succeed"))

    assert told(outcome) == ("quota", 69)
    assert "It had not started 3 s after it was accepted: pods 0/0" in str(outcome.failure)


def _await_quota(client: Client, namespace: str) -> None:

    with Watch(client, path("v1", "resourcequotas", namespace=namespace)) as watch:
        for event in watch:
            if event.type != "LISTED" and event.object.get("status", {}).get("hard"):
                return


def test_a_run_that_no_machine_can_take(client: Client, namespace: str) -> None:
    target = environment(
        namespace,
        resources=Resources(cpu_millicores=900_000, memory_mib=64),
        timeouts=Timeouts(queue_seconds=3, grace_seconds=5),
    )
    run = submit(client, target, "succeed")
    outcome = _given_up(client, namespace, run)

    assert "queued(unschedulable): No machine of the cluster can take the run now" in run.notices[0]
    assert told(outcome) == ("unschedulable", 69)
    assert "Insufficient cpu" in str(outcome.failure)


def test_a_cordoned_machine_is_waited_for(client: Client, namespace: str) -> None:
    node = client.get(path("v1", "nodes"))["items"][0]["metadata"]["name"]
    client.patch(path("v1", "nodes", name=node), {"spec": {"unschedulable": True}})
    try:
        run = submit(client, environment(namespace), "succeed")
        run.start_following()
        run.await_notice("queued(unschedulable)")
        waiting = run.launcher.find(run.run_id).outcome.waiting
    finally:
        client.patch(path("v1", "nodes", name=node), {"spec": {"unschedulable": False}})

    assert waiting is not None
    assert "1 node(s) were unschedulable" in str(waiting.evidence)
    assert run.end().exit_code == 0


def test_an_image_without_python(client: Client, namespace: str) -> None:
    target = environment(namespace, job={"job_spec": _job_with({"name": "flow", "command": ["/nowhere/python3"]})})
    outcome = submit(client, target, "succeed").follow()

    assert told(outcome) == ("config", 69)
    assert "/nowhere/python3" in str(outcome.failure)


def test_the_reason_is_in_the_list_of_runs(client: Client, namespace: str) -> None:
    target = environment(namespace, resources=Resources(cpu_millicores=900_000, memory_mib=64))
    run = submit(client, target, "succeed")
    run.start_following()
    run.await_notice("unschedulable")

    listed = next(iter(run.launcher.runs())).outcome

    assert listed.waiting is not None
    assert (listed.state, listed.waiting.failure_class) == ("queued", "unschedulable")
    run.launcher.stop(run.run_id)
    assert told(run.end()) == ("cancelled", 143)
    assert names.STOPPED in jobs(client, namespace)[0]["metadata"]["annotations"]


def test_a_run_that_nobody_follows_and_that_cannot_start_is_collected(client: Client, namespace: str) -> None:
    target = environment(
        namespace, image="penstock.local/Runner:test", timeouts=Timeouts(start_seconds=0.5, grace_seconds=5)
    )
    run = submit(client, target, "succeed")
    pods_path = path("v1", "pods", namespace=namespace)
    with Watch(client, pods_path) as watch:
        scheduled = next(event for event in watch if event.type != "LISTED" and status.is_scheduled(event.object))
    assert scheduled
    while not (collected := run.launcher.collect(dry_run=False)).runs:
        time.sleep(0.1)  # until its clock, which has whole seconds, is over

    assert collected.runs == (run.run_id,)
    await_gone(client, path("batch/v1", "jobs", namespace=namespace), names.job_name("jobs", run.run_id, 1))


SUSPENDED = {"apiVersion": "batch/v1", "kind": "Job", "spec": {"suspend": True}}


def test_a_suspended_run_is_waited_for(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace, job={"job_spec": SUSPENDED, "queue_name": "team"}), "succeed")
    run.start_following()

    assert run.await_notice("queued(quota): The Job waits in the queue 'team'.")
    waiting = run.launcher.find(run.run_id).outcome.waiting
    assert waiting is not None
    assert waiting.failure_class == "quota"
    job = path("batch/v1", "jobs", namespace=namespace, name=jobs(client, namespace)[0]["metadata"]["name"])
    client.patch(job, {"spec": {"suspend": False}})
    assert run.end().exit_code == 0


def test_a_suspended_run_can_be_stopped(client: Client, namespace: str) -> None:
    run = submit(client, environment(namespace, job={"job_spec": SUSPENDED}), "succeed")
    run.start_following()
    run.await_notice("The Job is suspended.")

    run.launcher.stop(run.run_id)

    assert told(run.end()) == ("cancelled", 143)


def test_whoever_may_not_read_events_follows_all_the_same(client: Client, namespace: str, tmp_path: Path) -> None:
    group = "rbac.authorization.k8s.io/v1"
    rules = [
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get", "list", "watch", "patch", "delete"]},
        {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list", "watch"]},
    ]
    role = {"apiVersion": group, "kind": "Role", "metadata": {"name": "few"}, "rules": rules}
    client.create(path(group, "roles", namespace=namespace), role)
    binding = {
        "apiVersion": group,
        "kind": "RoleBinding",
        "metadata": {"name": "few"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "few"},
        "subjects": [{"kind": "ServiceAccount", "name": "jobs-runner", "namespace": namespace}],
    }
    client.create(path(group, "rolebindings", namespace=namespace), binding)
    file = kubernetes_cluster.token_kubeconfig(client, namespace, "jobs-runner", tmp_path / "few.json")
    with Client(load(kubeconfig=str(file))) as few:
        run = submit(few, environment(namespace), "wait_until", moment=time.time() + 4)
        failed = submit(few, environment(namespace, image="penstock.local/Runner:test"), "succeed")

        assert run.follow().exit_code == 0
        assert told(failed.follow()) == ("image", 69)
