"""Opens the Dask cluster of a run on ECS, and leaves nothing of it behind.

The scheduler is in this process, unless the environment has a task definition for it; the workers are tasks, which the
environment's `provider_class` describes.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from runner import contract, labels
from runner.attempt import Attempt
from runner.aws.access import load
from runner.aws.client import Client
from runner.clusters import run_keys, tls
from runner.clusters.closing import quietly
from runner.clusters.entry import INPUT_VARIABLE
from runner.clusters.garbage import fewer_collections
from runner.clusters.own_task import OwnTask, own_task
from runner.clusters.provider import fargate_keywords, keywords, provider_class
from runner.clusters.versions import own_versions
from runner.clusters.worker_tasks import WorkerTasks
from runner.environment import Executor
from runner.errors import PenstockError, UnavailableError
from runner.request import WorkerCount
from runner.sections import DASHBOARD_PORT, SCHEDULER_TASK_CONTAINER, WORKER_TASK_CONTAINER, DaskCloudProvider

if TYPE_CHECKING:
    from distributed import Client as DaskClient

API_SECONDS = 30.0
"""How long a call to AWS is tried again."""
LAST_LINES = 20
"""Lines of a worker's log that are looked at when it has ended."""


@contextmanager
def ecs_cluster(
    attempt: Attempt, executor: Executor, workers: WorkerCount, abort: Callable[[PenstockError], object]
) -> "Iterator[DaskClient]":
    """Open a cluster of tasks and connect to it. On leaving, its tasks are stopped and its secret is deleted.

    Args:
        attempt: the attempt, of an environment of kind `dask-cloud-provider`.
        executor: the executor in force.
        workers: how many workers there are to be.
        abort: ends the flow from another thread.

    Raises:
        UnavailableError: this is no task of such an environment, AWS does not allow what is needed, or no worker can be
            had.
    """
    section = attempt.environment.dask_cloud_provider
    assert section is not None  # noqa: S101 asked for such an environment only
    found = provider_class(section)
    with ExitStack() as stack:
        if not _is_of_ecs(found):
            from runner.clusters.provided import provided_cluster

            yield stack.enter_context(provided_cluster(found, section, workers))
            return
        own = own_task()
        access = load(region=section.region)
        keys = _keys(stack, section, attempt, own, Client(access, "secretsmanager", budget_seconds=API_SECONDS))
        ecs, logs = (Client(access, service, budget_seconds=API_SECONDS) for service in ("ecs", "logs"))
        for client in (ecs, logs):
            stack.callback(client.close)
        start_seconds = attempt.environment.timeouts.start_seconds
        tasks = WorkerTasks(
            ecs,
            section.cluster_arn,
            words=lambda task: _last_words(logs, section, task),
            start_seconds=start_seconds,
        )
        stack.callback(tasks.close)
        stack.enter_context(fewer_collections())

        import dask

        routes: dict[str, object] = {} if executor.dashboard else {"distributed.scheduler.http.routes": []}
        stealing = {"distributed.scheduler.work-stealing": section.work_stealing}
        stack.enter_context(dask.config.set({**routes, **stealing}))
        cluster = _open(found, attempt, section, executor, workers, tasks, own, keys)
        stack.callback(quietly, cluster.close)

        from distributed import Client as DaskClient

        from runner.clusters.code import send_code

        dask_client = stack.enter_context(DaskClient(cluster))
        send_code(dask_client, attempt, to_scheduler=section.scheduler_task_definition_arn is not None)
        cluster.await_workers(start_seconds)
        cluster.watch(abort)
        try:
            yield dask_client
        except Exception:
            cluster.await_reason()
            raise
        finally:
            cluster.on_hopeless = None


def _is_of_ecs(found: type) -> bool:
    if find_spec("dask_cloudprovider") is None:
        return False
    from dask_cloudprovider.aws import ECSCluster

    return issubclass(found, ECSCluster)


def _keys(stack: ExitStack, section: DaskCloudProvider, attempt: Attempt, own: OwnTask, client: Client) -> str | None:
    """The run's keys, which workers find in Secrets Manager until the stack is left; null without TLS."""
    if not section.tls:
        return None
    if find_spec("cryptography") is None:
        raise UnavailableError(
            "The run's keys are made with cryptography, which is not installed. "
            "Run `pip install 'penstock[dask-cloud-provider]'` in the image."
        )
    keys, name = tls.make(), secret_name(section, own.id)
    stack.callback(client.close)
    stack.callback(_remove, client, name)
    # Dask takes longer to import than Secrets Manager to answer; what that says is heard before a worker is started.
    calls = stack.enter_context(ThreadPoolExecutor(1))
    stored = calls.submit(run_keys.store, client, name, keys, _tags(attempt))
    import distributed  # noqa: F401

    stored.result()
    return keys


