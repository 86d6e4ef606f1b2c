"""The example stack with Dask workers under the real Pulumi CLI and provider, on a real cluster."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from components import dask_network
from components.container_resources import complete
from components.dask_job import with_cleanup
from components.job_template import job_template
from components.rbac import DASK_RUNNER, DASK_SUBMITTER, previewer
from components.worker_template import worker_template
from runner.sections import DaskKubernetes, Resources
from tests.testbed.pulumi_engine import Engine
from tests.testbed.pulumi_kubernetes import (
    Stack,
    account,
    as_account,
    assert_only_without_privileges,
    await_nothing_counted,
    namespaces,
    objects,
    pod_of,
    refusal,
    rights,
    rights_of,
    stack_from_example,
)
from tests.testbed.runner_process import FLOWS

pytestmark = [pytest.mark.cluster, pytest.mark.engine, pytest.mark.timeout(180)]

EXAMPLE = "Pulumi.dask-kubernetes.yaml"
ROLES = ("runner", "submitter", "previewer")
WORKERS = 4


@pytest.fixture(scope="module")
def flights(kubernetes_engine: Engine, api: client.ApiClient) -> Iterator[Stack]:
    """The example, provisioned."""
    with stack_from_example(kubernetes_engine, example=EXAMPLE) as stack:
        stack.up()
        yield stack
    assert stack.namespace not in namespaces(api)


@pytest.fixture
def section(flights: Stack) -> DaskKubernetes:
    """The section of its document."""
    environment, _ = flights.environment()
    assert environment.dask_kubernetes is not None
    return environment.dask_kubernetes


def run_pod(section: DaskKubernetes, name: str = "tried", **spec: Any) -> dict[str, Any]:
    """The run's own pod, as large as the example says."""
    job: Any = json.loads(json.dumps(section.job))
    template = job["spec"]["template"]
    complete(template["spec"]["containers"][0], Resources(cpu_millicores=250, memory_mib=512), "")
    return pod_of(template, "penstock.local/flights:test", name, **spec)


def worker_pod(section: DaskKubernetes, name: str = "tried", **spec: Any) -> dict[str, Any]:
    return pod_of(section.worker, "penstock.local/flights:test", name, **spec)


def test_what_the_api_server_has(flights: Stack, api: client.ApiClient) -> None:
    found = objects(api, flights.namespace)

    assert set(found) == {
        "ConfigMap/flights-environment",
        "NetworkPolicy/flights-deny",
        "NetworkPolicy/flights-run",
        "NetworkPolicy/flights-worker",
        "ResourceQuota/flights-quota",
        *(f"{kind}/flights-{role}" for kind in ("Role", "RoleBinding", "ServiceAccount") for role in ROLES),
    }
    for item in found.values():
        assert item["metadata"]["labels"].items() >= {"penstock.dev/environment": "flights", "team": "data"}.items()
    namespace = client.CoreV1Api(api).read_namespace(flights.namespace).metadata.labels
    assert namespace["pod-security.kubernetes.io/enforce"] == "restricted"
    assert found["ServiceAccount/flights-runner"]["automountServiceAccountToken"] is False
    assert found["NetworkPolicy/flights-run"]["spec"] == dask_network.runs("flights")
    assert found["NetworkPolicy/flights-worker"]["spec"] == dask_network.workers("flights")
    for role in ROLES:
        assert found[f"RoleBinding/flights-{role}"]["subjects"] == [
            {"kind": "ServiceAccount", "name": f"flights-{role}", "namespace": flights.namespace}
        ]


def test_the_document_in_the_cluster_is_the_stacks_output_byte_by_byte(
    flights: Stack, api: client.ApiClient, section: DaskKubernetes
) -> None:
    _, data = flights.environment()

    stored = client.CoreV1Api(api).read_namespaced_config_map("flights-environment", flights.namespace)
    assert stored.data["environment.json"].encode() == data
    assert section.namespace == flights.namespace
    assert (section.min_workers, section.max_workers) == (WORKERS, WORKERS)
    assert (section.worker_resources.cpu_millicores, section.worker_resources.memory_mib) == (250, 384)


def test_a_second_preview_is_empty_also_when_it_looks_at_the_cluster(flights: Stack) -> None:
    flights.do("preview", "--expect-no-changes")
    flights.do("preview", "--expect-no-changes", "--refresh")


def test_accounts_have_exactly_the_rights_of_their_roles(flights: Stack, api: client.ApiClient, tmp_path: Path) -> None:
    for role, rules in (
        ("runner", DASK_RUNNER),
        ("submitter", DASK_SUBMITTER),
        ("previewer", previewer(flights.namespace)),
    ):
        with account(flights, api, f"flights-{role}", tmp_path) as own:
            assert rights(own.api, flights.namespace) == rights_of(rules)
            assert rights(own.api, "default") == set()


