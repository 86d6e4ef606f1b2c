"""What is legal for a namespace, and the labels by which Kubernetes enforces the Pod Security Standards in it."""

import re
from enum import StrEnum

from runner.contract import broken_rule, describe
from runner.sections import NAME, NAME_MEANING


class PodSecurity(StrEnum):
    """Levels of the Pod Security Standards: what pods of a namespace may do."""

    RESTRICTED = "restricted"
    """Hardened: no root, no privileges, no access to the node."""
    BASELINE = "baseline"
    """Root inside the container is allowed; access to the node is not."""
    PRIVILEGED = "privileged"
    """Everything is allowed."""


CLUSTERS_OWN = r"default|kube-.*"
"""Namespaces that exist in every cluster, or belong to Kubernetes itself."""


def check_namespace(
    *, name: str, namespace: str | None = None, create: bool = True, pod_security: str | None = None
) -> None:
    """Refuse what cannot be.

    Args:
        name: the component's name, and the namespace's unless `namespace` is given.
        namespace: the namespace's name.
        create: whether it is created.
        pod_security: its level.

    Raises:
        ContractError: the name is not legal or not free, or a level is given for a namespace that exists.
    """
    wanted = namespace or name
    if not re.fullmatch(NAME, wanted):
        raise broken_rule("namespace", describe(wanted), NAME_MEANING)
    if create and re.fullmatch(CLUSTERS_OWN, wanted):
        raise broken_rule("namespace", describe(wanted), "another name: every cluster has this namespace already")
    if not create and pod_security:
        expected = "none: the level of a namespace that exists is its owner's to set"
        raise broken_rule("pod_security", "given for a namespace that is not created", expected)


def pod_security_labels(pod_security: str = PodSecurity.RESTRICTED) -> dict[str, str]:
    """Labels for a level: pods beyond it are refused, and warned of and recorded where a template would make them."""
    return {f"pod-security.kubernetes.io/{mode}": str(pod_security) for mode in ("enforce", "audit", "warn")}
