"""`python -m tests.bench.ecs_client CLIENT COUNT`: submits to ECS through one client, `penstock` or `boto3`.

The environment document comes on stdin. Prints `accepted` after the first one, and after all of them the seconds that
they took and how many were refused.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from runner import environment
from runner.request import RunRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.environment import Environment

THREADS = 16


def penstock(target: Environment) -> Callable[[RunRequest], object]:
    """Submits a run through the launcher."""
    from runner.launch.base import Reach
    from runner.launch.ecs.connect import launcher

    platform = launcher(target, Reach())
    return lambda asked: platform.submit(target, asked)


def boto3(target: Environment) -> Callable[[RunRequest], object]:
    """Makes the same call through AWS' own client."""
    import boto3 as sdk

    from runner.launch.ecs.task import render

    client = sdk.client("ecs")
    return lambda asked: client.run_task(**render(target, asked).parameters)


def main(client: str, count: int) -> None:
    """Submit, and print."""
    target = environment.read(sys.stdin.buffer.read(), warn=print)
    submit = {"penstock": penstock, "boto3": boto3}[client](target)
    batch = f"{client}-{os.urandom(3).hex()}"

    def one(number: int) -> bool:
        asked = RunRequest(
            run_id=f"{batch}-{number}", accepted_at=time.time(), flow="pprint:pprint", parameters={"object": "hello"}
        )
        try:
            submit(asked)
        except Exception as error:  # noqa: BLE001 whatever it is, it is counted
            print(error, file=sys.stderr)
            return False
        return True

    accepted = one(0)
    print("accepted" if accepted else "refused", flush=True)
    if count > 1:
        began = time.perf_counter()
        with ThreadPoolExecutor(max_workers=THREADS) as pool:
            done = list(pool.map(one, range(1, count + 1)))
        print(time.perf_counter() - began, done.count(False), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
