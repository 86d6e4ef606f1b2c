"""Progress on stderr: a line before every step that can take long, and how long it took."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Line:
    """Whether the cursor stands behind an unfinished line."""

    unfinished = False


def note(text: str) -> None:
    """Prints a line of its own, also in the middle of a step."""
    if _Line.unfinished:
        print(file=sys.stderr)
        _Line.unfinished = False
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(label: str, *, own_output: bool = False) -> Iterator[None]:
    """Prints `label … ` before the block and its seconds after it.

    Args:
        label: What is being done.
        own_output: The block prints lines itself, so the time comes on a line of its own.
    """
    if own_output:
        note(f"{label} …")
    else:
        note_start(label)
    start = time.monotonic()
    outcome = "failed after "
    try:
        yield
        outcome = ""
    finally:
        seconds = time.monotonic() - start
        if _Line.unfinished:
            print(f"{outcome}{duration(seconds)}", file=sys.stderr, flush=True)
            _Line.unfinished = False
        else:
            print(f"{label}: {outcome}{duration(seconds)}", file=sys.stderr, flush=True)


def note_start(label: str) -> None:
    """Prints `label … ` and stays on that line."""
    if _Line.unfinished:
        print(file=sys.stderr)
    print(f"{label} … ", end="", file=sys.stderr, flush=True)
    _Line.unfinished = True


def duration(seconds: float) -> str:
    """Formats seconds for people.

    Returns:
        `0.1 s`, `12 s` or `4 min 10 s`.
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"
