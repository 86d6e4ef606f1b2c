"""What a DaskKubernetesEnvironment creates beside what every environment on Kubernetes does.

Its Job is tested with job_template and dask_job, its workers' pod with worker_template, its quota with dask_size.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import dask_network
from components.dask_kubernetes import DaskKubernetesEnvironment
from components.kubernetes_job import KubernetesJobEnvironment
from components.rbac import DASK_RUNNER, DASK_SUBMITTER, policy_rules, previewer
from runner.contract import to_bytes
from runner.environment import read
from tests.testbed.pulumi_mocks import Deploy, RecordingMonitor, unknown

IMAGE = "registry.example/team/flows:1"
TOKEN = "penstock:index:DaskKubernetesEnvironment"  # noqa: S105 a type token
AROUND = "penstock:index:KubernetesNamespace"
ACCOUNT, SECRET, CONFIG_MAP, NAMESPACE, QUOTA = (
    f"kubernetes:core/v1:{kind}" for kind in ("ServiceAccount", "Secret", "ConfigMap", "Namespace", "ResourceQuota")
)
ROLE, BINDING = (f"kubernetes:rbac.authorization.k8s.io/v1:{kind}" for kind in ("Role", "RoleBinding"))
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"

FULL: dict[str, Any] = {
    "environment_name": "analysts",
    "routing_labels": ["cluster", "dask"],
    "metadata": {"owner": "data team"},
    "image": IMAGE,
    "resources": {"cpu_millicores": 1000, "memory_mib": 2048},
    "min_workers": 0,
    "max_workers": 8,
    "worker_resources": {"cpu_millicores": 2000, "memory_mib": 4096, "gpu": 1, "memory_limit_mib": 5120},
    "worker_threads": 2,
    "worker_spec": {"spec": {"containers": [{"name": "worker", "image": "registry.example/team/gpu:1"}]}},
    "worker_priority_class_name": "low",
    "worker_node_selector": {"pool": "spot"},
    "worker_tolerations": [{"key": "spot", "operator": "Exists"}],
    "worker_affinity": {"podAntiAffinity": {}},
    "work_stealing": False,
    "scheduler_logs": True,
    "log_k8s_errors": True,
    "performance_report": False,
    "env": {"OMP_NUM_THREADS": "1"},
    "secrets": [{"env": "TOKEN", "secret": "api", "key": "token"}],
    "on_execute": "hooks:execute",
    "timeouts": {"queue_seconds": 600, "run_seconds": 3600, "grace_seconds": 2.5},
    "failure_policy": {"retries": 2, "oom": "retry"},
    "namespace": "analytics",
    "concurrent_runs": 2,
    "quota": {"jobs": 200},
    "container_limits": {"max": {"memory_mib": 8192}},
    "labels": {"team": "data"},
    "pod_annotations": {"example.com/scrape": "false"},
    "image_pull_secrets": ["mine"],
    "submitters": [{"kind": "Group", "name": "data-team"}],
    "egress": [{"cidr": "10.0.0.0/8", "ports": [5432]}],
    "api_server_cidrs": ["10.96.0.1/32"],
    "priority_class_name": "batch",
    "node_selector": {"pool": "stable"},
    "volumes": [{"name": "lake", "mount_path": "/lake", "persistent_volume_claim": "lake"}],
    "job_spec": {"spec": {"template": {"spec": {"containers": [{"name": "flow", "command": ["nice", "python3"]}]}}}},
    "queue_name": "batch",
}


def deployed(deploy: Deploy, args: Mapping[str, Any] | None = None, **more: Any) -> RecordingMonitor:
    given: Any = {"image": IMAGE, **(args or {}), **more}

    def program() -> None:
        component = DaskKubernetesEnvironment("flights", given)
        pulumi.export("environment", component.environment)
        pulumi.export("namespace", component.namespace)
        pulumi.export("submitter", component.submitter_service_account)
        pulumi.export("previewer", component.previewer_service_account)

    return deploy(program)


def document(monitor: RecordingMonitor) -> dict[str, Any]:
    value: dict[str, Any] = monitor.exports["environment"].value
    return value


def section(monitor: RecordingMonitor) -> dict[str, Any]:
    value: dict[str, Any] = document(monitor)["dask_kubernetes"]
    return value


def pods(monitor: RecordingMonitor) -> tuple[dict[str, Any], dict[str, Any]]:
    """Specs of the run's own pod and of a worker's."""
    return section(monitor)["job"]["spec"]["template"]["spec"], section(monitor)["worker"]["spec"]


@pytest.mark.parametrize(
    ("file", "args"), [("dask-kubernetes.json", {}), ("dask-kubernetes-full.json", FULL)], ids=["smallest", "full"]
)
def test_its_document(deploy: Deploy, golden: Any, file: str, args: Any) -> None:
    written = document(deployed(deploy, args))
    written["producer"]["version"] = "any"

    golden(file, json.dumps(written, indent=2, sort_keys=True).encode() + b"\n")


def test_everything_that_the_smallest_creates(deploy: Deploy) -> None:
    monitor = deployed(deploy)

    assert sorted((item.type, item.name) for item in monitor.own) == sorted(
        [
            (TOKEN, "flights"),
            (AROUND, "flights-namespace"),
            (NAMESPACE, "flights-namespace"),
            (POLICY, "flights-namespace-deny"),
            (POLICY, "flights-run"),
            (POLICY, "flights-worker"),
            *(
                (kind, f"flights-{role}")
                for kind in (ACCOUNT, ROLE, BINDING)
                for role in ("runner", "submitter", "previewer")
            ),
            (CONFIG_MAP, "flights-environment"),
        ]
    )


def test_beside_a_kubernetes_job_environment_it_creates_a_role_for_runs_and_a_policy_for_workers(
    deploy: Deploy,
) -> None:
    def other() -> None:
        KubernetesJobEnvironment("flights", {"image": IMAGE})

    more = {(item.type, item.name) for item in deployed(deploy).own}
    fewer = {(item.type, item.name) for item in deploy(other).own}

    assert {item for item in more - fewer if item[0] != TOKEN} == {
        (ROLE, "flights-runner"),
        (BINDING, "flights-runner"),
        (POLICY, "flights-worker"),
    }


def test_everything_has_a_readable_name_the_namespace_and_labels_that_say_whose_it_is(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)
    children = [item for item in monitor.own if item.type.startswith("kubernetes:")]

    assert {(item.type.split(":")[-1], item.inputs["metadata"]["name"]) for item in children} == {
        ("Namespace", "analytics"),
        ("ResourceQuota", "analysts-quota"),
        ("LimitRange", "analysts-limits"),
        ("NetworkPolicy", "analysts-deny"),
        ("NetworkPolicy", "analysts-run"),
        ("NetworkPolicy", "analysts-worker"),
        *(
            (kind, f"analysts-{role}")
            for kind in ("ServiceAccount", "Role", "RoleBinding")
            for role in ("runner", "submitter", "previewer")
        ),
        ("ConfigMap", "analysts-environment"),
    }
    for item in children:
        metadata = item.inputs["metadata"]
        assert metadata.get("namespace") == (None if item.type == NAMESPACE else "analytics")
        assert (
            metadata["labels"].items()
            >= {
                "app.kubernetes.io/name": "penstock",
                "app.kubernetes.io/instance": "analysts",
                "app.kubernetes.io/managed-by": "pulumi",
                "penstock.dev/environment": "analysts",
                "team": "data",
            }.items()
        )
    components = {item.name: item.inputs["metadata"]["labels"]["app.kubernetes.io/component"] for item in children}
    assert (components["flights-worker"], components["flights-run"]) == ("worker", "run")


def test_names_stay_within_63_characters_however_long_the_environments_is(deploy: Deploy) -> None:
    monitor = deployed(deploy, environment_name="a" * 63, namespace="short")

    names = [
        (item.type, item.inputs["metadata"]["name"]) for item in monitor.own if item.type.startswith("kubernetes:")
    ]
    assert max(len(name) for _, name in names) == 63
    assert len(set(names)) == len(names)


def test_parents_are_the_component_and_its_namespace(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)
    own, around = monitor.named(TOKEN, "flights"), monitor.named(AROUND, "flights-namespace")

    assert around.parent == own.urn
    for item in monitor.own:
        if item.type.startswith("kubernetes:"):
            assert item.parent == (around.urn if item.name.startswith("flights-namespace") else own.urn)


def test_one_namespace_is_everywhere(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)

    assert section(monitor)["namespace"] == "analytics"
    assert {
        subject["namespace"]
        for item in monitor.own
        if item.type == BINDING
        for subject in item.inputs["subjects"]
        if subject["kind"] == "ServiceAccount"
    } == {"analytics"}
    assert "namespace" not in section(monitor)["job"]["metadata"]
    assert "namespace" not in section(monitor)["worker"]["metadata"]


def test_roles_have_the_rules_and_are_bound_to_accounts(deploy: Deploy) -> None:
    monitor = deployed(deploy)

    for role, rules in (("runner", DASK_RUNNER), ("submitter", DASK_SUBMITTER), ("previewer", previewer("flights"))):
        assert monitor.named(ROLE, f"flights-{role}").inputs["rules"] == policy_rules(rules)
        binding = monitor.named(BINDING, f"flights-{role}").inputs
        assert binding["roleRef"] == {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": f"flights-{role}",
        }
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": f"flights-{role}", "namespace": "flights"}]


def test_only_the_runs_own_pod_has_a_token(deploy: Deploy) -> None:
    monitor = deployed(deploy)
    run, worker = pods(monitor)

    assert monitor.named(ACCOUNT, "flights-runner").inputs["automountServiceAccountToken"] is False
    assert (run["automountServiceAccountToken"], worker["automountServiceAccountToken"]) == (True, False)
    assert (run["serviceAccountName"], worker["serviceAccountName"]) == ("flights-runner", "flights-runner")


@pytest.mark.parametrize(
    "args",
    [
        {"service_account_name": "robot"},
        {
            "service_account_name": "robot",
            "job_spec": {"spec": {"template": {"spec": {"serviceAccountName": "robot"}}}},
        },
    ],
)
def test_an_account_that_exists_gets_the_rights_of_runs_and_none_is_created(deploy: Deploy, args: Any) -> None:
    monitor = deployed(deploy, args)

    assert sorted(item.name for item in monitor.own if item.type == ACCOUNT) == [
        "flights-previewer",
        "flights-submitter",
    ]
    assert monitor.named(BINDING, "flights-runner").inputs["subjects"] == [
        {"kind": "ServiceAccount", "name": "robot", "namespace": "flights"}
    ]
    assert [pod["serviceAccountName"] for pod in pods(monitor)] == ["robot", "robot"]


def test_the_account_that_the_users_job_names_gets_the_rights(deploy: Deploy) -> None:
    monitor = deployed(deploy, job_spec={"spec": {"template": {"spec": {"serviceAccountName": "robot"}}}})

    (subject,) = monitor.named(BINDING, "flights-runner").inputs["subjects"]
    assert subject["name"] == "robot"


def test_policies_let_a_run_and_its_workers_reach_each_other(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)

    listed = FULL["egress"]
    assert monitor.named(POLICY, "flights-run").inputs["spec"] == dask_network.runs(
        "analysts", egress=listed, api_server_cidrs=["10.96.0.1/32"]
    )
    assert monitor.named(POLICY, "flights-worker").inputs["spec"] == dask_network.workers("analysts", egress=listed)


def test_policies_of_an_existing_namespace_are_about_the_environments_pods_only(deploy: Deploy) -> None:
    monitor = deployed(deploy, create_namespace=False, namespace="team")

    assert NAMESPACE not in {item.type for item in monitor.own}
    policies = {item.name: item.inputs["spec"]["podSelector"] for item in monitor.own if item.type == POLICY}
    assert policies == {
        f"flights-{part}": {"matchLabels": {"penstock.dev/environment": "flights", "app.kubernetes.io/component": part}}
        for part in ("run", "worker")
    }
    assert section(monitor)["namespace"] == "team"


def test_policies_select_the_pods_that_the_templates_make(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)
    labels = {
        "run": section(monitor)["job"]["spec"]["template"]["metadata"]["labels"],
        "worker": section(monitor)["worker"]["metadata"]["labels"],
    }

    for part, own in labels.items():
        selected = monitor.named(POLICY, f"flights-{part}").inputs["spec"]["podSelector"]["matchLabels"]
        other = labels["worker" if part == "run" else "run"]
        assert selected.items() <= own.items()
        assert not selected.items() <= other.items()


def test_the_network_can_be_left_to_somebody_else(deploy: Deploy) -> None:
    assert POLICY not in {item.type for item in deployed(deploy, network_policies=False).own}


def test_workers_are_two_of_a_modest_size_unless_told_otherwise(deploy: Deploy) -> None:
    written = section(deployed(deploy))

    assert (written["min_workers"], written["max_workers"], written["worker_threads"]) == (2, 2, 1)
    assert written["worker_resources"]["cpu_millicores"] == 500
    assert written["worker_resources"]["memory_mib"] == 1024
    assert (written["work_stealing"], written["scheduler_logs"], written["log_k8s_errors"]) == (True, False, False)


def test_the_executor_is_always_dask(deploy: Deploy) -> None:
    executors = [document(deployed(deploy, args))["executor"] for args in ({}, {"performance_report": False})]

    assert [executor["type"] for executor in executors] == ["dask", "dask"]
    assert [executor["performance_report"] for executor in executors] == [True, False]


def test_what_is_about_workers_is_not_about_runs_and_the_reverse(deploy: Deploy) -> None:
    run, worker = pods(deployed(deploy, FULL))

    assert (run["nodeSelector"], worker["nodeSelector"]) == ({"pool": "stable"}, {"pool": "spot"})
    assert (run["priorityClassName"], worker["priorityClassName"]) == ("batch", "low")
    assert "tolerations" not in run
    assert "affinity" not in run
    assert worker["tolerations"] == [{"key": "spot", "operator": "Exists"}]


def test_what_is_about_all_pods_is_in_both(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)
    run, worker = pods(monitor)
    templates = (section(monitor)["job"]["spec"]["template"], section(monitor)["worker"])

    for template in templates:
        assert template["metadata"]["labels"]["team"] == "data"
        assert template["metadata"]["annotations"]["example.com/scrape"] == "false"
    for pod in (run, worker):
        assert pod["imagePullSecrets"] == [{"name": "mine"}]
        assert pod["volumes"] == [{"name": "lake", "persistentVolumeClaim": {"claimName": "lake"}}]
        (container,) = pod["containers"]
        assert container["volumeMounts"] == [{"name": "lake", "mountPath": "/lake"}]


def test_the_namespace_has_room_for_the_runs_that_are_asked_for(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)

    assert monitor.named(QUOTA, "flights-namespace-quota").inputs["spec"]["hard"] == {
        "requests.cpu": "34020m",
        "requests.memory": f"{2 * (2048 + 32 + 8 * 4096)}Mi",
        "requests.nvidia.com/gpu": "16",
        "pods": "18",
        "count/jobs.batch": "200",
    }


def test_the_namespace_is_limited_only_if_that_is_asked_for(deploy: Deploy) -> None:
    assert QUOTA not in {item.type for item in deployed(deploy).own}
    hard = deployed(deploy, quota={"pods": 3}).named(QUOTA, "flights-namespace-quota").inputs["spec"]["hard"]
    assert hard == {"pods": "3"}


def test_the_document_in_the_cluster_is_the_stacks_output_byte_by_byte(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)

    text = monitor.named(CONFIG_MAP, "flights-environment").inputs["data"]["environment.json"]
    assert text.encode() == to_bytes(document(monitor))
    environment = read(text, warn=pytest.fail)
    assert environment.dask_kubernetes is not None
    assert environment.dask_kubernetes.namespace == "analytics"
    assert environment.on_kubernetes is environment.dask_kubernetes


def test_its_outputs(deploy: Deploy) -> None:
    monitor = deployed(deploy)

    (outputs,) = monitor.outputs[monitor.named(TOKEN, "flights").urn]
    assert set(outputs) == {"environment", "namespace", "submitterServiceAccount", "previewerServiceAccount"}
    assert monitor.exports["namespace"].value == outputs["namespace"] == "flights"
    assert monitor.exports["submitter"].value == outputs["submitterServiceAccount"] == "flights-submitter"
    assert monitor.exports["previewer"].value == outputs["previewerServiceAccount"] == "flights-previewer"


def plain(value: Any) -> Any:
    """What a secret on the wire holds."""
    return value["value"] if isinstance(value, dict) and "value" in value else value


def test_a_login_becomes_a_secret_that_every_pod_pulls_with_whoever_wrote_it(deploy: Deploy) -> None:
    def program() -> None:
        login: Any = {"server": "registry.example", "username": "bob", "password": pulumi.Output.secret("hunter2")}
        written = {"spec": {"containers": [{"name": "worker", "image": "registry.example/gpu:1"}]}}
        logins = {"registry_credentials": [login], "image_pull_secrets": "mine, theirs,"}
        args: Any = {"image": IMAGE, "worker_spec": written, **logins}
        pulumi.export("environment", DaskKubernetesEnvironment("flights", args).environment)

    monitor = deploy(program)

    data = json.loads(
        base64.b64decode(plain(monitor.named(SECRET, "flights-registry").inputs["data"])[".dockerconfigjson"])
    )
    assert data["auths"]["registry.example"]["password"] == "hunter2"  # noqa: S105 of no registry
    for pod in pods(monitor):
        assert [item["name"] for item in pod["imagePullSecrets"]] == ["flights-registry", "mine", "theirs"]
    assert not monitor.exports["environment"].secret
    assert "hunter2" not in json.dumps(document(monitor))


def test_pods_from_files_beside_pulumi_yaml(deploy: Deploy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    job = "spec: {template: {spec: {hostname: here, containers: [{name: flow, image: 'flows:7'}]}}}"
    worker = "kind: Pod\nspec: {hostname: there, containers: [{name: worker, resources: {limits: {memory: 2Gi}}}]}"
    (tmp_path / "job.yaml").write_text(job)
    (tmp_path / "worker.yaml").write_text(worker)

    def program() -> None:
        args: Any = {"job_spec": "job.yaml", "worker_spec": "worker.yaml"}
        pulumi.export("environment", DaskKubernetesEnvironment("flights", args).environment)

    monitor = deploy(program)

    assert document(monitor)["image"] == "flows:7"
    assert [pod["hostname"] for pod in pods(monitor)] == ["here", "there"]
    assert section(monitor)["worker_resources"]["memory_mib"] == 2048
    assert (job, worker) == ((tmp_path / "job.yaml").read_text(), (tmp_path / "worker.yaml").read_text())


def test_what_the_user_wrote_is_never_changed_and_gives_the_same_document_again(deploy: Deploy) -> None:
    before = json.dumps(FULL)

    first, second = (document(deployed(deploy, FULL)) for _ in range(2))

    assert json.dumps(FULL) == before
    assert to_bytes(first) == to_bytes(second)


def test_outputs_arrive_wherever_they_are_allowed(deploy: Deploy) -> None:
    def soon(value: Any) -> Any:
        return pulumi.Output.from_input(value)

    def program() -> None:
        args: Any = {
            "image": soon(IMAGE),
            "min_workers": soon(1.0),
            "max_workers": soon(4.0),
            "worker_resources": {"memory_mib": soon(2048.0)},
            "worker_threads": soon(2.0),
            "worker_spec": {"spec": {"hostname": soon("there")}},
            "worker_node_selector": {"pool": soon("spot")},
            "work_stealing": soon(False),
            "performance_report": soon(False),
            "api_server_cidrs": [soon("10.96.0.1/32")],
            "service_account_name": soon("robot"),
            "concurrent_runs": 2,
        }
        pulumi.export("environment", DaskKubernetesEnvironment("flights", args).environment)

    monitor = deploy(program)
    written = section(monitor)

    assert (repr(written["min_workers"]), repr(written["max_workers"])) == ("1", "4")
    assert repr(written["worker_resources"]["memory_mib"]) == "2048"
    assert (written["worker_threads"], written["work_stealing"]) == (2, False)
    assert written["worker"]["spec"]["hostname"] == "there"
    assert written["worker"]["spec"]["nodeSelector"] == {"pool": "spot"}
    assert document(monitor)["executor"]["performance_report"] is False
    assert monitor.named(BINDING, "flights-runner").inputs["subjects"][0]["name"] == "robot"
    assert monitor.named(QUOTA, "flights-namespace-quota").inputs["spec"]["hard"]["pods"] == "10"
    assert monitor.named(POLICY, "flights-run").inputs["spec"] == dask_network.runs(
        "flights", api_server_cidrs=["10.96.0.1/32"]
    )


def test_at_preview_what_is_known_is_shown_though_the_image_and_the_workers_are_not(deploy: Deploy) -> None:
    def program() -> None:
        args: Any = {"image": unknown(), "max_workers": unknown(), "concurrent_runs": 1}
        pulumi.export("environment", DaskKubernetesEnvironment("flights", args).environment)

    monitor = deploy(program, preview=True)

    assert not monitor.exports["environment"].known
    assert monitor.named(ROLE, "flights-runner").inputs["rules"] == policy_rules(DASK_RUNNER)
    assert monitor.named(QUOTA, "flights-namespace-quota").inputs["metadata"]["name"] == "flights-quota"
    assert monitor.named(POLICY, "flights-worker").inputs["spec"]["policyTypes"] == ["Ingress", "Egress"]
