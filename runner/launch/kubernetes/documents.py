"""Finds environment documents in a cluster, where `pulumi up` puts them for clients without Pulumi."""

from runner.errors import UnavailableError, UsageError
from runner.kubernetes import names
from runner.kubernetes.client import path
from runner.kubernetes.config import load
from runner.kubernetes.errors import ConfigError
from runner.launch.base import Reach
from runner.launch.kubernetes.connect import client

SELECTOR = "app.kubernetes.io/component=environment"


def document(reach: Reach, namespace: str, name: str | None) -> bytes:
    """The environment document in a namespace.

    Args:
        reach: the cluster.
        namespace: the namespace.
        name: the environment; null for the only one.

    Raises:
        UsageError: there are several, and none is named.
        UnavailableError: there is none.
    """
    selector = SELECTOR if name is None else f"{SELECTOR},{names.ENVIRONMENT}={name}"
    found = client(reach).get(path("v1", "configmaps", namespace=namespace), labelSelector=selector)["items"]
    if not found:
        what = "environment" if name is None else f"environment {name!r}"
        raise UnavailableError(
            f"There is no {what} in namespace {namespace!r} of that cluster. "
            "Provision it with `pulumi up`, or name another --namespace or --context."
        )
    if len(found) > 1:
        there = ", ".join(sorted(item["metadata"]["labels"][names.ENVIRONMENT] for item in found))
        raise UsageError(f"There are several environments in namespace {namespace!r}: {there}. Choose one with --name.")
    text: str = found[0]["data"][names.ENVIRONMENT_KEY]
    return text.encode()


def current_context(kubeconfig: str | None) -> str | None:
    """Name of the context that is current; null in a pod, or where nothing is configured."""
    try:
        return load(kubeconfig=kubeconfig).context
    except ConfigError:
        return None
