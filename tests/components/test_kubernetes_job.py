"""What a KubernetesJobEnvironment creates, and what it refuses. The Job of its runs is tested with job_template."""

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.given import ArgumentError
from components.kubernetes_job import KubernetesJobEnvironment
from components.rbac import SUBMITTER, policy_rules, previewer
from runner.contract import to_bytes
from runner.environment import read
from tests.testbed.pulumi_mocks import Deploy, RecordingMonitor, unknown

IMAGE = "registry.example/team/flows:1"
TOKEN = "penstock:index:KubernetesJobEnvironment"  # noqa: S105 a type token
ACCOUNT, SECRET, CONFIG_MAP, NAMESPACE, QUOTA, LIMITS = (
    f"kubernetes:core/v1:{kind}"
    for kind in ("ServiceAccount", "Secret", "ConfigMap", "Namespace", "ResourceQuota", "LimitRange")
)
ROLE, BINDING = (f"kubernetes:rbac.authorization.k8s.io/v1:{kind}" for kind in ("Role", "RoleBinding"))
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"

FULL: dict[str, Any] = {
    "environment_name": "analysts",
    "routing_labels": ["cluster", "gpu"],
    "metadata": {"owner": "data team"},
    "image": IMAGE,
    "resources": {"cpu_millicores": 2000, "memory_mib": 4096, "gpu": 1, "cpu_limit_millicores": 4000},
    "env": {"OMP_NUM_THREADS": "1"},
    "secrets": [{"env": "TOKEN", "secret": "api", "key": "token"}],
    "executor": {"type": "dask", "workers": 2},
    "on_execute": "hooks:execute",
    "on_start": "hooks:start",
    "on_exit": "hooks.sub:exit",
    "timeouts": {"queue_seconds": 600, "run_seconds": 3600, "grace_seconds": 2.5},
    "retention": {"succeeded_seconds": 0, "failed_seconds": 86400},
    "log": {"level": "WARNING", "extra_loggers": ["distributed.scheduler"]},
    "failure_policy": {"retries": 2, "oom": "retry"},
    "namespace": "analytics",
    "pod_security": "baseline",
    "quota": {"cpu_millicores": 8000, "memory_mib": 16384, "pods": 20, "jobs": 200},
    "container_limits": {"max": {"memory_mib": 8192}},
    "labels": {"team": "data"},
    "pod_annotations": {"example.com/scrape": "false"},
    "image_pull_secrets": ["mine"],
    "submitters": [{"kind": "Group", "name": "data-team"}],
    "previewers": [{"kind": "ServiceAccount", "name": "ci", "namespace": "build"}],
    "egress": [{"cidr": "10.0.0.0/8", "ports": [5432]}],
    "priority_class_name": "batch",
    "node_selector": {"pool": "spot"},
    "tolerations": [{"key": "spot", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "volumes": [{"name": "lake", "mount_path": "/lake", "persistent_volume_claim": "lake"}],
    "job_spec": {"spec": {"template": {"spec": {"containers": [{"name": "flow", "command": ["nice", "python3"]}]}}}},
    "queue_name": "batch",
}


def deployed(deploy: Deploy, args: Mapping[str, Any] | None = None, **more: Any) -> RecordingMonitor:
    given: Any = {"image": IMAGE, **(args or {}), **more}

    def program() -> None:
        component = KubernetesJobEnvironment("flights", given)
        pulumi.export("environment", component.environment)
        pulumi.export("namespace", component.namespace)
        pulumi.export("submitter", component.submitter_service_account)
        pulumi.export("previewer", component.previewer_service_account)

    return deploy(program)


def document(monitor: RecordingMonitor) -> dict[str, Any]:
    value: dict[str, Any] = monitor.exports["environment"].value
    return value


def job(monitor: RecordingMonitor) -> dict[str, Any]:
    value: dict[str, Any] = document(monitor)["kubernetes_job"]["job"]
    return value


@pytest.mark.parametrize(
    ("file", "args"), [("kubernetes-job.json", {}), ("kubernetes-job-full.json", FULL)], ids=["smallest", "full"]
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
            ("penstock:index:KubernetesNamespace", "flights-namespace"),
            (NAMESPACE, "flights-namespace"),
            (POLICY, "flights-namespace-deny"),
            (POLICY, "flights-run"),
            (ACCOUNT, "flights-runner"),
            *((kind, f"flights-{role}") for kind in (ACCOUNT, ROLE, BINDING) for role in ("submitter", "previewer")),
            (CONFIG_MAP, "flights-environment"),
        ]
    )


def test_everything_has_a_readable_name_the_namespace_and_labels_that_say_whose_it_is(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)
    children = [item for item in monitor.own if item.type.startswith("kubernetes:")]

    assert {(item.type.split(":")[-1], item.inputs["metadata"]["name"]) for item in children} == {
        ("Namespace", "analytics"),
        ("ResourceQuota", "analysts-quota"),
        ("LimitRange", "analysts-limits"),
        ("NetworkPolicy", "analysts-deny"),
        ("NetworkPolicy", "analysts-run"),
        ("ServiceAccount", "analysts-runner"),
        *((kind, "analysts-submitter") for kind in ("ServiceAccount", "Role", "RoleBinding")),
        *((kind, "analysts-previewer") for kind in ("ServiceAccount", "Role", "RoleBinding")),
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
                "app.kubernetes.io/part-of": "penstock",
                "penstock.dev/environment": "analysts",
                "team": "data",
            }.items()
        )
    assert {item.name: item.inputs["metadata"]["labels"]["app.kubernetes.io/component"] for item in children} == {
        **dict.fromkeys([f"flights-namespace{end}" for end in ("", "-deny", "-quota", "-limits")], "namespace"),
        "flights-runner": "runner",
        "flights-submitter": "submitter",
        "flights-previewer": "previewer",
        "flights-run": "run",
        "flights-environment": "environment",
    }


