"""Flows that use the Dask cluster of their run, each in another way."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Client


def square(number: int) -> int:
    return number * number


def with_parameter(client: Client) -> list[int]:
    return client.gather(client.map(square, range(5)))


def with_default_client() -> list[int]:
    import dask

    return list(dask.compute(*[dask.delayed(square)(number) for number in range(5)]))


def with_get_client() -> list[int]:
    from distributed import get_client

    client = get_client()
    return client.gather(client.map(square, range(5)))


def optional(client: Client | None = None) -> bool:
    return client is not None


def shape(client: Client) -> dict[str, object]:
    workers = client.scheduler_info()["workers"].values()
    return {
        "hosts": sorted({worker["host"] for worker in workers}),
        "threads": sorted(worker["nthreads"] for worker in workers),
        "memory_mib": sorted(worker["memory_limit"] // 2**20 for worker in workers),
        "scheduler": client.scheduler.address.rsplit(":", 1)[0],
        "encrypted": client.security.require_encryption,
    }


def worker_pids(client: Client) -> list[int]:
    return sorted(client.run(os.getpid).values())


def fail(client: Client, ready: Path) -> None:
    ready.write_text(" ".join(map(str, worker_pids(client))))
    raise ValueError("after the cluster was open")


def fail_with_tasks(client: Client) -> None:
    client.gather(client.map(square, range(5)))
    raise ValueError("after five tasks")


def close(client: Client) -> str:
    client.close()
    return "closed"


def wait(client: Client, ready: Path) -> None:
    ready.write_text(" ".join(map(str, [os.getpid(), *worker_pids(client)])))
    time.sleep(60)


def scratch(client: Client) -> list[str]:
    return sorted(set(client.run(lambda dask_worker: dask_worker.local_directory).values()))
