"""The example stack for Kubernetes under the real Pulumi CLI and provider, on a real cluster."""

import base64
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

from components.job_template import job_template
from components.rbac import SUBMITTER, previewer
from tests.testbed.pulumi_engine import Engine
from tests.testbed.pulumi_kubernetes import (
    Stack,
    account,
    as_account,
    assert_only_without_privileges,
    namespaces,
    objects,
    pod_of,
    refusal,
    rights,
    rights_of,
    stack_from_example,
)
from tests.testbed.runner_process import BEHAVIOURS

pytestmark = [pytest.mark.cluster, pytest.mark.engine, pytest.mark.timeout(180)]

PASSWORD = "hunter2"  # noqa: S105 of no registry


@pytest.fixture(scope="module")
def flights(kubernetes_engine: Engine, api: client.ApiClient) -> Iterator[Stack]:
    """The example, provisioned, with sizes that Kubernetes would rewrite if they were not written its way."""
    with stack_from_example(kubernetes_engine) as stack:
        stack.set("quota.cpu_millicores", "1500")
        stack.set("quota.jobs", "1000")
        stack.set("container_limits.max.memory_mib", "1536")
        stack.set("registry_credentials[0].server", "registry.example")
        stack.set("registry_credentials[0].username", "bob")
        stack.set("registry_credentials[0].password", PASSWORD, "--secret")
        stack.set("submitters[0].kind", "Group")
        stack.set("submitters[0].name", "data-team")
        stack.up()
        yield stack
    assert stack.namespace not in namespaces(api)


def test_what_the_api_server_has(flights: Stack, api: client.ApiClient) -> None:
    found = objects(api, flights.namespace)

    assert set(found) == {
        "ConfigMap/flights-environment",
        "LimitRange/flights-limits",
        "NetworkPolicy/flights-deny",
        "NetworkPolicy/flights-run",
        "ResourceQuota/flights-quota",
        "Secret/flights-registry",
        "ServiceAccount/flights-runner",
        *(f"{kind}/flights-{role}" for kind in ("Role", "RoleBinding", "ServiceAccount") for role in ROLES),
    }
    for item in found.values():
        assert item["metadata"]["labels"].items() >= {"penstock.dev/environment": "flights", "team": "data"}.items()
    namespace = client.CoreV1Api(api).read_namespace(flights.namespace).metadata.labels
    assert namespace["pod-security.kubernetes.io/enforce"] == "restricted"
    assert found["ServiceAccount/flights-runner"]["automountServiceAccountToken"] is False
    assert found["ResourceQuota/flights-quota"]["status"]["hard"] == {
        "requests.cpu": "1500m",
        "requests.memory": "2Gi",
        "count/jobs.batch": "1k",
    }
    assert found["RoleBinding/flights-submitter"]["subjects"][1]["name"] == "data-team"


def test_the_document_in_the_cluster_is_the_stacks_output_byte_by_byte(flights: Stack, api: client.ApiClient) -> None:
    environment, data = flights.environment()

    stored = client.CoreV1Api(api).read_namespaced_config_map("flights-environment", flights.namespace)
    assert stored.data["environment.json"].encode() == data
    assert (environment.name, environment.image) == ("flights", "penstock.local/flights:test")
    assert environment.resources is not None
    assert (environment.resources.cpu_millicores, environment.resources.memory_mib) == (250, 512)


def test_a_password_is_in_its_secret_only(flights: Stack, api: client.ApiClient) -> None:
    stored = client.CoreV1Api(api).read_namespaced_secret("flights-registry", flights.namespace)
    auths = json.loads(base64.b64decode(stored.data[".dockerconfigjson"]))["auths"]

    assert stored.type == "kubernetes.io/dockerconfigjson"
    assert auths["registry.example"]["password"] == PASSWORD
    state = flights.engine.do("stack", "export", "--stack", flights.name)
    for text in (state, flights.environment()[1].decode(), flights.file.read_text()):
        assert PASSWORD not in text
        assert stored.data[".dockerconfigjson"] not in text


def test_a_second_preview_is_empty_also_when_it_looks_at_the_cluster(flights: Stack) -> None:
    flights.do("preview", "--expect-no-changes")
    flights.do("preview", "--expect-no-changes", "--refresh")


ROLES = ("submitter", "previewer")