def test_names_stay_within_63_characters_however_long_the_environments_is(deploy: Deploy) -> None:
    monitor = deployed(deploy, environment_name="a" * 63, namespace="short")

    names = [
        (item.type, item.inputs["metadata"]["name"]) for item in monitor.own if item.type.startswith("kubernetes:")
    ]
    assert max(len(name) for _, name in names) == 63
    assert len(set(names)) == len(names)


def test_parents_are_the_component_and_its_namespace(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)
    own, around = (
        monitor.named(TOKEN, "flights"),
        monitor.named("penstock:index:KubernetesNamespace", "flights-namespace"),
    )

    assert around.parent == own.urn
    for item in monitor.own:
        if item.type.startswith("kubernetes:"):
            assert item.parent == (around.urn if item.name.startswith("flights-namespace") else own.urn)


def test_runs_have_an_account_without_rights_and_without_a_token(deploy: Deploy) -> None:
    monitor = deployed(deploy)

    assert monitor.named(ACCOUNT, "flights-runner").inputs["automountServiceAccountToken"] is False
    bound = [subject["name"] for item in monitor.own if item.type == BINDING for subject in item.inputs["subjects"]]
    assert sorted(bound) == ["flights-previewer", "flights-submitter"]
    assert job(monitor)["spec"]["template"]["spec"]["serviceAccountName"] == "flights-runner"


def test_roles_have_the_rules_and_are_bound_to_accounts_and_people(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)

    for role, rules, other in (
        ("submitter", SUBMITTER, {"kind": "Group", "name": "data-team", "apiGroup": "rbac.authorization.k8s.io"}),
        ("previewer", previewer("analytics"), {"kind": "ServiceAccount", "name": "ci", "namespace": "build"}),
    ):
        assert monitor.named(ROLE, f"flights-{role}").inputs["rules"] == policy_rules(rules)
        binding = monitor.named(BINDING, f"flights-{role}").inputs
        assert binding["roleRef"] == {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": f"analysts-{role}",
        }
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": f"analysts-{role}", "namespace": "analytics"},
            other,
        ]


def test_the_document_in_the_cluster_is_the_stacks_output_byte_by_byte(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)

    text = monitor.named(CONFIG_MAP, "flights-environment").inputs["data"]["environment.json"]
    assert text.encode() == to_bytes(document(monitor))
    environment = read(text, warn=pytest.fail)
    assert environment.kubernetes_job is not None
    assert environment.kubernetes_job.namespace == "analytics"


