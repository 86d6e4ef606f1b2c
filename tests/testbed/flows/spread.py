"""A flow whose work takes a known time and whose result is known, spread over Dask workers that come and go."""

import contextlib
import http.client
import time
from pathlib import Path

import dask
from distributed import Client, get_client


def slow(number: int, seconds: float) -> int:
    time.sleep(seconds)
    return number * number


def total(count: int, seconds: float = 0.2) -> int:
    """The sum of squares below a number."""
    return int(dask.delayed(sum)([dask.delayed(slow)(number, seconds) for number in range(count)]).compute())


def names(client: Client) -> list[int]:
    """The workers' numbers, once they are there."""
    return sorted(info["name"] for info in client.scheduler_info(n_workers=-1)["workers"].values())


def up_and_down(count: int, ready: float) -> dict[str, int]:
    """How many workers there are before any work, during a lot of it, and after a while without."""
    client = get_client()
    counts = {"before": len(names(client))}
    futures = client.map(slow, range(count), seconds=1.0)
    client.wait_for_workers(8, timeout=ready)
    counts["during"] = len(names(client))
    client.gather(futures)
    deadline = time.monotonic() + ready
    while len(names(client)) > 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    counts["after"] = len(names(client))
    return counts


def worker_threads() -> list[tuple[int, int]]:
    """Threads and memory in MiB of each worker."""
    client = get_client()
    shapes = client.run(lambda dask_worker: (dask_worker.state.nthreads, dask_worker.memory_manager.memory_limit))
    return sorted((threads, limit // 2**20) for threads, limit in shapes.values())


def who_is_there() -> list[int]:
    return names(get_client())


def wait_for(ready: Path, go: Path) -> list[int]:
    """The workers' numbers, when a file has come to be."""
    ready.write_text("ready")
    while not go.exists():
        time.sleep(0.05)
    return names(get_client())


def slow_total(count: int, ready: Path) -> int:
    """The sum of squares below a number, of work that lasts until somebody notices."""
    ready.write_text("ready")
    return total(count, 1.0)


def total_until(count: int, ready: Path, go: Path) -> int:
    """The sum of squares below a number, again and again until a file has come to be."""
    ready.write_text("ready")
    while not go.exists():
        total(count)
    return total(count)


def dashboard() -> tuple[str, int]:
    """Where the dashboard is, and what it answers."""
    client = get_client()
    port = client.scheduler_info()["services"]["dashboard"]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/status")
        answer = connection.getresponse()
        return str(connection.host), answer.status
