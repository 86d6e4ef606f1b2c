"""Flows that use the Dask workers of a run on Kubernetes, in every way that tests are about."""

import ctypes
import faulthandler
import logging
import os
import random
import socket
import sys
import time
from typing import Any

import helper_module
from distributed import Client, Security, get_client, get_worker


def squares(client: Client) -> dict[str, Any]:
    """Futures of a function that workers import from a module beside this file."""
    total = sum(client.gather(client.map(helper_module.square, range(20), pure=False)))
    return {"sum": total, "address": client.scheduler.address}


def spread(client: Client, workers: int) -> list[str]:
    """Use each of so many workers; the hosts that worked."""
    client.wait_for_workers(workers, timeout=60)
    futures = [client.submit(_host, pure=False, workers=[address]) for address in _workers(client)]
    return sorted(client.gather(futures))


def work(client: Client, tasks: int = 60, seconds: float = 0.1, workers: int = 1) -> dict[str, Any]:
    """Tasks that take a while, with a word when the first has ended."""
    client.wait_for_workers(workers, timeout=60)
    futures = client.map(_slow, range(tasks), seconds=seconds, pure=False)
    futures[0].result()
    print("working", flush=True)
    results = client.gather(futures)
    return {"sum": sum(number for number, _ in results), "workers": sorted({name for _, name in results})}


def take_much_memory(client: Client) -> dict[str, Any]:
    """Tasks of which those on the first worker take all the memory that there is."""
    client.wait_for_workers(2, timeout=60)
    results = client.gather(client.map(_greedy, range(30), pure=False))
    return {"sum": sum(number for number, _ in results), "workers": sorted({name for _, name in results})}


def come_and_go(client: Client) -> dict[str, Any]:
    """Nothing to do, much to do, little to keep: how many workers there are, and whether all results are."""
    idle = len(_workers(client))
    futures = client.map(_random, range(400), seconds=0.2, pure=False)
    most = 0
    while not all(future.done() for future in futures):
        most = max(most, len(_workers(client)))
        time.sleep(0.1)
    values = client.gather(futures)
    print("done", flush=True)
    until = time.monotonic() + 60
    while len(_workers(client)) > 1 and time.monotonic() < until:
        time.sleep(0.1)
    return {
        "idle": idle,
        "most": most,
        "at last": len(_workers(client)),
        "kept": client.gather(futures) == values,
        "results": len(values),
    }


def shrink(client: Client) -> dict[str, Any]:
    """Leave three of four workers while each alone holds results."""
    client.wait_for_workers(4, timeout=60)
    futures = [client.submit(_random, i, pure=False, workers=[address]) for i, address in enumerate(_workers(client))]
    values = client.gather(futures)
    client.cluster.scale(1)
    until = time.monotonic() + 30
    while len(_workers(client)) > 1 and time.monotonic() < until:
        time.sleep(0.05)
    return {"workers": len(_workers(client)), "kept": client.gather(futures) == values}


def hold(client: Client) -> bool:
    """Keep results on each of two workers until one of them has been replaced: whether they are the same then."""
    client.wait_for_workers(2, timeout=60)
    before = set(_workers(client))
    futures = [client.submit(_random, i, pure=False, workers=[address]) for i, address in enumerate(before)]
    values = client.gather(futures)
    print("up", flush=True)
    until = time.monotonic() + 60
    while (len(_workers(client)) < 2 or set(_workers(client)) == before) and time.monotonic() < until:
        time.sleep(0.05)
    return set(_workers(client)) != before and client.gather(futures) == values


def crash_once(client: Client) -> str:
    """End with a segmentation fault, unless this is not the first pod of the run."""
    client.wait_for_workers(1, timeout=60)
    if client.submit(_random, 1, pure=False).result() and not os.environ.get("AGAIN"):
        print("crashing", flush=True)
        ctypes.string_at(0)
    return "not reached"


def shrink_to_nothing(client: Client) -> bool:
    """Ask the last worker to leave while it holds a result that nobody else can take."""
    client.wait_for_workers(1, timeout=60)
    future = client.submit(_random, 1, pure=False)
    value = future.result()
    client.cluster.scale(0)
    time.sleep(3)
    return bool(future.result() == value)