def test_its_outputs(deploy: Deploy) -> None:
    monitor = deployed(deploy)

    (outputs,) = monitor.outputs[monitor.named(TOKEN, "flights").urn]
    assert set(outputs) == {"environment", "namespace", "submitterServiceAccount", "previewerServiceAccount"}
    assert monitor.exports["namespace"].value == outputs["namespace"] == "flights"
    assert monitor.exports["submitter"].value == outputs["submitterServiceAccount"] == "flights-submitter"
    assert monitor.exports["previewer"].value == outputs["previewerServiceAccount"] == "flights-previewer"


def test_the_namespace_is_limited_as_asked(deploy: Deploy) -> None:
    monitor = deployed(deploy, FULL)

    assert monitor.named(QUOTA, "flights-namespace-quota").inputs["spec"]["hard"] == {
        "requests.cpu": "8",
        "requests.memory": "16Gi",
        "pods": "20",
        "count/jobs.batch": "200",
    }
    assert monitor.named(LIMITS, "flights-namespace-limits").inputs["spec"]["limits"] == [
        {"type": "Container", "max": {"memory": "8Gi"}}
    ]
    labels = monitor.named(NAMESPACE, "flights-namespace").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "baseline"


def test_an_existing_namespace_is_used_without_closing_it_for_others(deploy: Deploy) -> None:
    monitor = deployed(deploy, create_namespace=False, namespace="team")

    assert NAMESPACE not in {item.type for item in monitor.own}
    (policy,) = [item for item in monitor.own if item.type == POLICY]
    assert policy.inputs["spec"]["podSelector"] == {"matchLabels": {"penstock.dev/environment": "flights"}}
    assert monitor.named(ROLE, "flights-previewer").inputs["rules"] == policy_rules(previewer(None))
    assert document(monitor)["kubernetes_job"]["namespace"] == "team"


