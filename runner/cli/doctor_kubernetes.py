"""What `penstock doctor` checks of an environment on Kubernetes: with reads only, so that it leaves nothing behind."""

from collections.abc import Iterator
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


def checks(environment: Environment, reach: Reach) -> Iterator[Check]:
    """Whether the cluster answers, lets this client run flows, has this very environment, and has room."""
    section = environment.on_kubernetes
    assert section is not None  # noqa: S101 asked for environments on Kubernetes only
    what, namespace = f"environment {environment.name}", section.namespace
    try:
        cluster = client(reach, budget_seconds=BUDGET_SECONDS)
        version = cluster.get("/version")["gitVersion"]
        yield Check(Level.OK, "cluster", f"{cluster.access.label}, Kubernetes {version}")
        yield _rights(cluster, namespace)
        yield _document(what, environment, reach, namespace)
        yield from _quotas(cluster, namespace)
    except PenstockError as error:
        yield Check(Level.FAIL, what, str(error))


def _rights(cluster: Client, namespace: str) -> Check:
    group = "authorization.k8s.io/v1"
    review = {"apiVersion": group, "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}}
    answer = cluster.create(path(group, "selfsubjectrulesreviews"), review)
    rules = answer["status"]["resourceRules"]
    missing = [
        f"{verb} {resource}"
        for (group, resource), verbs in NEEDED.items()
        for verb in verbs
        if not any(_allows(rule, group, resource, verb) for rule in rules)
    ]
    if not missing:
        return Check(Level.OK, "rights", f"this account may run flows in namespace {namespace}")
    step = "Have its account bound to the environment's submitter role (submitters of the stack)."
    return Check(Level.FAIL, "rights", f"this account may not {', '.join(missing)} in {namespace}", step)


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
