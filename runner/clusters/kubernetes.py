"""Opens the Dask cluster of a run on Kubernetes, and leaves nothing of it behind.

The pods of the workers are asked for before anything else is done: they start while this process imports Dask.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from runner import contract
from runner.attempt import KUBERNETES_LOGGER, Attempt
from runner.clusters import tls
from runner.clusters.closing import quietly
from runner.clusters.garbage import fewer_collections
from runner.clusters.pods import WorkerPods
from runner.clusters.versions import own_versions
from runner.clusters.worker_pod import Owner, Template
from runner.environment import Executor
from runner.errors import PenstockError, UnavailableError
from runner.kubernetes import names
from runner.kubernetes.client import Client
from runner.kubernetes.config import load
from runner.request import WorkerCount
from runner.sections import SCHEDULER_PORT, DaskKubernetes

if TYPE_CHECKING:
    from distributed import Client as DaskClient

DEATH_SECONDS = 60
"""How long a worker looks for its scheduler before it ends; Dask's `--death-timeout`."""
API_SECONDS = 30.0
"""How long a call to the cluster is tried again."""


@contextmanager
def kubernetes_cluster(
    attempt: Attempt, executor: Executor, workers: WorkerCount, abort: Callable[[PenstockError], object]
) -> "Iterator[DaskClient]":
    """Open a cluster of pods and connect to it. On leaving, its pods and its Secret are deleted.

    Args:
        attempt: the attempt, of an environment of kind `dask-kubernetes`.
        executor: the executor in force.
        workers: how many workers there are to be.
        abort: ends the flow from another thread.

    Raises:
        UnavailableError: this is no pod of such an environment, the cluster does not allow what is needed, or no worker
            can be had.
    """
    section = attempt.environment.dask_kubernetes
    assert section is not None  # noqa: S101 asked for such an environment only
    if find_spec("cryptography") is None:
        raise UnavailableError(
            "The run's keys are made with cryptography, which is not installed. "
            "Run `pip install 'penstock[dask]'` in the image."
        )
    with contextlib.ExitStack() as stack:
        pod, uid, host = _own_pod()
        client = stack.enter_context(Client(load(), budget_seconds=API_SECONDS))
        keys = tls.make()
        pods = WorkerPods(
            client,
            _template(attempt, section, pod, uid),
            keys=keys,
            told=_told(attempt, section, host),
            log=logging.getLogger(KUBERNETES_LOGGER).debug,
        )
        stack.callback(pods.close)
        pods.start()
        for number in range(workers.min_workers):
            pods.request(number)

        import dask
        from distributed import Client as DaskClient

        from runner.clusters.code import send_code
        from runner.clusters.pod_cluster import KubernetesCluster
        from runner.clusters.worker_log import WorkerLog

        routes: dict[str, object] = {} if executor.dashboard else {"distributed.scheduler.http.routes": []}
        stealing = {"distributed.scheduler.work-stealing": section.work_stealing}
        stack.enter_context(dask.config.set({**routes, **stealing}))
        stack.enter_context(fewer_collections())
        log = WorkerLog(attempt.artifacts)
        stack.callback(log.close)
        try:
            cluster = KubernetesCluster(
                pods,
                security=tls.security(keys),
                host=host,
                minimum=workers.min_workers,
                maximum=workers.max_workers,
                dashboard=executor.dashboard,
                log=log,
            )
        except (OSError, RuntimeError, TimeoutError) as error:
            raise UnavailableError(
                f"The Dask scheduler could not be started ({error}). "
                f"See that nothing else in the run's pod uses port {SCHEDULER_PORT}."
            ) from None
        stack.callback(quietly, cluster.close)
        dask_client = stack.enter_context(DaskClient(cluster))
        send_code(dask_client, attempt)
        cluster.await_workers(attempt.environment.timeouts.start_seconds)
        cluster.watch(abort)
        try:
            yield dask_client
        finally:
            cluster.on_hopeless = None


def _own_pod() -> tuple[str, str, str]:
    """Name, uid and address of the pod that this is in."""
    try:
        name, uid, address = (os.environ[f"PENSTOCK_POD_{what}"] for what in ("NAME", "UID", "IP"))
    except KeyError as missing:
        raise UnavailableError(
            f"The variable {missing} is not set, which the Job of a dask-kubernetes environment sets. "
            "Start runs with `penstock run`, in an environment that `pulumi up` has provisioned."
        ) from None
    return name, uid, address


def _template(attempt: Attempt, section: DaskKubernetes, pod: str, uid: str) -> Template:
    """What all workers have in common."""
    request, environment = attempt.request, attempt.environment
    labels = {
        names.RUN_ID: request.run_id,
        names.ATTEMPT: str(request.attempt),
        names.ENVIRONMENT: environment.name,
    }
    variables = {
        **environment.env,
        "PENSTOCK_RUN_ID": request.run_id,
        "PENSTOCK_ATTEMPT": str(request.attempt),
        "PENSTOCK_ENVIRONMENT": environment.name,
    }
    return Template(
        owner=Owner(namespace=section.namespace, pod=pod, uid=uid, labels=labels),
        pod=section.worker,
        image=request.image or environment.image or "",
        env=variables,
        secrets=[{"env": item.env, "id": item.id, "key": item.key or ""} for item in environment.secrets],
    )


def _told(attempt: Attempt, section: DaskKubernetes, host: str) -> dict[str, object]:
    """What every worker is told."""
    return {
        "scheduler": f"tls://{f'[{host}]' if ':' in host else host}:{SCHEDULER_PORT}",
        "threads": section.worker_threads,
        "death_seconds": DEATH_SECONDS,
        "versions": own_versions(),
        "log": contract.encode(attempt.log),
    }
