"""The class of dask-cloudprovider that starts a run's workers, and what it is told beside what Penstock tells it."""

import difflib
import importlib
import importlib.util
import inspect
import re
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from components.manifest import plain
from runner.contract import broken_rule, describe
from runner.errors import ContractError
from runner.sections import ECS_CLUSTER, FARGATE_CLUSTER, PROVIDER_CLASS, PROVIDER_CLASS_MEANING

KNOWN: Mapping[str, str] = {"FargateCluster": FARGATE_CLUSTER, "ECSCluster": ECS_CLUSTER}
"""Classes that are known by their names alone."""

INTERNAL = "that is between Penstock and the class"
OURS: Mapping[str, str] = {
    "fargate_scheduler": "the argument fargate_scheduler",
    "fargate_workers": "the argument fargate_workers",
    "fargate_spot": "the argument fargate_spot",
    "image": "the argument image",
    "cpu_architecture": "the argument cpu_architecture",
    "scheduler_cpu": "the argument scheduler_resources",
    "scheduler_mem": "the argument scheduler_resources",
    "scheduler_port": "the argument scheduler_port",
    "scheduler_timeout": "the argument scheduler_idle_timeout_seconds",
    "scheduler_extra_args": "the argument scheduler_extra_args",
    "scheduler_task_definition_arn": "the argument scheduler_task, with which one is made",
    "scheduler_task_kwargs": "none: each thing worth saying to RunTask is an argument of its own",
    "scheduler_address": "none: a run's scheduler is its own; the kind fargate-task has executor.address",
    "worker_cpu": "the argument worker_resources",
    "worker_mem": "the argument worker_resources",
    "worker_gpu": "the argument worker_resources, which has gpu",
    "worker_nthreads": "the argument worker_threads",
    "worker_extra_args": "the argument worker_extra_args",
    "worker_task_definition_arn": "none: the definition is made from the arguments",
    "worker_task_kwargs": "none: each thing worth saying to RunTask is an argument of its own",
    "n_workers": "the arguments min_workers and max_workers",
    "workers_name_start": f"none: {INTERNAL}",
    "workers_name_step": f"none: {INTERNAL}",
    "cluster_arn": "the argument cluster_arn",
    "cluster_name_template": "none: a run creates no cluster of ECS",
    "execution_role_arn": "the argument execution_role_arn",
    "task_role_arn": "the argument worker_task_role_arn",
    "task_role_policies": "the argument task_role_policy_arns",
    "cloudwatch_logs_group": "the argument log_group_name",
    "cloudwatch_logs_stream_prefix": "none: clients find the logs of workers by it",
    "cloudwatch_logs_default_retention": "the argument log_retention_days",
    "vpc": "the argument vpc_id",
    "subnets": "the argument subnet_ids",
    "security_groups": "the argument security_group_ids",
    "environment": "the argument env",
    "tags": "the argument tags",
    "skip_cleanup": "none: it would delete what belongs to others in the account",
    "aws_access_key_id": "none: runs have a role",
    "aws_secret_access_key": "none: runs have a role",
    "region_name": "none: the region is that of Pulumi's provider for AWS",
    "platform_version": "the argument platform_version",
    "fargate_use_private_ip": "the argument assign_public_ip",
    "mount_points": "the argument mount_points",
    "volumes": "the argument volumes",
    "mount_volumes_on_scheduler": "the argument mount_volumes_on_scheduler",
    "security": "the argument tls",
    "asynchronous": f"none: {INTERNAL}",
    "loop": f"none: {INTERNAL}",
    "name": f"none: {INTERNAL}",
    "scheduler": f"none: {INTERNAL}",
    "shutdown_on_close": f"none: {INTERNAL}",
    "shutdown_scheduler": f"none: {INTERNAL}",
    "worker": f"none: {INTERNAL}",
    "workers": f"none: {INTERNAL}",
}
"""Keyword arguments of dask-cloudprovider's ECSCluster 2025.9, and of distributed's SpecCluster below it, that Penstock
gives itself or leaves alone, and what to use instead."""

