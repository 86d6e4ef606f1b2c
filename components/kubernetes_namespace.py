"""A Kubernetes namespace that is closed until something is opened: a building block for environments.

Creates, as asked: Namespace with Pod Security labels, ResourceQuota, LimitRange, and a NetworkPolicy under which no pod
reaches anything or is reached.
"""

from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s

from components.document import PACKAGE
from components.given import Given
from components.kubernetes_arguments import ContainerLimitOptions, QuotaOptions
from components.labels import legal
from components.namespace import PodSecurity, check_namespace, pod_security_labels
from components.naming import child_name
from components.network_policy import deny_all
from components.quota import hard_limits, limit_range


class KubernetesNamespaceArgs(TypedDict):
    """Arguments of a KubernetesNamespace."""

    namespace: NotRequired[str]
    """Its name: at most 63 lower-case letters, digits and inner hyphens. Default: the component's own name."""
    create: NotRequired[bool]
    """Whether it is created; false for one that exists already. Default: yes."""
    pod_security: NotRequired[PodSecurity]
    """Pod Security level of a namespace that is created. Default: restricted."""
    labels: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Labels of everything that is created. Default: none."""
    quota: NotRequired[pulumi.Input[QuotaOptions]]
    """What its pods may ask for together. Default: no limit."""
    container_limits: NotRequired[pulumi.Input[ContainerLimitOptions]]
    """Sizes of its containers. Default: none."""
    default_deny: NotRequired[bool]
    """Whether all traffic is denied that no NetworkPolicy allows. Default: yes where it is created."""
    prefix: NotRequired[str]
    """Beginning of the names of what is created inside it. Default: its own name."""


class KubernetesNamespace(pulumi.ComponentResource):
    """A namespace with limits and without traffic."""

    namespace: pulumi.Output[str]
    """Its name."""

    def __init__(self, name: str, args: KubernetesNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = Given(name, args, KubernetesNamespaceArgs)
        namespace = given.plain("namespace", name)
        create = given.plain("create", True)
        prefix = given.plain("prefix", namespace)
        default_deny = given.plain("default_deny", create)
        given.derive(check_namespace, "namespace", "create", "pod_security", name=name)
        labels = given.derive(legal, "labels")
        level = given.derive(pod_security_labels, "pod_security")
        quota = given.derive(hard_limits, "quota")
        limits = given.derive(limit_range, "container_limits")
        super().__init__(f"{PACKAGE}:index:KubernetesNamespace", name, given.inputs, opts)

        child = pulumi.ResourceOptions(parent=self)
        if create:
            both = pulumi.Output.from_input(labels).apply(lambda known: {**known, **level})
            own = k8s.core.v1.Namespace(name, metadata={"name": namespace, "labels": both}, opts=child)
            child = pulumi.ResourceOptions(parent=self, depends_on=[own])

        def metadata(role: str) -> Any:
            return {"name": child_name(prefix, role), "namespace": namespace, "labels": labels}

        if quota is not None:
            k8s.core.v1.ResourceQuota(f"{name}-quota", metadata=metadata("quota"), spec={"hard": quota}, opts=child)
        if limits is not None:
            k8s.core.v1.LimitRange(f"{name}-limits", metadata=metadata("limits"), spec={"limits": limits}, opts=child)
        if default_deny:
            closed: Any = deny_all()
            k8s.networking.v1.NetworkPolicy(f"{name}-deny", metadata=metadata("deny"), spec=closed, opts=child)
        self.namespace = pulumi.Output.from_input(namespace)
        self.register_outputs({"namespace": self.namespace})
