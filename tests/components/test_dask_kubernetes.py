"""What a DaskKubernetesEnvironment creates beside what every environment on Kubernetes does.

Its Job is tested with job_template and dask_job, its workers' pod with worker_template, its quota with dask_size.
"""

import json
from typing import Any

import pytest

from components import dask_network
from components.kubernetes_job import KubernetesJobEnvironment
from components.rbac import DASK_RUNNER, DASK_SUBMITTER, policy_rules, previewer
from tests.components.dask_kubernetes import (
    ACCOUNT,
    AROUND,
    BINDING,
    CONFIG_MAP,
    FULL,
    IMAGE,
    NAMESPACE,
    POLICY,
    ROLE,
    TOKEN,
    deployed,
    document,
    pods,
    section,
)
from tests.testbed.pulumi_mocks import Deploy


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
