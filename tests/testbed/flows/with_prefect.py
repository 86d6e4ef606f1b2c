"""Prefect 3 flows: objects, not functions."""

import socket
from typing import Any

from prefect import flow, get_run_logger, task


@task
def double(number: int) -> int:
    return 2 * number


@task
def where() -> str:
    """The address of the Dask worker that runs the task, or nothing."""
    try:
        from distributed import get_worker

        return str(get_worker().address.split("://")[0])
    except (ImportError, ValueError):
        return ""


@flow
def doubled(number: int, times: int = 1) -> int:
    get_run_logger().info("doubling")
    for _ in range(times):
        number = double(number)
    return number


@flow
def failing() -> None:
    raise ValueError("no data today")


@flow
def on_workers() -> list[str]:
    return sorted({where.submit().result() for _ in range(3)})


@task
def placed(number: int) -> tuple[int, str]:
    """The number, and the machine or pod that the task runs on."""
    return number, socket.gethostname()


@task
def total(placed_numbers: list[tuple[int, str]]) -> int:
    return sum(number for number, _ in placed_numbers)


@flow
def spread(tasks: int, workers: int) -> dict[str, Any]:
    """Mapped tasks, once there are so many workers, and a task that waits for them all."""
    from distributed import get_client

    get_client().wait_for_workers(workers, timeout=60)
    numbers = placed.map(range(tasks))
    return {
        "sum": total.submit(numbers).result(),
        "hosts": sorted({host for _, host in numbers.result()}),
        "own": socket.gethostname(),
    }


@task
def refuse_odd(number: int) -> int:
    if number % 2:
        raise ValueError(f"no data for {number}")
    return number


@flow
def failing_on_a_worker() -> list[int]:
    return refuse_odd.map([2, 4, 5, 6]).result()