def test_a_run_can_create_workers_and_keys_and_do_nothing_else(
    flights: Stack, api: client.ApiClient, section: DaskKubernetes, tmp_path: Path
) -> None:
    place = flights.namespace
    with account(flights, api, "flights-runner", tmp_path) as own:
        core, batch = client.CoreV1Api(own.api), client.BatchV1Api(own.api)
        core.create_namespaced_pod(place, worker_pod(section), dry_run="All")
        core.create_namespaced_secret(place, {"metadata": {"name": "tried"}, "stringData": {"a": "b"}}, dry_run="All")
        core.list_namespaced_pod(place)
        forbidden = {
            "read a Secret": lambda: core.read_namespaced_secret("tried", place),
            "list Secrets": lambda: core.list_namespaced_secret(place),
            "change a Secret": lambda: core.patch_namespaced_secret("tried", place, {}),
            "run a command in a pod": lambda: core.connect_post_namespaced_pod_exec("tried", place, command=["id"]),
            "forward a port": lambda: core.connect_post_namespaced_pod_portforward("tried", place),
            "read a log": lambda: core.read_namespaced_pod_log("tried", place),
            "change a pod": lambda: core.patch_namespaced_pod("tried", place, {}),
            "read ConfigMaps": lambda: core.list_namespaced_config_map(place),
            "create a ConfigMap": lambda: core.create_namespaced_config_map(place, {"metadata": {"name": "tried"}}),
            "read events": lambda: core.list_namespaced_event(place),
            "get a token": lambda: core.create_namespaced_service_account_token("flights-submitter", place, {}),
            "read Jobs": lambda: batch.list_namespaced_job(place),
            "start a run": lambda: batch.create_namespaced_job(place, dict(section.job)),
            "read pods elsewhere": lambda: core.list_namespaced_pod("kube-system"),
            "read nodes": core.list_node,
        }
        answers = {}
        for what, call in forbidden.items():
            with pytest.raises(ApiException) as refused:
                call()
            answers[what] = refused.value.status

    assert answers == dict.fromkeys(forbidden, 403)


def test_a_previewer_previews_and_changes_nothing(flights: Stack, api: client.ApiClient, tmp_path: Path) -> None:
    await_nothing_counted(api, flights.namespace, "flights-quota")
    before = objects(api, flights.namespace)

    with account(flights, api, "flights-previewer", tmp_path) as own:
        as_account(flights, own).do("preview", "--expect-no-changes", "--refresh")
        refused = {
            refusal(own.api, verb, name.partition("/")[0], item)
            for name, item in before.items()
            for verb in ("create", "replace", "patch", "delete")
        }

    assert refused == {403}
    assert objects(api, flights.namespace) == before


def test_the_namespace_takes_runs_and_workers_and_none_with_privileges(
    flights: Stack, api: client.ApiClient, section: DaskKubernetes
) -> None:
    for pod in (run_pod(section), worker_pod(section)):
        assert_only_without_privileges(api, flights.namespace, pod)


def test_the_api_server_takes_job_and_worker_with_whatever_is_asked_for(flights: Stack, api: client.ApiClient) -> None:
    volumes: list[dict[str, Any]] = [
        {"name": "lake", "mount_path": "/lake", "persistent_volume_claim": "lake"},
        {"name": "scratch", "mount_path": "/scratch", "empty_dir_mib": 100},
    ]
    both: dict[str, Any] = {"service_account": "flights-runner", "labels": {"team": "data"}, "volumes": volumes}
    image = "penstock.local/flights:test"
    job = with_cleanup(
        job_template(
            "flights",
            flights.namespace,
            token=True,
            queue_name="batch",
            failure_policy={"retries": 3, "oom": "retry"},
            **both,
        )
    )
    job["metadata"]["name"] = "tried"
    pod = job["spec"]["template"]["spec"]
    for container in (*pod["containers"], *pod["initContainers"]):
        container.setdefault("image", image)
    worker = worker_template(
        "flights",
        flights.namespace,
        defaults={"cpu_millicores": 250, "memory_mib": 384},
        worker_node_selector={"pool": "spot"},
        worker_tolerations=[{"key": "spot", "operator": "Exists"}],
        worker_affinity={"nodeAffinity": {}},
        **both,
    )

    taken = client.BatchV1Api(api).create_namespaced_job(flights.namespace, job, dry_run="All")
    client.CoreV1Api(api).create_namespaced_pod(flights.namespace, pod_of(worker, image), dry_run="All")

    (cleanup,) = taken.spec.template.spec.init_containers
    assert (cleanup.name, cleanup.restart_policy) == ("cleanup", "Always")
    assert cleanup.env[-1].value_from.field_ref.field_path == "metadata.labels['penstock.dev/run-id']"


