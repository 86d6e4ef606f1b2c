"""Stacks of environments on a real cluster, and what the API server tells about them.

It is asked with the official client, which Penstock itself does not use.
"""

import json
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

from components.rbac import Rule
from runner.contract import to_bytes
from runner.environment import Environment, read
from tests.testbed.pulumi_engine import Engine, Finished

EXAMPLE = "Pulumi.kubernetes-job.yaml"
ENVIRONMENT = "flights"
QUOTA_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack with a namespace of its own."""

    engine: Engine
    name: str
    namespace: str

    @property
    def file(self) -> Path:
        """Its configuration."""
        return self.engine.project / "stacks" / f"Pulumi.{self.name}.yaml"

    def run(self, command: str, *arguments: str) -> Finished:
        """One command of the CLI about it, whatever its exit code."""
        return self.engine.run(command, "--stack", self.name, *arguments)

    def do(self, command: str, *arguments: str) -> str:
        """One command of the CLI about it that must succeed."""
        return self.engine.do(command, "--stack", self.name, *arguments)

    def set(self, path: str, value: str, *options: str) -> None:
        """Change its configuration."""
        self.engine.do("config", "set", "--stack", self.name, "--path", path, value, *options)

    def up(self) -> None:
        """Provision it."""
        self.do("up", "--yes", "--skip-preview")

    def destroy(self) -> None:
        """Remove all of it, itself included."""
        self.do("destroy", "--yes", "--skip-preview", "--remove")

    def environment(self) -> tuple[Environment, bytes]:
        """Its output, as the runner reads it, and the canonical bytes of that."""
        text = self.engine.do("stack", "output", "environment", "--json", "--stack", self.name)
        return read(text, warn=pytest.fail), to_bytes(json.loads(text))


@contextmanager
def stack_from_example(
    engine: Engine, namespace: str = "", *, example: str = EXAMPLE, **changes: str
) -> Iterator[Stack]:
    """An example stack, with a namespace of its own; leaves neither behind, whatever happens."""
    name = f"s{secrets.token_hex(4)}"
    stack = Stack(engine=engine, name=name, namespace=namespace or f"stack-{name}")
    shutil.copy(stack.file.with_name(example), stack.file)
    engine.do("stack", "init", name)
    try:
        stack.set("environment_name", ENVIRONMENT)
        stack.set("namespace", stack.namespace)
        for path, value in changes.items():
            stack.set(path, value)
        yield stack
    finally:
        if f"{name}.json" in engine.stacks:
            stack.destroy()


KINDS = {
    "ServiceAccount": (client.CoreV1Api, "service_account"),
    "ConfigMap": (client.CoreV1Api, "config_map"),
    "Secret": (client.CoreV1Api, "secret"),
    "ResourceQuota": (client.CoreV1Api, "resource_quota"),
    "LimitRange": (client.CoreV1Api, "limit_range"),
    "Role": (client.RbacAuthorizationV1Api, "role"),
    "RoleBinding": (client.RbacAuthorizationV1Api, "role_binding"),
    "NetworkPolicy": (client.NetworkingV1Api, "network_policy"),
}


def ask(api: client.ApiClient, verb: str, kind: str, *arguments: Any, **options: Any) -> Any:
    """One request about a kind of object in a namespace; the answer as JSON has it."""
    group, name = KINDS[kind]
    return api.sanitize_for_serialization(getattr(group(api), f"{verb}_namespaced_{name}")(*arguments, **options))


def objects(api: client.ApiClient, namespace: str) -> dict[str, Any]:
    """What Penstock has in a namespace, by kind and name, as the API server tells it."""
    return {
        f"{kind}/{item['metadata']['name']}": item
        for kind in KINDS
        for item in ask(api, "list", kind, namespace, label_selector="app.kubernetes.io/managed-by=pulumi")["items"]
    }


def await_nothing_counted(api: client.ApiClient, namespace: str, quota: str) -> None:
    """Wait until a quota counts no pod: Kubernetes counts those that are gone or have ended a while later."""
    watcher = watch.Watch()
    calls = client.CoreV1Api(api).list_namespaced_resource_quota
    for event in watcher.stream(
        calls, namespace, field_selector=f"metadata.name={quota}", timeout_seconds=QUOTA_SECONDS
    ):
        used = (event["object"].status.used or {}).get("pods")
        if used == "0":
            watcher.stop()
            return
    raise AssertionError(f"{quota} still counts {used} pods after {QUOTA_SECONDS} s")


def namespaces(api: client.ApiClient) -> set[str]:
    return {item.metadata.name for item in client.CoreV1Api(api).list_namespace().items}


@dataclass(frozen=True, kw_only=True)
class Account:
    """Access to the cluster as a service account."""

    api: client.ApiClient
    kubeconfig: Path


@contextmanager
def account(stack: Stack, api: client.ApiClient, name: str, folder: Path) -> Iterator[Account]:
    """Access as an environment's own service account, by a token that is asked for."""
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=3600))
    answer = client.CoreV1Api(api).create_namespaced_service_account_token(name, stack.namespace, request)
    access = json.loads(Path(stack.engine.env["KUBECONFIG"]).read_text())
    for user in access["users"]:
        user["user"] = {"token": answer.status.token}
    path = folder / f"{name}.json"
    path.write_text(json.dumps(access))
    with config.new_client_from_config(str(path)) as own:
        yield Account(api=own, kubeconfig=path)