def test_accounts_have_exactly_the_rights_of_their_roles(flights: Stack, api: client.ApiClient, tmp_path: Path) -> None:
    for role, rules in (("submitter", SUBMITTER), ("previewer", previewer(flights.namespace)), ("runner", ())):
        with account(flights, api, f"flights-{role}", tmp_path) as own:
            assert rights(own.api, flights.namespace) == rights_of(rules)
            assert rights(own.api, "default") == set()


def test_a_previewer_previews_and_changes_nothing(flights: Stack, api: client.ApiClient, tmp_path: Path) -> None:
    changed = Path(shutil.copy(flights.file, tmp_path))
    changed.write_text(changed.read_text().replace("memory_mib: 512", "memory_mib: 640"))
    before = objects(api, flights.namespace)

    with account(flights, api, "flights-previewer", tmp_path) as own:
        flights_as_previewer = as_account(flights, own)
        flights_as_previewer.do("preview", "--expect-no-changes")
        change = json.loads(flights_as_previewer.do("preview", "--json", "--config-file", str(changed)))
        refused = {
            refusal(own.api, verb, name.partition("/")[0], item)
            for name, item in before.items()
            for verb in ("create", "replace", "patch", "delete")
        }

    # The component itself, and the document.
    assert change["changeSummary"]["update"] == 2
    assert refused == {403}
    assert objects(api, flights.namespace) == before


def test_a_previewer_sees_what_others_have_changed_but_no_secret(
    flights: Stack, api: client.ApiClient, tmp_path: Path
) -> None:
    with account(flights, api, "flights-previewer", tmp_path) as own:
        flights_as_previewer = as_account(flights, own)
        whole = flights_as_previewer.run("preview", "--refresh")
        without = flights_as_previewer.run("preview", "--refresh", "--exclude", "**Secret**", "--expect-no-changes")

    assert 'cannot get resource "secrets"' in whole.out
    assert without.code == 0, without.out + without.err


def test_the_namespace_takes_the_pod_of_a_run_and_no_pod_with_privileges(flights: Stack, api: client.ApiClient) -> None:
    environment, _ = flights.environment()
    assert environment.kubernetes_job is not None
    job: Any = environment.kubernetes_job.job

    pod = pod_of(job["spec"]["template"], environment.image or "")

    assert_only_without_privileges(api, flights.namespace, pod)


def test_the_api_server_takes_the_job_with_whatever_is_asked_for(flights: Stack, api: client.ApiClient) -> None:
    job = job_template(
        "flights",
        flights.namespace,
        service_account="flights-runner",
        labels={"team": "data"},
        queue_name="batch",
        failure_policy={"retries": 3, "flow": "retry", "crash": "retry", "oom": "retry", "preempted": "fail"},
        node_selector={"pool": "spot"},
        tolerations=[{"key": "spot", "operator": "Exists"}],
        volumes=[
            {"name": "lake", "mount_path": "/lake", "persistent_volume_claim": "lake"},
            {"name": "settings", "mount_path": "/settings", "config_map": "settings", "read_only": True},
            {"name": "scratch", "mount_path": "/scratch", "empty_dir_mib": 100},
        ],
    )
    job["metadata"]["name"] = "tried"
    job["spec"]["template"]["spec"]["containers"][0]["image"] = "penstock.local/flights:test"

    taken = client.BatchV1Api(api).create_namespaced_job(flights.namespace, job, dry_run="All")

    assert taken.spec.backoff_limit == 3
    assert [rule.action for rule in taken.spec.pod_failure_policy.rules] == ["FailJob", "FailJob"]


