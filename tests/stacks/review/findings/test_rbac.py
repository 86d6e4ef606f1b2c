from typing import Any

import pytest

from stacks.review.findings import rbac
from stacks.review.values import SECRET, UNKNOWN
from tests.stacks.review.findings.cases import check_survives, found, told
from tests.stacks.review.steps import step

ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
CLUSTER_ROLE = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
CLUSTER_BINDING = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"
ACCOUNT = "kubernetes:core/v1:ServiceAccount"
JOB = "kubernetes:batch/v1:Job"
META = {"name": "prod-runner", "namespace": "flows"}


def role(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": META, "rules": list(rules)}


def rule(resources: str, verbs: str, group: str = "", *names: str) -> dict[str, Any]:
    given = {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split()}
    return {**given, "resourceNames": list(names)} if names else given


def binding(*subjects: dict[str, Any], role_: str = "prod-runner", kind: str = "Role") -> dict[str, Any]:
    return {"metadata": META, "subjects": list(subjects), "roleRef": {"kind": kind, "name": role_}}


def account(name: str, namespace: str | None = "flows") -> dict[str, Any]:
    return {"kind": "ServiceAccount", "name": name, **({"namespace": namespace} if namespace else {})}


def user(name: Any, kind: str = "User") -> dict[str, Any]:
    return {"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"}


GET_JOBS = rule("jobs", "get", "batch")

CASES: dict[str, tuple[str, Any, Any, str]] = {
    "same": (ROLE, role(GET_JOBS), role(GET_JOBS), ""),
    "written differently": (
        ROLE,
        role(rule("pods pods/log", "get list")),
        role(rule("pods/log", "list get"), rule("pods", "get"), rule("pods", "list")),
        "",
    ),
    "narrowed": (ROLE, role(rule("*", "*", "*")), role(rule("secrets", "get")), ""),
    "removed": (ROLE, role(rule("*", "*")), None, ""),
    "new": (
        ROLE,
        None,
        role(GET_JOBS),
        """
NOTICE kubernetes-rights-widened
the role prod-runner is new in the namespace flows
rules: null -> "jobs.batch: get"
""",
    ),
    "a verb more": (
        ROLE,
        role(GET_JOBS),
        role(rule("jobs", "get delete", "batch")),
        """
WARNING kubernetes-rights-widened
whoever has the role prod-runner may now do more in the namespace flows: jobs.batch: delete
rules: "jobs.batch: get" -> "jobs.batch: delete, get"
""",
    ),
    "no longer of these names only": (
        ROLE,
        role(rule("configmaps", "get", "", "one")),
        role(rule("configmaps", "get")),
        """
WARNING kubernetes-rights-widened
whoever has the role prod-runner may now do more in the namespace flows: configmaps: get
rules: "configmaps: get (one)" -> "configmaps: get"
""",
    ),
    "Secrets": (
        ROLE,
        role(rule("secrets", "create")),
        role(rule("secrets", "create get")),
        """
WARNING kubernetes-secrets-readable
whoever has the role prod-runner could read the Secrets in the namespace flows
rules: "secrets: create" -> "secrets: create, get"
""",
    ),
    "one Secret": (
        ROLE,
        None,
        role(rule("secrets", "get", "", "login")),
        """
WARNING kubernetes-secrets-readable
whoever has the role prod-runner could read the Secrets in the namespace flows, of these names: login
rules: null -> "secrets: get (login)"
""",
    ),
    "Secrets whose names are not known": (
        ROLE,
        None,
        role({**rule("secrets", "get"), "resourceNames": UNKNOWN}),
        "",
    ),
    "Secrets of the cluster": (
        CLUSTER_ROLE,
        None,
        role(rule("secrets", "list watch")),
        """
DANGER kubernetes-secrets-readable
whoever has the role prod-runner could read the Secrets in every namespace
rules: null -> "secrets: list, watch"
""",
    ),
    "pods of workers": (
        ROLE,
        role(rule("pods", "get")),
        role(rule("pods", "get create delete")),
        """
WARNING kubernetes-rights-escalation
whoever has the role prod-runner could start pods that use any service account in the namespace flows
rules: "pods: get" -> "pods: create, delete, get"
WARNING kubernetes-rights-widened
whoever has the role prod-runner may now do more in the namespace flows: pods: delete
rules: "pods: get" -> "pods: create, delete, get"
""",
    ),
    "everything": (
        ROLE,
        role(GET_JOBS),
        role(rule("*", "*", "*")),
        """
DANGER kubernetes-rights-wildcard
whoever has the role prod-runner may do everything with every kind of object in the namespace flows
rules: null -> "*.*: *"
""",
    ),
    "everything of a kind": (
        ROLE,
        role(GET_JOBS),
        role(rule("jobs", "*", "batch")),
        """
WARNING kubernetes-rights-wildcard
whoever has the role prod-runner may do this in the namespace flows, and what is added to it later: jobs.batch: *
rules: "jobs.batch: get" -> "jobs.batch: *"
""",
    ),
    "a subject more": (
        BINDING,
        binding(account("prod-submitter")),
        binding(user("ci"), account("prod-submitter", None)),
        """
WARNING kubernetes-subject-added
user ci may do what the role prod-runner allows in the namespace flows
subjects: ["service account flows/prod-submitter"] -> ["user ci"]
""",
    ),
    "a subject that is not known yet": (
        BINDING,
        binding(account("prod-submitter")),
        binding(user(UNKNOWN), account("prod-submitter")),
        """
WARNING kubernetes-subject-added
user known after the change may do what the role prod-runner allows in the namespace flows
subjects: ["service account flows/prod-submitter"] -> ["user known after the change"]
""",
    ),
    "a subject less": (BINDING, binding(account("a"), user("ci")), binding(account("a")), ""),
    "a new binding of an account": (BINDING, None, binding(account("prod-submitter")), ""),
    "a new binding of somebody else": (
        BINDING,
        None,
        binding(account("prod-submitter"), account("ci", "tools")),
        """
NOTICE kubernetes-subject-added
service account tools/ci may do what the role prod-runner allows in the namespace flows
subjects: null -> ["service account tools/ci"]
""",
    ),
    "renamed": (
        BINDING,
        binding(account("prod-submitter")),
        {**binding(account("new-submitter"), role_="new-submitter"), "metadata": {"name": "n", "namespace": "flows"}},
        "",
    ),
    "of a namespace that is renamed": (
        ROLE,
        role(rule("namespaces", "get", "", "flows")),
        {"metadata": {"name": "prod-runner", "namespace": "new"}, "rules": [rule("namespaces", "get", "", "new")]},
        "",
    ),
    "a binding of the cluster": (
        CLUSTER_BINDING,
        None,
        binding(user("system:serviceaccounts:flows", "Group"), role_="view", kind="ClusterRole"),
        """
WARNING kubernetes-subject-added
every service account of the namespace flows may do what the role view allows in the whole cluster
subjects: null -> ["every service account of the namespace flows"]
""",
    ),
    "an administrator": (
        CLUSTER_BINDING,
        None,
        binding(account("prod-runner"), role_="cluster-admin", kind="ClusterRole"),
        """
DANGER kubernetes-cluster-admin
service account flows/prod-runner may do everything in the whole cluster
subjects: null -> ["service account flows/prod-runner"]
""",
    ),
    "everybody": (
        BINDING,
        binding(),
        binding(user("system:unauthenticated", "Group")),
        """
DANGER kubernetes-rights-for-everybody
anyone who reaches the cluster's API, without a login, may do what the role prod-runner allows in the namespace flows
subjects: null -> ["group system:unauthenticated"]
""",
    ),
    "another role": (
        BINDING,
        binding(account("a")),
        binding(account("a"), role_="admin", kind="ClusterRole"),
        """
WARNING kubernetes-role-changed
everybody in the binding prod-runner gets the role admin instead of prod-runner in the namespace flows
roleRef.name: "prod-runner" -> "admin"
""",
    ),
    "another role, of administrators": (
        CLUSTER_BINDING,
        binding(user("ci")),
        binding(user("ci"), role_="cluster-admin", kind="ClusterRole"),
        """
WARNING kubernetes-role-changed
everybody in the binding prod-runner gets the role cluster-admin instead of prod-runner in the whole cluster
roleRef.name: "prod-runner" -> "cluster-admin"
DANGER kubernetes-cluster-admin
user ci may do everything in the whole cluster
subjects: ["user ci"] -> ["user ci"]
""",
    ),
    "a token": (
        ACCOUNT,
        {"metadata": META, "automountServiceAccountToken": False},
        {"metadata": META},
        """
WARNING kubernetes-token-mounted
pods of the service account prod-runner get its token unless they say otherwise
automountServiceAccountToken: false -> "true, Kubernetes' default"
""",
    ),
    "a new account that says nothing": (ACCOUNT, None, {"metadata": META}, ""),
    "a new account without a token": (ACCOUNT, None, {"metadata": META, "automountServiceAccountToken": False}, ""),
    "a token that is not known yet": (
        ACCOUNT,
        {"metadata": META, "automountServiceAccountToken": False},
        {"metadata": META, "automountServiceAccountToken": UNKNOWN},
        "",
    ),
    "a token in a pod": (
        JOB,
        {"metadata": META, "spec": {"template": {"spec": {"automountServiceAccountToken": False}}}},
        {"metadata": META, "spec": {"template": {"spec": {"automountServiceAccountToken": True}}}},
        """
WARNING kubernetes-token-mounted
pods of prod-runner get the token of a service account, for calls to the cluster's API
spec.template.spec.automountServiceAccountToken: false -> true
""",
    ),
    "rules that are hidden": (ROLE, role(GET_JOBS), {"metadata": META, "rules": SECRET}, ""),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_found(case: str) -> None:
    type_, old, new, expected = CASES[case]
    assert told(found(rbac.STEP_CHECKS, step(type_, old, new))) == expected.lstrip()


def test_options_are_told_by_whose_rights_they_are() -> None:
    for name, options in {
        "prod-submitter": ("submitters",),
        "prod-previewer": ("previewers",),
        "prod-runner": ("service_account_name",),
        "mine": ("submitters", "previewers", "service_account_name"),
    }.items():
        (finding,) = found(rbac.STEP_CHECKS, step(BINDING, None, binding(user("a")), name=name))
        assert finding.options == options


@pytest.mark.parametrize(
    ("type_", "old", "new"),
    [
        (ROLE, role(GET_JOBS), role(rule("* */scale", "get *", "apps", "one"), {"nonResourceURLs": ["/healthz/*"]})),
        (BINDING, binding(account("a")), binding(user("b"), role_="cluster-admin")),
        (ACCOUNT, CASES["a token"][1], CASES["a token"][2]),
        (JOB, CASES["a token in a pod"][1], CASES["a token in a pod"][2]),
    ],
)
def test_shapes_that_nobody_expects(type_: str, old: Any, new: Any) -> None:
    check_survives(rbac.STEP_CHECKS, type_, old, new)