def rights(api: client.ApiClient, namespace: str) -> set[tuple[str, str, str, str]]:
    """What the account may do in a namespace: group, resource, verb and name, without what every account may."""
    group = "authorization.k8s.io"
    review = client.V1SelfSubjectRulesReview(spec=client.V1SelfSubjectRulesReviewSpec(namespace=namespace))
    answer = client.AuthorizationV1Api(api).create_self_subject_rules_review(review)
    return {
        (api_group, resource, verb, name)
        for rule in answer.status.resource_rules
        for api_group in rule.api_groups or ()
        for resource in rule.resources or ()
        for verb in rule.verbs
        for name in rule.resource_names or ("",)
        if api_group != group and not resource.startswith("selfsubject")
    }


def rights_of(rules: Iterable[Rule]) -> set[tuple[str, str, str, str]]:
    """The same, of the rules of a role."""
    return {
        (rule.group, resource, verb, name)
        for rule in rules
        for resource in rule.resources
        for verb in rule.verbs
        for name in rule.names or ("",)
    }


def as_account(stack: Stack, own: Account) -> Stack:
    """The stack, for somebody with that access only."""
    return replace(stack, engine=replace(stack.engine, env={**stack.engine.env, "KUBECONFIG": str(own.kubeconfig)}))


def refusal(api: client.ApiClient, verb: str, kind: str, item: dict[str, Any]) -> int:
    """The status with which the API server refuses to change an object."""
    name, namespace = item["metadata"]["name"], item["metadata"]["namespace"]
    body = {**item, "metadata": {"name": name, "labels": {"changed": "yes"}}}
    arguments = {"create": (namespace, body), "delete": (name, namespace)}.get(verb, (name, namespace, body))
    with pytest.raises(ApiException) as refused:
        ask(api, verb, kind, *arguments)
    return int(refused.value.status)


def pod_of(template: Mapping[str, Any], image: str, name: str = "tried", **spec: Any) -> dict[str, Any]:
    """The pod of a template, with what the launcher or the run adds for it to be one.

    Args:
        template: a mapping with `metadata` and `spec`.
        image: the image of containers that name none.
        name: the pod's name.
        spec: what else its spec says.
    """
    pod: dict[str, Any] = json.loads(json.dumps({**template, "apiVersion": "v1", "kind": "Pod"}))
    pod["metadata"]["name"] = name
    pod["spec"].update(spec)
    for container in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())):
        container.setdefault("image", image)
        container.setdefault("resources", {"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"memory": "8Mi"}})
    return pod


def assert_only_without_privileges(api: client.ApiClient, namespace: str, pod: dict[str, Any]) -> None:
    """The namespace takes a pod, and refuses the same with more privileges in any container."""
    core = client.CoreV1Api(api)
    core.create_namespaced_pod(namespace, pod, dry_run="All")
    containers = [(key, i) for key in ("containers", "initContainers") for i in range(len(pod["spec"].get(key, ())))]
    for key, i in containers:
        for change in (
            {"allowPrivilegeEscalation": True},
            {"runAsNonRoot": False},
            {"capabilities": {"add": ["SYS_ADMIN"]}},
        ):
            worse = json.loads(json.dumps(pod))
            worse["spec"][key][i]["securityContext"].update(change)
            with pytest.raises(ApiException) as refused:
                core.create_namespaced_pod(namespace, worse, dry_run="All")
            assert refused.value.status == 403
            assert 'violates PodSecurity "restricted:latest"' in json.loads(refused.value.body)["message"]