ECS_CLUSTER_ITSELF = "dask_cloudprovider.aws.ecs:ECSCluster"
"""The class that Penstock gives all this, and those that inherit from it, as Python calls it."""

FREE = ("scheduler_sync_interval", "silence_logs")
"""The others."""


def path_of(*, provider_class: str = FARGATE_CLUSTER) -> str:
    """The class as `module:Class`.

    Args:
        provider_class: one of `KNOWN`, or already so.

    Raises:
        ContractError: it is neither.
    """
    written = KNOWN.get(provider_class, provider_class)
    if not re.fullmatch(PROVIDER_CLASS, written):
        raise broken_rule(
            "provider_class", describe(provider_class), f"{', '.join(KNOWN)}, or {PROVIDER_CLASS_MEANING}"
        )
    return written


def keyword_arguments(
    *, provider_class: str = FARGATE_CLUSTER, provider_kwargs: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What the class is told beside what Penstock tells it, as JSON.

    A class that is not known is imported where its module is there, which on the machine that provisions need not be.
    One that does not inherit from ECSCluster is given nothing by Penstock, but `security` where it takes that.

    Args:
        provider_class: what `path_of` takes.
        provider_kwargs: the keyword arguments.

    Raises:
        ContractError: the class does not take them, or they are Penstock's own.
    """
    path = path_of(provider_class=provider_class)
    given: dict[str, Any] = plain(dict(provider_kwargs or {}), "provider_kwargs")
    if path in KNOWN.values():
        _refuse_ours(given)
        for name in given:
            if name not in FREE:
                raise _unknown(name, FREE, ours=tuple(OURS))
    elif (module := _imported(path)) is not None:
        cls = _class_in(module, path)
        if any(f"{base.__module__}:{base.__name__}" == ECS_CLUSTER_ITSELF for base in inspect.getmro(cls)):
            _refuse_ours(given)
        _check_names(cls, given)
    return given


def _refuse_ours(given: Mapping[str, Any]) -> None:
    for name in given:
        if name in OURS:
            raise broken_rule(f"provider_kwargs.{name}", "given", OURS[name])


def _imported(path: str) -> ModuleType | None:
    """The module of a class; None where it, or what it needs, is not there."""
    name = path.partition(":")[0]
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
    except Exception as error:  # noqa: BLE001 whatever a module of the user's raises
        found = f"in a module that cannot be imported ({name}: {type(error).__name__}: {error})"
        raise broken_rule("provider_class", found, "a class that can") from None


def _class_in(module: ModuleType, path: str) -> type:
    cls = getattr(module, path.partition(":")[2], None)
    if not inspect.isclass(cls):
        found = f'"{path}", which is {"missing there" if cls is None else "no class"}'
        raise broken_rule("provider_class", found, f"a class of the module {module.__name__}")
    return cls


def _check_names(cls: type, given: Mapping[str, Any]) -> None:
    try:
        parameters = inspect.signature(cls).parameters.values()
    except ValueError:  # of a class written in C
        return
    if any(item.kind is item.VAR_KEYWORD for item in parameters):
        return
    takes = [item.name for item in parameters if item.kind in (item.KEYWORD_ONLY, item.POSITIONAL_OR_KEYWORD)]
    for name in given:
        if name not in takes:
            raise _unknown(name, takes)


def _unknown(name: str, takes: Sequence[str], *, ours: Sequence[str] = ()) -> ContractError:
    near = difflib.get_close_matches(name, [*takes, *ours], n=1)
    if near and near[0] in ours:
        expected = f"another: {near[0]}, the nearest, is {OURS[near[0]]}"
    elif near:
        expected = f"{near[0]}, the nearest that the class takes"
    else:
        expected = f"one of {', '.join(takes)}" if takes else "none: the class takes no other"
    return broken_rule(f"provider_kwargs.{name}", "unknown", expected)