def test_a_submitter_can_do_all_that_runs_need(flights: Stack, api: client.ApiClient, tmp_path: Path) -> None:
    def command(*words: str) -> dict[str, Any]:
        return {"args": [sys.executable, "-P", "-m", "runner.cli", *words], "env": env, "cwd": tmp_path, "text": True}

    def penstock(*words: str, code: int = 0) -> str:
        done = subprocess.run(**command(*words), capture_output=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return str(done.stdout)

    with account(flights, api, "flights-submitter", tmp_path) as own:
        env = {**os.environ, "KUBECONFIG": str(own.kubeconfig)}
        penstock("env", "pull", "--namespace", flights.namespace)
        penstock("run", f"{BEHAVIOURS}:exit_with", "-p", "code=7", "--label", "cluster", "--run-id", "seven", code=7)
        count = ("run", f"{BEHAVIOURS}:count", "-p", "lines=1000", "-p", "pause=1", "--run-id", "long")
        with subprocess.Popen(**command(*count, "--env", "flights"), stdout=subprocess.PIPE) as following:
            assert following.stdout is not None
            first = following.stdout.readline()
            penstock("cancel", "long")
            following.stdout.read()
        for words in (
            ("logs", "seven"),
            ("describe", "seven"),
            ("gc", "--env", "flights"),
            ("doctor", "--env", "flights"),
        ):
            penstock(*words)
        listed = json.loads(penstock("ls", "--env", "flights", "--json"))

    assert first
    assert following.returncode == 143
    assert {run["run_id"]: run["state"] for run in listed} == {"seven": "failed", "long": "cancelled"}


def test_a_change_of_the_document_or_of_a_login_is_made_in_place(
    kubernetes_engine: Engine, api: client.ApiClient
) -> None:
    core = client.CoreV1Api(api)
    with stack_from_example(kubernetes_engine) as stack:
        stack.set("registry_credentials[0].server", "registry.example")
        stack.set("registry_credentials[0].username", "bob")
        stack.set("registry_credentials[0].password", PASSWORD, "--secret")
        stack.up()
        before = objects(api, stack.namespace)
        stack.set("resources.memory_mib", "640")
        stack.set("registry_credentials[0].password", "other", "--secret")

        steps = json.loads(stack.do("preview", "--json"))["changeSummary"]
        stack.up()
        after = objects(api, stack.namespace)
        stored = core.read_namespaced_config_map("flights-environment", stack.namespace)

        assert set(steps) == {"same", "update"}
        assert {name: item["metadata"]["uid"] for name, item in after.items()} == {
            name: item["metadata"]["uid"] for name, item in before.items()
        }
        changed = {
            name
            for name, item in after.items()
            if item["metadata"]["resourceVersion"] != before[name]["metadata"]["resourceVersion"]
        }
        assert changed == {"ConfigMap/flights-environment", "Secret/flights-registry"}
        assert json.loads(stored.data["environment.json"])["resources"]["memory_mib"] == 640


def test_destroy_leaves_nothing(kubernetes_engine: Engine, api: client.ApiClient) -> None:
    rbac = client.RbacAuthorizationV1Api(api)
    with stack_from_example(kubernetes_engine) as stack:
        stack.up()
        assert stack.namespace in namespaces(api)

        stack.destroy()

        assert stack.namespace not in namespaces(api)
        selector = "app.kubernetes.io/name=penstock"
        assert rbac.list_cluster_role(label_selector=selector).items == []
        assert rbac.list_cluster_role_binding(label_selector=selector).items == []
        assert f"{stack.name}.json" not in kubernetes_engine.stacks


def test_environments_share_a_namespace_that_exists_and_one_goes_without_the_other(
    kubernetes_engine: Engine, api: client.ApiClient
) -> None:
    with stack_from_example(kubernetes_engine) as owner:
        owner.up()
        with stack_from_example(kubernetes_engine, owner.namespace, create_namespace="false") as guest:
            guest.set("environment_name", "guest")
            guest.up()
            both = objects(api, owner.namespace)
            guest.do("preview", "--expect-no-changes")
        left = objects(api, owner.namespace)
        owner.do("preview", "--expect-no-changes", "--refresh")

    assert {name.replace("guest-", "flights-") for name in both if "guest-" in name} == {
        name for name in left if name != "NetworkPolicy/flights-deny"
    }
    assert not any("guest-" in name for name in left)


def test_a_namespace_of_another_environment_is_not_taken_over(kubernetes_engine: Engine, api: client.ApiClient) -> None:
    with stack_from_example(kubernetes_engine) as owner:
        owner.up()
        before = objects(api, owner.namespace)
        with stack_from_example(kubernetes_engine, owner.namespace) as thief:
            thief.set("environment_name", "thief")
            finished = thief.run("up", "--yes", "--skip-preview")

        assert finished.code != 0
        assert ".metadata.labels.penstock.dev/environment" in finished.out
        assert objects(api, owner.namespace) == before
        assert owner.namespace in namespaces(api)
