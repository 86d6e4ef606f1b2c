"""What a run asks for: the environment's size, or its own."""

from dataclasses import replace

from runner.request import Size
from runner.sections import Resources


def sized(resources: Resources | None, size: Size | None) -> Resources | None:
    """The environment's resources with what the run asks for of its own; limits below that give way.

    Args:
        resources: of the environment; null for a local one.
        size: of the run; null for the environment's.
    """
    if resources is None or size is None:
        return resources
    cpu = size.cpu_millicores or resources.cpu_millicores
    memory = size.memory_mib or resources.memory_mib
    cpu_limit, memory_limit = resources.cpu_limit_millicores, resources.memory_limit_mib
    return replace(
        resources,
        cpu_millicores=cpu,
        memory_mib=memory,
        cpu_limit_millicores=None if cpu_limit is None else max(cpu, cpu_limit),
        memory_limit_mib=None if memory_limit is None else max(memory, memory_limit),
    )
