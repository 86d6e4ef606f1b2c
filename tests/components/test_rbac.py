"""The rights that roles give; that they suffice and no more is shown on a cluster, in tests/stacks."""

from typing import Any

import pytest

from components.rbac import DASK_RUNNER, DASK_SUBMITTER, READ, SUBMITTER, policy_rules, previewer, subjects

ALL = {
    "submitter": SUBMITTER,
    "submitter with Dask": DASK_SUBMITTER,
    "runner with Dask": DASK_RUNNER,
    "previewer": previewer("flights"),
    "previewer elsewhere": previewer(None),
}


def test_the_submitter_has_exactly_these_rights() -> None:
    assert policy_rules(SUBMITTER) == [
        {
            "apiGroups": ["batch"],
            "resources": ["jobs"],
            "verbs": ["create", "get", "list", "watch", "patch", "delete"],
        },
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch", "patch"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "get", "list", "patch", "delete"]},
        {"apiGroups": [""], "resources": ["resourcequotas"], "verbs": ["get", "list"]},
    ]


def test_the_previewer_reads_what_the_component_creates_but_secrets() -> None:
    assert policy_rules(previewer("flights")) == [
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"], "resourceNames": ["flights"]},
        {
            "apiGroups": [""],
            "resources": ["configmaps", "limitranges", "resourcequotas", "serviceaccounts"],
            "verbs": ["get", "list", "watch"],
        },
        {
            "apiGroups": ["rbac.authorization.k8s.io"],
            "resources": ["rolebindings", "roles"],
            "verbs": ["get", "list", "watch"],
        },
        {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["get", "list", "watch"]},
    ]


def test_a_namespace_that_is_not_created_is_not_read_either() -> None:
    assert previewer(None) == previewer("flights")[1:]


def test_a_run_with_workers_has_exactly_these_rights() -> None:
    assert policy_rules(DASK_RUNNER) == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "get", "list", "watch", "delete"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "delete"]},
    ]


def test_the_submitter_of_runs_with_workers_can_forward_a_port_too_and_nothing_else() -> None:
    assert DASK_SUBMITTER[:-1] == SUBMITTER
    assert policy_rules(DASK_SUBMITTER[-1:]) == [
        {"apiGroups": [""], "resources": ["pods/portforward"], "verbs": ["create", "get"]}
    ]


@pytest.mark.parametrize("rules", ALL.values(), ids=ALL)
def test_no_right_is_given_to_everything_and_each_has_its_reason(rules: Any) -> None:
    for rule in rules:
        assert rule.reason.endswith(".")
        assert not {"*", "pods/exec", "pods/attach", "pods/ephemeralcontainers"} & {
            rule.group, *rule.resources, *rule.verbs
        }  # fmt: skip
        assert not ({"escalate", "bind", "impersonate"} & {*rule.verbs})


@pytest.mark.parametrize("rules", ALL.values(), ids=ALL)
def test_nobody_reads_a_secret(rules: Any) -> None:
    about_secrets = {verb for rule in rules if "secrets" in rule.resources for verb in rule.verbs}

    assert about_secrets <= {"create", "delete"}
    assert not about_secrets or rules is DASK_RUNNER


def test_the_previewer_can_change_nothing() -> None:
    assert {verb for rule in previewer("flights") for verb in rule.verbs} == {*READ}


def test_a_role_is_bound_to_its_own_account_and_to_whom_the_user_names() -> None:
    people: list[dict[str, str]] = [
        {"kind": "Group", "name": "data-team"},
        {"kind": "User", "name": "bob@example.com"},
        {"kind": "ServiceAccount", "name": "ci", "namespace": "build"},
        {"kind": "ServiceAccount", "name": "cron"},
    ]

    assert subjects("flights-submitter", "flights", submitters=people) == [
        {"kind": "ServiceAccount", "name": "flights-submitter", "namespace": "flights"},
        {"kind": "Group", "name": "data-team", "apiGroup": "rbac.authorization.k8s.io"},
        {"kind": "User", "name": "bob@example.com", "apiGroup": "rbac.authorization.k8s.io"},
        {"kind": "ServiceAccount", "name": "ci", "namespace": "build"},
        {"kind": "ServiceAccount", "name": "cron", "namespace": "flights"},
    ]