def test_the_quota_has_room_for_exactly_one_run_with_all_its_workers(
    flights: Stack, api: client.ApiClient, section: DaskKubernetes
) -> None:
    """As Kubernetes itself counts what pods ask for, the container that cleans up included."""
    core, place = client.CoreV1Api(api), flights.namespace
    nowhere: dict[str, Any] = {"nodeSelector": {"nowhere": "at-all"}}
    pods = [run_pod(section, "run", **nowhere)]
    pods += [worker_pod(section, f"worker-{number}", **nowhere) for number in range(WORKERS)]
    await_nothing_counted(api, place, "flights-quota")
    created = []
    try:
        for pod in pods:
            core.create_namespaced_pod(place, pod)
            created.append(pod["metadata"]["name"])
        with pytest.raises(ApiException) as refused:
            core.create_namespaced_pod(place, worker_pod(section, "worker-too-many", **nowhere))
        message = json.loads(refused.value.body)["message"]
    finally:
        for name in created:
            core.delete_namespaced_pod(name, place, grace_period_seconds=0)

    assert refused.value.status == 403
    quota = objects(api, place)["ResourceQuota/flights-quota"]["spec"]["hard"]
    assert quota == {"pods": "5", "requests.cpu": "1260m", "requests.memory": "2080Mi"}
    for name, size in quota.items():
        assert f"{name}={size}" in message.partition("used: ")[2].partition(", limited: ")[0]


def test_a_submitter_runs_a_flow_with_all_workers_in_that_room_and_nothing_is_left(
    flights: Stack, api: client.ApiClient, tmp_path: Path
) -> None:
    core, place = client.CoreV1Api(api), flights.namespace
    with account(flights, api, "flights-submitter", tmp_path) as own:
        env = {**os.environ, "KUBECONFIG": str(own.kubeconfig)}

        def penstock(*words: str) -> str:
            command = [sys.executable, "-P", "-m", "runner.cli", *words]
            done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        penstock("env", "pull", "--namespace", place)
        flow = f"{FLOWS / 'dask_pods.py'}:spread"
        outcome = json.loads(penstock("run", flow, "-p", f"workers={WORKERS}", "--env", "flights", "--json"))

    assert outcome["state"] == "succeeded"
    assert len(set(outcome["result"])) == WORKERS
    left = core.list_namespaced_pod(place, label_selector="app.kubernetes.io/component=worker").items
    assert [pod.metadata.name for pod in left if pod.metadata.deletion_timestamp is None] == []
    assert core.list_namespaced_secret(place).items == []


def test_a_quota_in_which_no_run_fits_is_one_sentence_and_not_a_traceback(flights: Stack, tmp_path: Path) -> None:
    changed = Path(shutil.copy(flights.file, tmp_path))
    flights.set("quota.cpu_millicores", "1000", "--config-file", str(changed))

    finished = flights.run("preview", "--config-file", str(changed))

    assert finished.code != 0
    assert "Traceback" not in finished.out + finished.err
    assert finished.errors[0].startswith(
        "penstock:quota.cpu_millicores is 1000, expected at least the 1,260 that one run with all its 4 workers asks"
    )


def test_a_change_of_the_workers_changes_the_document_in_place(
    kubernetes_engine: Engine, api: client.ApiClient
) -> None:
    with stack_from_example(kubernetes_engine, example=EXAMPLE) as stack:
        stack.up()
        before = objects(api, stack.namespace)
        stack.set("min_workers", "0")
        stack.set("max_workers", "6")

        steps = json.loads(stack.do("preview", "--json"))["changeSummary"]
        stack.up()
        after = objects(api, stack.namespace)
        environment, _ = stack.environment()

        assert set(steps) == {"same", "update"}
        assert {name: item["metadata"]["uid"] for name, item in after.items()} == {
            name: item["metadata"]["uid"] for name, item in before.items()
        }
        assert environment.dask_kubernetes is not None
        assert (environment.dask_kubernetes.min_workers, environment.dask_kubernetes.max_workers) == (0, 6)
        assert after["ResourceQuota/flights-quota"]["spec"]["hard"]["pods"] == "7"


def test_destroy_leaves_nothing(kubernetes_engine: Engine, api: client.ApiClient) -> None:
    rbac = client.RbacAuthorizationV1Api(api)
    with stack_from_example(kubernetes_engine, example=EXAMPLE) as stack:
        stack.up()
        assert stack.namespace in namespaces(api)

        stack.destroy()

        assert stack.namespace not in namespaces(api)
        selector = "app.kubernetes.io/name=penstock"
        assert rbac.list_cluster_role(label_selector=selector).items == []
        assert rbac.list_cluster_role_binding(label_selector=selector).items == []
        assert f"{stack.name}.json" not in kubernetes_engine.stacks


def test_both_kinds_of_environment_share_a_namespace_that_exists(
    kubernetes_engine: Engine, api: client.ApiClient
) -> None:
    with stack_from_example(kubernetes_engine) as owner:
        owner.up()
        # A quota is the namespace's owner's to set.
        with stack_from_example(kubernetes_engine, owner.namespace, example=EXAMPLE, create_namespace="false") as guest:
            guest.set("environment_name", "guest")
            guest.set("concurrent_runs", "")
            guest.up()
            both = objects(api, owner.namespace)
            guest.do("preview", "--expect-no-changes")
        left = objects(api, owner.namespace)
        owner.do("preview", "--expect-no-changes", "--refresh")

    assert {name for name in both if "guest-" in name} == {
        "ConfigMap/guest-environment",
        "NetworkPolicy/guest-run",
        "NetworkPolicy/guest-worker",
        *(f"{kind}/guest-{role}" for kind in ("Role", "RoleBinding", "ServiceAccount") for role in ROLES),
    }
    assert not any("guest-" in name for name in left)
