"""Creates what an environment on ECS with Dask workers consists of, from the plan of its tasks."""

from functools import partial
from typing import Any

import pulumi

from components import dask_task_policies, ecs_policies
from components.aws_place import Names
from components.dask_task_plan import DaskTaskPlan
from components.iam import Statement
from components.task_network import TaskNetwork
from components.task_objects import TaskObjects


class DaskTaskObjects(TaskObjects):
    """The objects of an environment.

    Args:
        plan: how the tasks of every run and of its workers are to be.
        parent: the environment's component.
        name: its name.
    """

    _plan: DaskTaskPlan

    def __init__(self, plan: DaskTaskPlan, parent: pulumi.ComponentResource, name: str) -> None:
        super().__init__(plan, parent, name)

    def _roles(self) -> list[pulumi.Resource]:
        made = super()._roles()
        if not self._draft.has("worker_task_role_arn"):
            workers, statements = self._plan.workers, None
            if workers.tls or self._plan.mounts_as_worker():
                statements = partial(dask_task_policies.worker, tls=workers.tls)
            made += self._task_role("worker", "What workers of runs themselves call.", statements)
        return made

    def _task_statements(self, own: Names, **options: Any) -> list[Statement]:
        of_run = dask_task_policies.run(own, tls=self._plan.workers.tls)
        return [*super()._task_statements(own, **options), *of_run]

    def _submitter(self, own: Names) -> tuple[Statement, ...]:
        return (*ecs_policies.submitter(own), *dask_task_policies.submitter(own, tls=self._plan.workers.tls))

    def _networked(self, network: TaskNetwork) -> dict[str, Any]:
        return {**super()._networked(network), "vpc_id": network.vpc_id}

    def _more(self) -> dict[str, Any]:
        plan, own, workers = self._plan, self._own, self._plan.workers
        worker = self._task_definition(
            "worker",
            platform=workers.platform,
            resources=workers.resources,
            family=own.worker_family,
            task_role_arn=own.worker_task_role_arn,
            container_definitions=plan.worker_containers(own),
            volumes=plan.volumes,
        )
        more: dict[str, Any] = {
            "worker_task_definition_arn": worker.arn,
            "execution_role_arn": own.execution_role_arn,
            "worker_task_role_arn": own.worker_task_role_arn,
        }
        if workers.scheduler_task:
            scheduler = self._task_definition(
                "scheduler",
                platform=workers.scheduler_platform,
                resources=workers.scheduler_resources,
                family=own.scheduler_family,
                task_role_arn=own.worker_task_role_arn,
                container_definitions=plan.scheduler_containers(own),
                volumes=plan.scheduler_volumes,
            )
            more["scheduler_task_definition_arn"] = scheduler.arn
        return more
