"""Environments with Dask workers as pods, on a real cluster: with the roles and templates of the component."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from components import rbac
from components.dask_job import with_cleanup
from components.job_template import job_template
from components.worker_template import worker_template
from runner.environment import Environment, Executor, ExecutorType, Timeouts
from runner.kubernetes import names
from runner.kubernetes.client import Client, path
from runner.sections import DaskKubernetes, Kind, Resources
from tests.testbed.kubernetes_cluster import await_pods, namespace

IMAGE = "penstock.local/flights:test"
ACCOUNT = "dask-runner"
RBAC = "rbac.authorization.k8s.io/v1"


@contextlib.contextmanager
def dask_namespace(client: Client, *, level: str = "restricted") -> Iterator[str]:
    """A namespace in which an account may do what runs with workers need, and nothing else."""
    with namespace(client, level=level) as name:
        rules = rbac.policy_rules(rbac.DASK_RUNNER)
        role = {"apiVersion": RBAC, "kind": "Role", "metadata": {"name": ACCOUNT}, "rules": rules}
        binding = {
            "apiVersion": RBAC,
            "kind": "RoleBinding",
            "metadata": {"name": ACCOUNT},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": name}],
        }
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT}}
        client.create(path("v1", "serviceaccounts", namespace=name), account)
        client.create(path(RBAC, "roles", namespace=name), role)
        client.create(path(RBAC, "rolebindings", namespace=name), binding)
        yield name


def dask_environment(
    namespace: str,
    workers: int | tuple[int, int] = 2,
    *,
    worker: Mapping[str, Any] | None = None,
    job: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Environment:
    """An environment in such a namespace, with the very Job and pod that the component makes.

    Args:
        namespace: the namespace.
        workers: how many there are, or the fewest and the most.
        worker: arguments of `worker_template`.
        job: arguments of `job_template`.
        changes: other parts of the document, or of its section.
    """
    fewest, most = workers if isinstance(workers, tuple) else (workers, workers)
    size: dict[str, Any] = {"cpu_millicores": 50, "memory_mib": 256}
    made = job_template("dask", namespace, service_account=ACCOUNT, token=True, **(job or {}))
    section: dict[str, Any] = {
        "namespace": namespace,
        "job": with_cleanup(made),
        "worker": worker_template("dask", namespace, service_account=ACCOUNT, defaults=size, **(worker or {})),
        "worker_resources": Resources(**size),
        "min_workers": fewest,
        "max_workers": most,
    }
    parts: dict[str, Any] = {
        "kind": Kind.DASK_KUBERNETES,
        "name": "dask",
        "image": IMAGE,
        "resources": Resources(cpu_millicores=50, memory_mib=512),
        "timeouts": Timeouts(start_seconds=60, grace_seconds=10),
        "executor": Executor(type=ExecutorType.DASK, performance_report=False),
    }
    for name, value in changes.items():
        (section if name in DaskKubernetes.__dataclass_fields__ else parts)[name] = value
    return Environment(**parts, dask_kubernetes=DaskKubernetes(**section))


def left_of(client: Client, namespace: str, kind: str) -> list[dict[str, Any]]:
    """Pods of workers, or Secrets, that there are."""
    found: list[dict[str, Any]] = client.get(path("v1", kind, namespace=namespace))["items"]
    return [item for item in found if kind == "secrets" or names.WORKER in item["metadata"]["labels"]]


def await_nothing_left(client: Client, namespace: str, seconds: float) -> None:
    """Wait until there is neither a worker nor a Secret."""
    await_pods(client, namespace, lambda pods: not pods, seconds=seconds, selector=names.WORKER)
    assert left_of(client, namespace, "secrets") == []
