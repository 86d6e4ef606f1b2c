"""Prefect 3 flows: objects, not functions."""

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
