"""Waits for what no event tells."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(look: Callable[[], T | None], *, seconds: float = 20.0) -> T:
    """What a look finds, as soon as that is something.

    Raises:
        TimeoutError: it was nothing for that long.
    """
    end = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > end:
            raise TimeoutError(f"It was not so within {seconds:g} s")
        time.sleep(0.02)  # a server that is polled, as AWS is, has no event that could be awaited
    return found
