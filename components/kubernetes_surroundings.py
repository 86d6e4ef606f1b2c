"""The objects around runs on Kubernetes, whichever environment they are of.

A namespace, rights, what may be reached, the registries' login, the document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components import rbac, registry
from components.kubernetes_namespace import KubernetesNamespace
from components.kubernetes_runs import Runs
from components.labels import environment_labels
from components.namespace import check_namespace
from components.naming import child_name
from components.quota import hard_limits, limit_range
from runner.contract import to_bytes

DOCUMENT_KEY = "environment.json"
"""Key of the ConfigMap that holds the document."""

PARTS = ("namespace", "runner", "submitter", "previewer", "run", "worker", "registry", "environment")
"""What environments consist of: the label `app.kubernetes.io/component`, and the end of most names."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """Rights in the namespace, and who has them."""

    rules: Sequence[rbac.Rule]
    subjects: Any
    """The field `subjects` of a RoleBinding."""


class Surroundings:
    """The objects around runs. Whatever can be refused is refused before the component is registered.

    Args:
        runs: what they are around.
        document: the environment document.
        policies: `spec` of the NetworkPolicies, by the part of the environment that each is about.
        submitter: rights of who starts runs.
        runner: rights of the runs themselves; none unless given.
        quota: the namespace's `QuotaOptions`; None without one.

    Raises:
        ArgumentError: what is known of the arguments is wrong.
    """

    def __init__(
        self,
        runs: Runs,
        *,
        document: pulumi.Output[dict[str, Any]],
        policies: Mapping[str, Any],
        submitter: Sequence[rbac.Rule],
        runner: Sequence[rbac.Rule] = (),
        quota: Any = None,
    ) -> None:
        draft = runs.draft
        self._runs = runs
        self._create = draft.plain("create_namespace", True)
        self._network_policies = draft.plain("network_policies", True)
        self._policies = policies if self._network_policies else {}
        self._document = document
        self._quota = quota
        draft.derive(check_namespace, "namespace", "pod_security", name=runs.environment, create=self._create)
        draft.check(hard_limits, "quota")
        draft.check(limit_range, "container_limits")
        self._login = draft.derive(registry.docker_config, "registry_credentials")
        self._metadata: dict[str, Any] = {part: self._metadata_of(part) for part in PARTS}
        rules = {"submitter": submitter, "previewer": rbac.previewer(runs.namespace if self._create else None)}
        self._roles = {
            part: Role(
                rules=listed,
                subjects=draft.derive(partial(rbac.subjects, self.name(part), runs.namespace), f"{part}s"),
            )
            for part, listed in rules.items()
        }
        if runner:
            account = draft.derive(_account, job=runs.job)
            self._roles["runner"] = Role(
                rules=runner, subjects=draft.derive(partial(rbac.subjects, namespace=runs.namespace), account=account)
            )

    def name(self, part: str) -> str:
        """Name of the objects of a part of the environment."""
        return str(self._metadata[part]["name"])

    def create(self, component: pulumi.ComponentResource, name: str) -> None:
        """Creates all of it, below the component."""
        around = self._namespace(component, name)
        child = pulumi.ResourceOptions(parent=component, depends_on=[around])
        draft, metadata = self._runs.draft, self._metadata
        if not draft.has("service_account_name"):
            k8s.core.v1.ServiceAccount(
                f"{name}-runner", metadata=metadata["runner"], automount_service_account_token=False, opts=child
            )
        for part in ("submitter", "previewer"):
            k8s.core.v1.ServiceAccount(f"{name}-{part}", metadata=metadata[part], opts=child)
        for part, role in self._roles.items():
            _grant(f"{name}-{part}", metadata[part], role, child)
        for part, spec in self._policies.items():
            k8s.networking.v1.NetworkPolicy(f"{name}-{part}", metadata=metadata[part], spec=spec, opts=child)
        if self._login is not None:
            data = {registry.KEY: self._login}
            k8s.core.v1.Secret(
                f"{name}-registry", metadata=metadata["registry"], type=registry.TYPE, data=data, opts=child
            )
        text = self._document.apply(lambda known: to_bytes(known).decode())
        k8s.core.v1.ConfigMap(
            f"{name}-environment", metadata=metadata["environment"], data={DOCUMENT_KEY: text}, opts=child
        )

    def outputs(self) -> dict[str, pulumi.Output[Any]]:
        """The component's outputs."""
        return {
            "environment": self._document,
            "namespace": pulumi.Output.from_input(self._runs.namespace),
            "submitterServiceAccount": pulumi.Output.from_input(self.name("submitter")),
            "previewerServiceAccount": pulumi.Output.from_input(self.name("previewer")),
        }

    def _namespace(self, component: pulumi.ComponentResource, name: str) -> KubernetesNamespace:
        args: Any = {
            "namespace": self._runs.namespace,
            "create": self._create,
            "labels": self._metadata["namespace"]["labels"],
            "default_deny": self._create and self._network_policies,
            "prefix": self._runs.environment,
            **self._runs.draft.part("pod_security", "container_limits"),
            **({} if self._quota is None else {"quota": self._quota}),
        }
        return KubernetesNamespace(f"{name}-namespace", args, pulumi.ResourceOptions(parent=component))

    def _metadata_of(self, part: str) -> dict[str, Any]:
        environment = self._runs.environment
        return {
            "name": child_name(environment, part),
            "namespace": self._runs.namespace,
            "labels": self._runs.draft.derive(partial(environment_labels, environment, part), "labels"),
        }


def _account(job: Mapping[str, Any]) -> str:
    """Service account of the runs, whoever has named it."""
    return str(job["spec"]["template"]["spec"]["serviceAccountName"])


def _grant(name: str, metadata: Any, role: Role, opts: pulumi.ResourceOptions) -> None:
    """A role, and the binding of whoever has it."""
    reference: Any = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": metadata["name"]}
    rules: Any = rbac.policy_rules(role.rules)
    made = k8s.rbac.v1.Role(name, metadata=metadata, rules=rules, opts=opts)
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[made]))
    k8s.rbac.v1.RoleBinding(name, metadata=metadata, role_ref=reference, subjects=role.subjects, opts=after)
