"""How much a run of an environment takes at most, from the arguments of its component."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner import fargate
from runner.errors import ContractError
from stacks.review.costs.prices import Machine, Prices
from stacks.review.preview import Step
from stacks.review.values import Hidden, Properties, items, mapping

KUBERNETES = {"KubernetesJobEnvironment": False, "DaskKubernetesEnvironment": True}
ECS = {"FargateTaskEnvironment": False, "DaskCloudProviderEnvironment": True}
"""Kinds of environment, and whether their runs have Dask workers."""
CPU_MILLICORES, MEMORY_MIB = 500, 1024
"""What a run and a worker ask for unless told otherwise, as the components have it."""
WORKERS = 2
"""Workers of a run unless told otherwise."""
A_RUN = "a run"
GIB = 1024
FREE_STORAGE_GIB = 20
"""Storage of a task on Fargate that costs nothing: https://aws.amazon.com/fargate/pricing/."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Pods or tasks of one size."""

    machine: str
    """Key of the price table."""
    cpu: float
    """Processors of each."""
    memory_gib: float
    storage_gib: float = 0
    """Beyond what is free."""
    gpu: float = 0
    number: int = 1

    def price(self, prices: Prices) -> float:
        """Of one hour of all."""
        machine: Machine = prices.machines[self.machine]
        each = (
            self.cpu * machine.cpu
            + self.memory_gib * machine.memory_gib
            + self.storage_gib * machine.storage_gib
            + self.gpu * machine.gpu
        )
        return each * self.number


@dataclass(frozen=True, kw_only=True)
class Most:
    """The most that an environment takes at a time."""

    parts: tuple[Part, ...]
    of: str
    """What that is the most of, as "a run"."""


def most(step: Step, arguments: Properties | None) -> Most | None:
    """What an environment's runs take at most; None where the arguments do not tell, or nothing is paid for.

    Args:
        step: of the environment's component.
        arguments: its inputs before or after.
    """
    if arguments is None:
        return None
    try:
        if step.kind in KUBERNETES:
            return _on_kubernetes(arguments, has_workers=KUBERNETES[step.kind])
        if step.kind in ECS:
            return Most(parts=tuple(_on_ecs(arguments, has_workers=ECS[step.kind])), of=A_RUN)
    except (ContractError, TypeError, ValueError, OverflowError):
        return None
    return None


def _on_kubernetes(arguments: Properties, *, has_workers: bool) -> Most:
    quota = mapping(arguments.get("quota"))
    if "cpu_millicores" in quota and "memory_mib" in quota:
        return Most(parts=(_pods(quota),), of="all runs of the quota")
    parts = [_pods(arguments.get("resources"))]
    if has_workers:
        parts.append(_pods(arguments.get("worker_resources"), _workers(arguments)))
    runs = _whole(arguments.get("concurrent_runs"), 0)
    if runs and has_workers:
        several = f"{runs} runs at a time" if runs > 1 else "the one run at a time"
        return Most(parts=tuple(parts) * runs, of=several)
    return Most(parts=tuple(parts), of=A_RUN)


def _pods(resources: object, number: int = 1) -> Part:
    cpu, memory, gpu = _size(resources)
    return Part(machine="node", cpu=cpu / 1000, memory_gib=memory / GIB, gpu=gpu, number=number)


def _on_ecs(arguments: Properties, *, has_workers: bool) -> Iterator[Part]:
    strategy = [mapping(item).get("provider") for item in items(arguments.get("capacity_provider_strategy"))]
    on_fargate = arguments.get("launch_type", "FARGATE") == "FARGATE" and all(
        isinstance(name, str) and name.startswith("FARGATE") for name in strategy
    )
    only_spot = bool(strategy) and set(strategy) == {"FARGATE_SPOT"}
    yield _task(arguments, "resources", _machine(arguments, on_fargate=on_fargate, spot=only_spot))
    if not has_workers:
        return
    on_fargate = on_fargate and arguments.get("provider_class") != "ECSCluster"
    workers = _machine(
        arguments,
        on_fargate=_true(arguments.get("fargate_workers"), on_fargate),
        spot=_true(arguments.get("fargate_spot"), False),
    )
    yield _task(arguments, "worker_resources", workers, _workers(arguments))
    if _true(arguments.get("scheduler_task"), False):
        own = _machine(arguments, on_fargate=_true(arguments.get("fargate_scheduler"), on_fargate), spot=False)
        yield _task(arguments, "scheduler_resources", own)


def _machine(arguments: Properties, *, on_fargate: bool, spot: bool) -> str:
    if not on_fargate:
        return "node"
    if spot:
        return "fargate_spot"
    return "fargate_arm64" if arguments.get("cpu_architecture") == "ARM64" else "fargate"


def _task(arguments: Properties, key: str, machine: str, number: int = 1) -> Part:
    cpu, memory, gpu = _size(arguments.get(key))
    if machine == "node":
        return Part(machine=machine, cpu=cpu / 1000, memory_gib=memory / GIB, gpu=gpu, number=number)
    size = fargate.smallest(cpu, memory)
    storage = _whole(arguments.get("ephemeral_storage_gib"), FREE_STORAGE_GIB)
    return Part(
        machine=machine,
        cpu=size.cpu_units / 1024,
        memory_gib=size.memory_mib / GIB,
        storage_gib=max(0, storage - FREE_STORAGE_GIB),
        number=number,
    )


def _size(resources: object) -> tuple[int, int, int]:
    asked: Mapping[str, Any] = mapping(resources)
    return (
        _whole(asked.get("cpu_millicores"), CPU_MILLICORES),
        _whole(asked.get("memory_mib"), MEMORY_MIB),
        _whole(asked.get("gpu"), 0),
    )


def _workers(arguments: Properties) -> int:
    return _whole(arguments.get("max_workers"), _whole(arguments.get("min_workers"), WORKERS))


def _whole(value: object, otherwise: int) -> int:
    """A whole number, also one that is written as text."""
    if value is None or value == "":
        return otherwise
    if isinstance(value, bool | Hidden):
        raise TypeError
    return int(str(int(value) if isinstance(value, float) else value))


def _true(value: object, otherwise: bool) -> bool:
    return value in (True, "true") if value in (True, False, "true", "false") else otherwise
