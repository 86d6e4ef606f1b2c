"""What `penstock doctor` checks of an environment on Kubernetes: with reads only, so that it leaves nothing behind."""

from collections.abc import Iterator, Mapping
from typing import Any

from runner import contract
from runner.cli.check import Check, Level
from runner.environment import Environment
from runner.errors import PenstockError
from runner.kubernetes.client import Client, path
from runner.launch.base import Reach
from runner.launch.kubernetes import documents
from runner.launch.kubernetes.connect import client

BUDGET_SECONDS = 3.0
NEEDED = {
    ("batch", "jobs"): ("create", "get", "list", "watch", "patch", "delete"),
    ("", "pods"): ("list", "watch", "patch"),
    ("", "pods/log"): ("get",),
    ("", "events"): ("list", "watch"),
    ("", "configmaps"): ("create", "get", "list", "patch"),
}
"""Rights that a client uses, by API group and resource."""
FOR_DASHBOARD = {("", "pods/portforward"): ("create", "get")}
"""Rights for `--dashboard`, without which runs are as good."""


def checks(environment: Environment, reach: Reach) -> Iterator[Check]:
    """Whether the cluster answers, lets this client run flows, has this very environment, and has room."""
    section = environment.on_kubernetes
    assert section is not None  # noqa: S101 asked for environments on Kubernetes only
    what, namespace = f"environment {environment.name}", section.namespace
    try:
        cluster = client(reach, budget_seconds=BUDGET_SECONDS)
        version = cluster.get("/version")["gitVersion"]
        yield Check(Level.OK, "cluster", f"{cluster.access.label}, Kubernetes {version}")
        rules = _rules(cluster, namespace)
        yield _rights(rules, namespace)
        if environment.dask_kubernetes is not None:
            yield from _dashboard(rules, namespace)
        yield _document(what, environment, reach, namespace)
        yield from _quotas(cluster, namespace)
    except PenstockError as error:
        yield Check(Level.FAIL, what, str(error))


def _rules(cluster: Client, namespace: str) -> list[dict[str, Any]]:
    """What this account may do in the namespace."""
    group = "authorization.k8s.io/v1"
    review = {"apiVersion": group, "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}}
    answer = cluster.create(path(group, "selfsubjectrulesreviews"), review)
    rules: list[dict[str, Any]] = answer["status"]["resourceRules"]
    return rules


def _rights(rules: list[dict[str, Any]], namespace: str) -> Check:
    missing = _missing(rules, NEEDED)
    if not missing:
        return Check(Level.OK, "rights", f"this account may run flows in namespace {namespace}")
    step = "Have its account bound to the environment's submitter role (submitters of the stack)."
    return Check(Level.FAIL, "rights", f"this account may not {', '.join(missing)} in {namespace}", step)


def _dashboard(rules: list[dict[str, Any]], namespace: str) -> Iterator[Check]:
    if missing := _missing(rules, FOR_DASHBOARD):
        found = f"this account may not {', '.join(missing)} in {namespace}, so --dashboard cannot be used"
        step = "Have its account bound to the environment's submitter role; runs need it not."
        yield Check(Level.NOTE, "dashboard", found, step)


def _missing(rules: list[dict[str, Any]], wanted: Mapping[tuple[str, str], tuple[str, ...]]) -> list[str]:
    return [
        f"{verb} {resource}"
        for (group, resource), verbs in wanted.items()
        for verb in verbs
        if not any(_allows(rule, group, resource, verb) for rule in rules)
    ]


def _allows(rule: dict[str, Any], group: str, resource: str, verb: str) -> bool:
    return all(
        wanted in rule.get(key, []) or "*" in rule.get(key, [])
        for key, wanted in (("apiGroups", group), ("resources", resource), ("verbs", verb))
    )


def _document(what: str, environment: Environment, reach: Reach, namespace: str) -> Check:
    there = documents.document(reach, namespace, environment.name)
    if there == contract.to_bytes(environment):
        return Check(Level.OK, what, f"the document is that of namespace {namespace}")
    step = f"Renew it with `penstock env pull --namespace {namespace} --name {environment.name}`."
    return Check(Level.NOTE, what, f"the document in namespace {namespace} is another by now", step)


def _quotas(cluster: Client, namespace: str) -> Iterator[Check]:
    for quota in cluster.get(path("v1", "resourcequotas", namespace=namespace))["items"]:
        status = quota.get("status", {})
        used, hard = status.get("used", {}), status.get("hard", {})
        found = ", ".join(f"{name} {used.get(name, 0)}/{limit}" for name, limit in sorted(hard.items()))
        yield Check(Level.OK, f"quota {quota['metadata']['name']}", found)
