"""One at a time: two `make` runs of the same checkout, or of two checkouts that share the tool cache."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tools.progress import note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def exclusive(lock: Path, what: str) -> Iterator[None]:
    """Holds the lock file; the system lets go of it when the process ends, however it ends.

    Args:
        lock: The file; it stays, for removing it would let two processes hold two files of one name.
        what: What the other process is doing, for the line that is printed when there is one.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note(f"Another process is {what}; waiting for it …")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
