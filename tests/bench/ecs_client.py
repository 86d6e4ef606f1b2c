"""`python ecs_client.py DOCUMENT COUNT`: submits to ECS through one launcher.

Prints `accepted` after the first one, and after COUNT more the seconds that they took and how many were refused.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from runner import environment
from runner.launch.base import Reach
from runner.launch.ecs.connect import launcher
from runner.request import RunRequest

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 16


def main(document: str, count: int) -> None:
    """Submit, and print."""
    target = environment.read(Path(document).read_bytes(), warn=print)
    platform = launcher(target, Reach())
    batch = f"penstock-{os.urandom(3).hex()}"

    def submit(number: int) -> None:
        asked = RunRequest(
            run_id=f"{batch}-{number}", accepted_at=time.time(), flow="pprint:pprint", parameters={"object": "hello"}
        )
        platform.submit(target, asked)

    submit(0)
    print("accepted", flush=True)
    if count:
        _many(submit, count)


def _many(submit: Callable[[int], None], count: int) -> None:
    # A process that makes one submit does not load this.
    from concurrent.futures import ThreadPoolExecutor

    def is_refused(number: int) -> bool:
        try:
            submit(number)
        except Exception as error:  # noqa: BLE001 whatever it is, it is counted
            print(error, file=sys.stderr)
            return True
        return False

    began = time.perf_counter()
    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        refused = sum(pool.map(is_refused, range(1, count + 1)))
    print(time.perf_counter() - began, refused, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