def test_what_runs_may_reach(deploy: Deploy) -> None:
    egress = deployed(deploy, FULL).named(POLICY, "flights-run").inputs["spec"]["egress"]

    assert [rule["ports"] for rule in egress] == [
        [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
        [{"port": 5432, "protocol": "TCP"}],
    ]
    assert deployed(deploy, egress_anywhere=True).named(POLICY, "flights-run").inputs["spec"]["egress"] == [{}]


def test_the_network_can_be_left_to_somebody_else(deploy: Deploy) -> None:
    assert POLICY not in {item.type for item in deployed(deploy, network_policies=False).own}


def test_an_account_that_exists_is_used_and_none_created(deploy: Deploy) -> None:
    monitor = deployed(deploy, service_account_name="robot")

    assert sorted(item.name for item in monitor.own if item.type == ACCOUNT) == [
        "flights-previewer",
        "flights-submitter",
    ]
    assert job(monitor)["spec"]["template"]["spec"]["serviceAccountName"] == "robot"


def plain(value: Any) -> Any:
    """What a secret on the wire holds."""
    return value["value"] if isinstance(value, dict) and "value" in value else value


def test_a_login_becomes_a_secret_that_every_run_pulls_with_and_nothing_else_holds(deploy: Deploy) -> None:
    def program() -> None:
        login: Any = {"server": "registry.example", "username": "bob", "password": pulumi.Output.secret("hunter2")}
        args: Any = {"image": IMAGE, "registry_credentials": [login], "image_pull_secrets": "mine, theirs,"}
        pulumi.export("environment", KubernetesJobEnvironment("flights", args).environment)

    monitor = deploy(program)

    inputs = monitor.named(SECRET, "flights-registry").inputs
    assert (inputs["type"], inputs["metadata"]["name"]) == ("kubernetes.io/dockerconfigjson", "flights-registry")
    assert set(inputs["data"]) == {"4dabf18193072939515e22adb298388d", "value"}, "the mark of a secret of Pulumi's"
    data = json.loads(base64.b64decode(plain(inputs["data"])[".dockerconfigjson"]))
    auth = base64.b64encode(b"bob:hunter2").decode()
    assert data == {"auths": {"registry.example": {"username": "bob", "password": "hunter2", "auth": auth}}}
    assert job(monitor)["spec"]["template"]["spec"]["imagePullSecrets"] == [
        {"name": "flights-registry"},
        {"name": "mine"},
        {"name": "theirs"},
    ]
    assert not monitor.exports["environment"].secret
    assert "hunter2" not in json.dumps(document(monitor))
    assert auth not in json.dumps(document(monitor))


def test_defaults_of_resources_and_clocks_are_filled_one_by_one(deploy: Deploy) -> None:
    written = document(deployed(deploy, resources={"memory_mib": 2048}, timeouts={"run_seconds": 60}))

    assert (written["resources"]["cpu_millicores"], written["resources"]["memory_mib"]) == (500, 2048)
    assert (written["timeouts"]["start_seconds"], written["timeouts"]["run_seconds"]) == (900, 60)
    assert document(deployed(deploy, timeouts={"start_seconds": 5}))["timeouts"]["start_seconds"] == 5


def test_a_job_from_a_file_beside_pulumi_yaml(deploy: Deploy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    (tmp_path / "job.yaml").write_text(
        "spec: {template: {spec: {hostname: here, containers: [{name: flow, image: 'flows:7'}]}}}"
    )

    def program() -> None:
        args: Any = {"job_spec": "job.yaml"}
        pulumi.export("environment", KubernetesJobEnvironment("flights", args).environment)

    monitor = deploy(program)

    assert document(monitor)["image"] == "flows:7"
    assert job(monitor)["spec"]["template"]["spec"]["hostname"] == "here"


def test_outputs_arrive_wherever_they_are_allowed(deploy: Deploy) -> None:
    def soon(value: Any) -> Any:
        return pulumi.Output.from_input(value)

    def program() -> None:
        args: Any = {
            "image": soon(IMAGE),
            "resources": {"memory_mib": soon(2048.0)},
            "secrets": [{"env": "TOKEN", "secret": soon("api"), "key": "token"}],
            "labels": soon({"team": "data"}),
            "quota": {"pods": soon(5)},
            "egress": [{"cidr": soon("10.0.0.0/8")}],
            "volumes": [{"name": "lake", "mount_path": "/lake", "persistent_volume_claim": soon("lake")}],
            "submitters": [{"kind": "User", "name": soon("bob")}],
            "job_spec": {"spec": {"template": {"spec": {"hostname": soon("here")}}}},
            "service_account_name": soon("robot"),
        }
        pulumi.export("environment", KubernetesJobEnvironment("flights", args).environment)

    monitor = deploy(program)
    pod = job(monitor)["spec"]["template"]["spec"]

    assert document(monitor)["image"] == IMAGE
    assert repr(document(monitor)["resources"]["memory_mib"]) == "2048"
    assert document(monitor)["secrets"][0]["id"] == "api"
    assert (pod["hostname"], pod["serviceAccountName"]) == ("here", "robot")
    assert {"name": "lake", "persistentVolumeClaim": {"claimName": "lake"}} in pod["volumes"]
    assert monitor.named(QUOTA, "flights-namespace-quota").inputs["spec"]["hard"] == {"pods": "5"}
    assert monitor.named(BINDING, "flights-submitter").inputs["subjects"][1]["name"] == "bob"
    assert monitor.named(CONFIG_MAP, "flights-environment").inputs["metadata"]["labels"]["team"] == "data"


def test_at_preview_what_is_known_is_shown_though_the_image_is_not(deploy: Deploy) -> None:
    def program() -> None:
        args: Any = {"image": unknown(), "job_spec": {"metadata": {"annotations": {"a": "b"}}}}
        pulumi.export("environment", KubernetesJobEnvironment("flights", args).environment)

    monitor = deploy(program, preview=True)

    assert not monitor.exports["environment"].known
    assert monitor.named(ROLE, "flights-submitter").inputs["metadata"]["name"] == "flights-submitter"
    assert monitor.named(POLICY, "flights-run").inputs["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_what_is_known_is_checked_at_preview_though_the_image_is_not(deploy: Deploy) -> None:
    def program() -> None:
        with pytest.raises(ArgumentError, match=r"log\.level is \"LOUD\""):
            KubernetesJobEnvironment("flights", {"image": unknown(), "log": {"level": "LOUD"}})  # type: ignore[typeddict-item]

    assert deploy(program, preview=True).own == []


def test_a_stack_without_kubernetes_does_not_load_its_resources() -> None:
    code = "import sys, stacks.program; print([name for name in sys.modules if 'pulumi_kubernetes.core.' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
