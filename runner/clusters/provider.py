"""The class that starts the workers of a run on ECS, and everything that it is given so that it creates nothing."""

import importlib
from typing import Any

from runner import fargate
from runner.environment import Environment
from runner.errors import UnavailableError
from runner.sections import DaskCloudProvider

MISSING = "dask_cloudprovider"


def provider_class(section: DaskCloudProvider) -> type:
    """The class that the environment names.

    Raises:
        UnavailableError: it cannot be imported, or is none.
    """
    module, _, name = section.provider_class.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:  # noqa: BLE001 a module of the user's may raise anything
        said = error if isinstance(error, ImportError | AttributeError) else f"{type(error).__name__}: {error}"
        step = (
            "Run `pip install 'penstock[dask-cloud-provider]'` in the image."
            if module.startswith(MISSING)
            else "Put it into the image, or correct provider_class of the stack."
        )
        raise UnavailableError(
            f"The environment's provider_class {section.provider_class} cannot be imported ({said}). {step}"
        ) from None
    if not isinstance(found, type):
        raise UnavailableError(
            f"The environment's provider_class {section.provider_class} is {found!r}, expected a class. "
            "Correct provider_class of the stack."
        )
    return found


def keywords(environment: Environment, section: DaskCloudProvider, *, workers: int) -> dict[str, Any]:
    """What an ECSCluster or FargateCluster is given: whatever is missing here it would create or look up.

    Args:
        environment: the environment.
        section: its section.
        workers: how many workers there are from the start.
    """
    size = section.worker_resources
    definition = section.worker_task_definition_arn
    given: dict[str, Any] = {
        "image": environment.image,
        "cluster_arn": section.cluster_arn,
        "execution_role_arn": section.execution_role_arn,
        "task_role_arn": section.worker_task_role_arn,
        "worker_task_definition_arn": definition,
        # One that is not used has to be there all the same: it would be registered.
        "scheduler_task_definition_arn": section.scheduler_task_definition_arn or definition,
        "scheduler_port": section.scheduler_port,
        "scheduler_timeout": f"{section.scheduler_idle_timeout_seconds:g} seconds",
        # The class goes by the first, and the scheduler by the second, which its entry point adds.
        "scheduler_extra_args": ["--port", str(section.scheduler_port), *section.scheduler_extra_args],
        "worker_cpu": fargate.units(size.cpu_millicores),
        "worker_mem": size.memory_mib,
        "worker_nthreads": section.worker_threads,
        "worker_gpu": size.gpu or None,
        "worker_extra_args": list(section.worker_extra_args),
        "n_workers": workers,
        "vpc": section.vpc_id,
        "subnets": list(section.subnets),
        "security_groups": list(section.security_groups),
        "cloudwatch_logs_group": section.log_group,
        "cloudwatch_logs_stream_prefix": section.log_stream_prefix,
        "fargate_spot": section.fargate_spot,
        "fargate_use_private_ip": not section.assign_public_ip,
        "platform_version": section.platform_version,
        "region_name": section.region,
        "skip_cleanup": True,
    }
    return {**given, **section.provider_kwargs}


def fargate_keywords(section: DaskCloudProvider, found: type) -> dict[str, bool]:
    """Whether tasks are on Fargate, which FargateCluster says itself and does not take."""
    from dask_cloudprovider.aws import FargateCluster

    if issubclass(found, FargateCluster):
        return {}
    return {"fargate_scheduler": section.fargate_scheduler, "fargate_workers": section.fargate_workers}
