"""What the bench has Dask clusters on ECS do: the flow of a run, and a program that opens a FargateCluster itself.

The bench asks through a socket of this machine, on which the test AWS' tasks are processes; the answers are numbers.
"""

import asyncio
import json
import os
import sys
import time
from multiprocessing.connection import Listener
from pathlib import Path

TASKS = 2000


def opening(parameters, options):
    """Note the time; this is called right before the cluster opens."""
    os.environ["BENCH_OPENING"] = str(time.time())


def serve(place, workers):
    """Work for the run's cluster until somebody asks for the end."""
    from distributed import get_client

    answer(get_client(), place, workers)


async def joined(dask_scheduler, workers):
    """Wait until so many workers are connected; the time then."""
    # Client.wait_for_workers looks ten times a second only.
    while len(dask_scheduler.workers) < workers:
        await asyncio.sleep(0.002)
    return time.time()


async def forgotten(dask_scheduler):
    """Wait until the scheduler knows no task any more."""
    while dask_scheduler.tasks:
        await asyncio.sleep(0.002)


def tasks(client):
    """Seconds that tasks without work take; all of them are forgotten when this returns."""
    began = time.perf_counter()
    client.gather(client.map(int, range(TASKS), pure=False))
    seconds = time.perf_counter() - began
    client.run_on_scheduler(forgotten)
    return seconds


def answer(client, place, workers):
    """Answer `opening`, `joined`, `tasks` and `end` at a socket, until the last of them."""
    said = {"opening": float(os.environ["BENCH_OPENING"])}
    said["joined"] = client.run_on_scheduler(joined, workers=workers)
    with Listener(place, family="AF_UNIX") as listener, listener.accept() as asked:
        while (question := asked.recv()) != "end":
            asked.send(tasks(client) if question == "tasks" else said[question])
        asked.send(time.time())


def main(options, place, workers):
    """Open a cluster as its users do, and answer."""
    opening(None, None)
    from dask_cloudprovider.aws import FargateCluster
    from distributed import Client, Security

    given = json.loads(Path(options).read_text())
    keys = given["environment"]["BENCH_KEYS"]
    files = {f"tls_{role}_{what}": keys for role in ("client", "scheduler", "worker") for what in ("cert", "key")}
    security = Security(tls_ca_file=keys, require_encryption=True, **files)
    with FargateCluster(**given, n_workers=workers, security=security) as cluster, Client(cluster) as client:
        answer(client, place, workers)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
