"""The Dask workers of runs on ECS: what is known of them, and of a scheduler, before anything is registered."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from components import dask_size, ecs_size, provider_class
from components.document import Draft
from components.ecs_platform import Platform
from runner.contract import broken_rule
from runner.sections import ECS_CLUSTER, FARGATE_CLUSTER, SCHEDULER_PORT, WORKER_PORT

ALIKE = (
    *("worker_threads", "worker_extra_args", "fargate_spot", "tls", "tags", "work_stealing", "scheduler_logs"),
    *("scheduler_port", "scheduler_idle_timeout_seconds", "scheduler_extra_args"),
)
"""Arguments that the document's section has under the same names."""

ONLY_WITH_SCHEDULER_TASK = (
    *("scheduler_resources", "scheduler_idle_timeout_seconds", "scheduler_extra_args"),
    *("mount_volumes_on_scheduler", "fargate_scheduler"),
)
"""Arguments about a scheduler in a task of its own."""

LARGEST_PORT = 65535


class Workers:
    """What the workers of a run are, and where its scheduler is.

    Args:
        draft: the arguments.

    Raises:
        ArgumentError: what is known of the arguments is wrong.
    """

    platform: Platform
    """What workers are on."""
    scheduler_platform: Platform
    """What a scheduler in a task of its own is on."""
    scheduler_task: bool
    """Whether there is one."""
    tls: bool
    """Whether the cluster's connections are encrypted."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self.scheduler_task = draft.plain("scheduler_task", False)
        self.tls = draft.plain("tls", True)
        self.provider_class = draft.derive(provider_class.path_of, "provider_class")
        on_fargate = self.provider_class != ECS_CLUSTER
        self._fargate = {
            key: draft.plain(key, None) for key in ("fargate_workers", "fargate_scheduler", "fargate_spot")
        }
        draft.check(self._refuse_what_does_not_fit)
        fargate = {key: value for key, value in self._fargate.items() if value is not None}
        self.fargate_workers = fargate.get("fargate_workers", on_fargate)
        self.fargate_scheduler = fargate.get("fargate_scheduler", on_fargate)
        draft.check(self._refuse_where_not_on_fargate)
        self.platform = _platform(self.fargate_workers)
        self.scheduler_platform = _platform(self.fargate_scheduler)
        self.provider_kwargs = draft.derive(provider_class.keyword_arguments, "provider_class", "provider_kwargs")
        self.range = draft.derive(dask_size.worker_range, "min_workers", "max_workers")
        self.resources = draft.derive(partial(_sized, self.platform, "worker_resources"), "worker_resources")
        self.scheduler_resources = draft.derive(
            partial(_sized, self.scheduler_platform, "scheduler_resources"), "scheduler_resources"
        )
        self.scheduler_port = draft.derive(_port, "scheduler_port")

    @property
    def ports(self) -> dict[str, Any]:
        """The ports at which a run and its workers reach each other."""
        return {"scheduler": self.scheduler_port, "worker": WORKER_PORT}

    def section(self) -> dict[str, Any]:
        """What the document's section says of workers, but for ARNs."""
        return {
            **self._draft.part(*ALIKE),
            "provider_class": self.provider_class,
            "provider_kwargs": self.provider_kwargs,
            "fargate_workers": self.fargate_workers,
            "fargate_scheduler": self.fargate_scheduler,
            "worker_resources": self.resources,
            "min_workers": self.range["min_workers"],
            "max_workers": self.range["max_workers"],
        }

    def _refuse_what_does_not_fit(self) -> None:
        given = self._fargate
        if not self.scheduler_task:
            for key in ONLY_WITH_SCHEDULER_TASK:
                if self._draft.has(key) or given.get(key) is not None:
                    expected = "none without scheduler_task: true, since the scheduler is in the run's own process"
                    raise broken_rule(key, "given", expected)
        if self.provider_class == FARGATE_CLUSTER:
            for key in ("fargate_workers", "fargate_scheduler"):
                if given[key] is False:
                    raise broken_rule(key, "false", "true for the class FargateCluster; ECSCluster has both")

    def _refuse_where_not_on_fargate(self) -> None:
        if self._fargate["fargate_spot"] and not self.fargate_workers:
            raise broken_rule("fargate_spot", "true", "false where fargate_workers is false, as ECSCluster has it")
        on_instances = not self.fargate_workers or (self.scheduler_task and not self.fargate_scheduler)
        if on_instances and not self._draft.has("cluster_arn"):
            expected = (
                "a cluster whose own capacity providers say what workers are on, since they are not on Fargate; "
                "or fargate_workers: true"
            )
            raise broken_rule("cluster_arn", "missing", expected)


def _platform(fargate: bool) -> Platform:
    return Platform.FARGATE if fargate else Platform.EC2


def _sized(on: Platform, argument: str, **given: Mapping[str, Any]) -> dict[str, Any]:
    return ecs_size.size(on, resources=given.get(argument), argument=argument)


def _port(*, scheduler_port: int = SCHEDULER_PORT) -> int:
    if not 1 <= scheduler_port <= LARGEST_PORT or scheduler_port == WORKER_PORT:
        expected = f"a port, from 1 to {LARGEST_PORT:,} without the {WORKER_PORT:,} of workers"
        raise broken_rule("scheduler_port", str(scheduler_port), expected)
    return scheduler_port