def settings(client: Client) -> dict[str, Any]:
    """What reached the processes that it is meant for."""
    stealing = client.run_on_scheduler(lambda dask_scheduler: "stealing" in dask_scheduler.extensions)
    ((threads, limit),) = {
        (info["nthreads"], info["memory_limit"]) for info in client.scheduler_info(n_workers=-1)["workers"].values()
    }
    return {
        "stealing": stealing,
        "threads": threads,
        "memory_mib": limit // 2**20,
        "variables": client.submit(_variables, pure=False).result(),
        "same image": client.get_versions(check=True)["client"]["host"],
    }


def talk(client: Client, workers: int, stay: bool = False) -> int:
    """Have each worker print, in Python and from a program."""
    client.wait_for_workers(workers, timeout=60)
    futures = [
        client.submit(_talk, i, pure=False, workers=[address]) for i, address in enumerate(sorted(_workers(client)))
    ]
    total = sum(client.gather(futures))
    if stay:
        print("up", flush=True)
        time.sleep(120)
    return total


def die_talking(client: Client) -> int:
    """Have the first worker end with a segmentation fault."""
    client.wait_for_workers(2, timeout=60)
    return sum(client.gather(client.map(_die_talking, range(80), pure=False)))


def addresses() -> dict[str, list[str]]:
    """Addresses on which the run's pod and its workers accept connections."""
    client = get_client()
    return {"run": _listening(), "worker": client.submit(_listening, pure=False).result()}


def stay(client: Client, workers: int = 1) -> None:
    """Tell where the cluster is, and stay."""
    client.wait_for_workers(workers, timeout=60)
    print("up", client.scheduler.address, *sorted(_workers(client)), flush=True)
    time.sleep(120)


def knock(places: list[str]) -> dict[str, str]:
    """Try to connect to somebody else's cluster in every way but the right one."""
    keys = {"without": None, "with other keys": Security.temporary()}
    found = {}
    for place in places:
        for name, security in keys.items():
            found[f"{place} {name}"] = _knocked(place, security)
        found[f"{place} in plain text"] = _knocked(place.replace("tls://", "tcp://"), None)
    return found


def _knocked(place: str, security: Security | None) -> str:
    try:
        with Client(place, security=security, timeout=2) as client:
            return f"connected: {client.scheduler_info()}"
    except Exception as error:  # noqa: BLE001 each way fails in its own
        return type(error).__name__


def _workers(client: Client) -> list[str]:
    return list(client.scheduler_info(n_workers=-1)["workers"])


def _host() -> str:
    return socket.gethostname()


def _slow(number: int, seconds: float) -> tuple[int, int]:
    time.sleep(seconds)
    return number, get_worker().name


def _greedy(number: int) -> tuple[int, int]:
    name = get_worker().name
    held = []
    while name == 0:
        held.append(bytearray(16 * 2**20))
    time.sleep(0.1)
    return number, name


def _random(number: int, seconds: float = 0.0) -> float:
    time.sleep(seconds)
    return number + random.random()  # noqa: S311 each time another one


def _talk(number: int) -> int:
    print(f"hello from {get_worker().name}")
    print(f"trouble with {get_worker().name}", file=sys.stderr)
    logging.getLogger("flow").info("logged")
    return number


def _die_talking(number: int) -> int:
    if get_worker().name == 0:
        faulthandler.enable()
        ctypes.string_at(0)
    time.sleep(0.1)
    return number


def _variables() -> list[str]:
    return sorted(name for name in os.environ if name.startswith("PENSTOCK") or name in {"MODE", "TOKEN"})


def _listening() -> list[str]:
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        with open(f"/proc/self/net/{table}") as lines:  # noqa: PTH123
            for line in list(lines)[1:]:
                place, state = line.split()[1], line.split()[3]
                host, port = place.split(":")
                if state == "0A":
                    raw = b"".join(bytes.fromhex(host[i : i + 8])[::-1] for i in range(0, len(host), 8))
                    found.add(f"{socket.inet_ntop(family, raw)}:{int(port, 16)}")
    return sorted(found)
