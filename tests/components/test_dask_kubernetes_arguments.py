"""What the arguments of a DaskKubernetesEnvironment become, in its document and around it."""

import base64
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import dask_network
from components.dask_kubernetes import DaskKubernetesEnvironment
from components.rbac import DASK_RUNNER, policy_rules
from runner.contract import to_bytes
from runner.environment import read
from tests.components.dask_kubernetes import (
    BINDING,
    CONFIG_MAP,
    FULL,
    IMAGE,
    POLICY,
    QUOTA,
    ROLE,
    SECRET,
    TOKEN,
    deployed,
    document,
    pods,
    section,
)
from tests.testbed.pulumi_mocks import Deploy, unknown


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