def secret_name(section: DaskCloudProvider, task_id: str) -> str:
    """Name of the secret of the run in a task."""
    return f"{section.secrets_prefix}{task_id}"


def _remove(client: Client, name: str) -> None:
    try:
        run_keys.remove(client, name)
    except PenstockError as error:
        print(f"penstock: {error} The task's container `cleanup` deletes it, or `penstock gc`.", file=sys.stderr)


def _open(  # noqa: PLR0917 one place calls it
    found: type,
    attempt: Attempt,
    section: DaskCloudProvider,
    executor: Executor,
    workers: WorkerCount,
    tasks: WorkerTasks,
    own: OwnTask,
    keys: str | None,
) -> Any:
    from runner.clusters.asked_api import AskedApi
    from runner.clusters.ecs_cluster import Plan, mended

    in_task = section.scheduler_task_definition_arn is not None
    # A worker that is a nanny's process cannot ask: each is told which it is, in a start of its own.
    numbered = not in_task and not section.worker_resources.gpu and "--nanny" not in section.worker_extra_args
    start_seconds = attempt.environment.timeouts.start_seconds
    plan = Plan(
        tasks=tasks,
        api=AskedApi(tasks, started_by=own.id, numbered=numbered, start_seconds=start_seconds),
        tags={**section.tags, **_tags(attempt)},
        own_scheduler=None if in_task else _scheduler(section, executor, own, keys),
        cluster_name=section.cluster_arn.rpartition("/")[2],
    )
    given = keywords(attempt.environment, section, workers=workers.min_workers)
    try:
        return mended(found)(
            plan=plan,
            minimum=workers.min_workers,
            maximum=workers.max_workers,
            security=None if keys is None else tls.security(keys),
            environment={
                **_variables(attempt),
                INPUT_VARIABLE: _told(attempt, section, executor, own, numbered=numbered),
            },
            **{**fargate_keywords(section, found), **given},
        )
    except (OSError, RuntimeError, TimeoutError) as error:
        known = plan.api.failure or error.__cause__
        if isinstance(known, PenstockError):
            raise known from None
        raise UnavailableError(
            f"The Dask scheduler could not be started ({error}). "
            f"See that nothing else in the run's task uses port {section.scheduler_port}."
        ) from None


def _scheduler(section: DaskCloudProvider, executor: Executor, own: OwnTask, keys: str | None) -> dict[str, object]:
    """Options of the scheduler in this process."""
    return {
        "protocol": "tcp://" if keys is None else "tls://",
        "host": f"[{own.address}]" if ":" in own.address else own.address,
        "port": section.scheduler_port,
        "security": None if keys is None else tls.security(keys),
        "dashboard": executor.dashboard,
        "dashboard_address": f"127.0.0.1:{DASHBOARD_PORT if executor.dashboard else 0}",
    }


def _tags(attempt: Attempt) -> dict[str, str]:
    return {
        labels.RUN_ID: attempt.request.run_id,
        labels.ATTEMPT: str(attempt.request.attempt),
        labels.ENVIRONMENT: attempt.environment.name,
    }


def _variables(attempt: Attempt) -> dict[str, str]:
    """Of all tasks, beside those of their task definitions."""
    return {
        "PENSTOCK_RUN_ID": attempt.request.run_id,
        "PENSTOCK_ATTEMPT": str(attempt.request.attempt),
        "PENSTOCK_ENVIRONMENT": attempt.environment.name,
    }


def _told(attempt: Attempt, section: DaskCloudProvider, executor: Executor, own: OwnTask, *, numbered: bool) -> str:
    """What the entry point of all tasks is told; see `runner.clusters.entry`."""
    told: Mapping[str, object] = {
        "run_id": attempt.request.run_id,
        "attempt": attempt.request.attempt,
        "keys": secret_name(section, own.id) if section.tls else None,
        "region": section.region,
        "versions": own_versions(),
        "log": contract.encode(attempt.log),
        "memory_mib": section.worker_resources.memory_mib,
        "port": section.scheduler_port,
        "dashboard": executor.dashboard,
        "work_stealing": section.work_stealing,
        "numbered": numbered,
    }
    return contract.to_bytes(told).decode()


def _last_words(logs: Client, section: DaskCloudProvider, task_id: str) -> str:
    """What a worker or a scheduler has printed last; empty where that cannot be had."""
    for container in (WORKER_TASK_CONTAINER, SCHEDULER_TASK_CONTAINER):
        stream = f"{section.log_stream_prefix}/{container}/{task_id}"
        with contextlib.suppress(PenstockError):
            page = logs.call("GetLogEvents", logGroupName=section.log_group, logStreamName=stream, limit=LAST_LINES)
            return "\n".join(str(event["message"]) for event in page.get("events", [])).strip()
    return ""
