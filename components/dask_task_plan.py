"""What runs on ECS with Dask workers are made from: everything that is known before anything is registered."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import pulumi

from components import dask_size, dask_task_containers, ecs_volumes, task_plan
from components.aws_place import Names, secrets_prefix, with_workers
from components.dask_task_workers import Workers
from components.document import Draft
from components.ecs_arguments import NetworkMode
from components.ecs_platform import NETWORK_MODES
from components.given import holds_output
from components.task_plan import CONTAINER, TaskPlan
from runner.contract import broken_rule
from runner.sections import SCHEDULER_TASK_CONTAINER, WORKER_TASK_CONTAINER

OF_WORKERS = tuple(key for key in CONTAINER if key != "resources")
"""Arguments that the container of workers is made from, whose size is their own."""
OF_SCHEDULERS = tuple(key for key in OF_WORKERS if key not in ("volumes", "mount_points"))
"""Arguments that the container of a scheduler is made from, unless volumes are mounted there, too."""

BESIDE = tuple((key, "worker_task_role_arn", whose) for key, role, whose in task_plan.BESIDE if role == "task_role_arn")
"""The same of the workers' role as of the runs'."""

SERVICE, SECRETS_SERVICE = "ecs", "secretsmanager"
"""Services that runs call to start workers, and to hand them their keys."""


class DaskTaskPlan(TaskPlan):
    """How the tasks of every run and of its workers are to be.

    Args:
        draft: the arguments.
        name: the component's name.

    Raises:
        ArgumentError: what is known of the arguments is wrong.
    """

    workers: Workers
    """What the workers of a run are."""
    stand_ins: ClassVar[Mapping[str, Any]] = {
        **{key: TaskPlan.stand_ins[key] for key in ("image", "resources")},
        "executor": dask_size.executor(),
        "dask_cloud_provider": {
            **task_plan.SECTION,
            "vpc_id": "unknown",
            "worker_task_definition_arn": task_plan.UNKNOWN,
            "execution_role_arn": task_plan.UNKNOWN,
            "worker_task_role_arn": task_plan.UNKNOWN,
            "worker_resources": TaskPlan.stand_ins["resources"],
            **dask_size.worker_range(),
        },
    }

    def __init__(self, draft: Draft, name: str) -> None:
        self.workers = Workers(draft)
        self.ports = self.workers.ports
        super().__init__(draft, name)
        self.scheduler_volumes = self.volumes if self._on_scheduler else ecs_volumes.volumes()
        if not holds_output(self.written):
            log = {"log_group": "", "region": "", "written": self.written}
            draft.check(self.worker_container, *OF_WORKERS, resources=self.workers.resources, **log)

    @property
    def secrets_prefix(self) -> str | None:
        """Begins the names of the secrets with the keys of runs; None without keys."""
        return secrets_prefix(self.environment) if self.workers.tls else None

    @property
    def _on_scheduler(self) -> bool:
        mounted: bool = self.draft.plain("mount_volumes_on_scheduler", False)
        return mounted

    def names(self, place: Any) -> pulumi.Output[Names]:
        """The names of everything, in a place."""
        own = super().names(place)
        with_role = partial(_with_workers, scheduler_task=self.workers.scheduler_task)
        return pulumi.Output.from_input(self.draft.derive(with_role, "worker_task_role_arn", own=own))

    def definitions(self, **options: Any) -> str:
        """The JSON of the containers of a run's task, of arguments that are known."""
        return dask_task_containers.run(secrets_prefix=self.secrets_prefix, **options)

    def worker_container(self, **options: Any) -> str:
        """The JSON of a worker's container, of arguments that are known."""
        return dask_task_containers.task_of(WORKER_TASK_CONTAINER, **options)

    def worker_containers(self, own: pulumi.Output[Names]) -> Any:
        """The JSON of the containers of a worker's task."""
        return self.contained(self.worker_container, *OF_WORKERS, own=own, resources=self.workers.resources)

    def scheduler_containers(self, own: pulumi.Output[Names]) -> Any:
        """The JSON of the containers of the task of a scheduler."""
        keys = OF_WORKERS if self._on_scheduler else OF_SCHEDULERS
        function = partial(dask_task_containers.task_of, SCHEDULER_TASK_CONTAINER)
        return self.contained(function, *keys, own=own, resources=self.workers.scheduler_resources)

    def mounts_as_worker(self) -> bool:
        """Whether the role of workers may need rights to file systems."""
        return any(
            holds_output(item["efs"]) or item["efs"].get("iam")
            for item in self.draft.plain("volumes", [])
            if "efs" in item
        )

    def services(self) -> list[str]:
        """The services that a network which is created has doors to, beside S3."""
        return sorted({*super().services(), SERVICE, *([SECRETS_SERVICE] if self.workers.tls else [])})

    def section(self, **more: Any) -> dict[str, Any]:
        """The document's section, with what is known only later."""
        known = {
            **self.workers.section(),
            **self.draft.part("execution_role_arn", "worker_task_role_arn"),
            "secrets_prefix": self.secrets_prefix,
        }
        return super().section(**{**known, **more})

    def parts(self) -> dict[str, Any]:
        """Parts of the document that are more than an argument."""
        return {**super().parts(), "executor": self.draft.derive(dask_size.executor, "performance_report")}

    def _refuse_what_does_not_fit(self) -> None:
        if NetworkMode.AWSVPC not in NETWORK_MODES[self.platform]:
            expected = "FARGATE or EC2: workers reach a run at an address of its own"
            raise broken_rule("launch_type", self.platform.value, expected)
        super()._refuse_what_does_not_fit()
        for key, existing, whose in BESIDE:
            if self.draft.has(key) and self.draft.has(existing):
                raise broken_rule(key, f"given beside {existing}", f"none: {whose}")


def _with_workers(*, own: Names, scheduler_task: bool, worker_task_role_arn: str | None = None) -> Names:
    return with_workers(own, scheduler_task=scheduler_task, worker_task_role_arn=worker_task_role_arn)
