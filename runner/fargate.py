"""Sizes of tasks on Fargate: which pairs of processors and memory it has, and the smallest that holds what is asked.

Source: "Fargate task sizes" in the Amazon ECS Developer Guide (task-cpu-memory-error, fargate-tasks-services).
"""

from dataclasses import dataclass

from runner.contract import broken_rule

GIB = 1024
SIZES = {
    256: (512, 1 * GIB, 2 * GIB),
    512: tuple(range(1 * GIB, 4 * GIB + 1, GIB)),
    1024: tuple(range(2 * GIB, 8 * GIB + 1, GIB)),
    2048: tuple(range(4 * GIB, 16 * GIB + 1, GIB)),
    4096: tuple(range(8 * GIB, 30 * GIB + 1, GIB)),
    8192: tuple(range(16 * GIB, 60 * GIB + 1, 4 * GIB)),
    16384: tuple(range(32 * GIB, 120 * GIB + 1, 8 * GIB)),
    32768: (60 * GIB, 120 * GIB, 244 * GIB),
}
"""Memory in MiB that goes with processors in CPU units, of which 1,024 are one; the three largest need Linux and
platform 1.4.0."""


@dataclass(frozen=True, kw_only=True)
class TaskSize:
    """A size that Fargate has."""

    cpu_units: int
    """Processor time, in units of which 1,024 are one processor."""
    memory_mib: int
    """Memory, in MiB."""


def units(cpu_millicores: int) -> int:
    """Processor time in ECS' CPU units, no less than was asked for."""
    return -(-cpu_millicores * 1024 // 1000)


def smallest(cpu_millicores: int, memory_mib: int) -> TaskSize:
    """The smallest size of Fargate's that holds as much: the fewest processors, then the least memory.

    Raises:
        ContractError: Fargate has none that large; the path is `cpu_millicores` or `memory_mib`.
    """
    asked = units(cpu_millicores)
    if asked > max(SIZES):
        raise broken_rule(
            "cpu_millicores", f"{cpu_millicores:,}", f"at most the {max(SIZES) // 1024 * 1000:,} of Fargate"
        )
    largest = max(memory for sizes in SIZES.values() for memory in sizes)
    if memory_mib > largest:
        raise broken_rule("memory_mib", f"{memory_mib:,}", f"at most the {largest:,} of Fargate")
    return next(
        TaskSize(cpu_units=cpu, memory_mib=memory)
        for cpu, sizes in SIZES.items()
        if cpu >= asked
        for memory in sizes
        if memory >= memory_mib
    )
