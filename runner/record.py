"""Writes the outcome's file so that a reader always finds a whole one, on a full disk too.

A platform that keeps small records only gives the file itself, mounted: its content is changed in place.
"""

import contextlib
import errno
import os
import sys
from dataclasses import replace

from runner import contract
from runner.outcome import Outcome

RESERVED_BYTES = 4096
"""Every record takes at least this much room, so that a short one can still be written in its place on a full disk."""
SHORT_MESSAGE = 500
"""Longest message, in characters, of such a short one."""


def write_outcome(path: str, outcome: Outcome, *, limit: int | None = None) -> None:
    """Put the outcome in the place of the one before, in one step.

    Where there is no room for it, it is written over the one before without its result and details. Where that cannot
    be either, a sentence on stderr says so: the exit code still tells how the run ended.

    Args:
        path: the file.
        outcome: the outcome.
        limit: most bytes that the file may have, and then it is never replaced by another file; at most a page of
            memory. Null for any number.
    """
    try:
        if limit is None:
            _replace(path, outcome)
        else:
            _overwrite(path, outcome, limit)
    except OSError as error:
        print(f"penstock: the outcome could not be written to {path} ({error.strerror}).", file=sys.stderr)


def _overwrite(path: str, outcome: Outcome, limit: int) -> None:
    from runner.trailer import shortened

    data = contract.to_bytes(shortened(outcome, limit))
    # O_CREAT on a file of somebody else's is refused in folders like /tmp (fs.protected_regular).
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | (0 if os.path.exists(path) else os.O_CREAT), 0o600)  # noqa: PTH110
    try:
        room = min(os.fstat(fd).st_size, limit)
        # The kernel copies within a page as a whole or not at all, also when this process is killed.
        os.pwrite(fd, data.ljust(room), 0)
        os.ftruncate(fd, max(len(data), room))
    finally:
        os.close(fd)


def _replace(path: str, outcome: Outcome) -> None:
    partial = f"{path}.part"
    try:
        _write(partial, outcome, os.O_CREAT | os.O_TRUNC)
        os.replace(partial, path)  # noqa: PTH105 pathlib costs start-up time
    except OSError as error:
        failure = outcome.failure
        if failure is not None:
            failure = replace(failure, message=failure.message[:SHORT_MESSAGE], detail=None)
        lost = None if outcome.result is None else f"lost, since it could not be written ({error.strerror})"
        short = replace(outcome, result=None, result_repr=lost or outcome.result_repr, failure=failure, artifacts=())
        with contextlib.suppress(OSError):  # it may not even have been made
            os.unlink(partial)  # noqa: PTH108
        try:
            _write(path, short, 0)
        except OSError:
            raise error from None  # what kept the whole one from being written says more


def _write(path: str, outcome: Outcome, flags: int) -> None:
    data = contract.to_bytes(outcome)
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | flags, 0o600)
    try:
        room = os.fstat(fd).st_size
        if not flags & os.O_CREAT and len(data) > room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # rather than half of it over the one before
        data = data.ljust(max(RESERVED_BYTES, room))
        while data:
            data = data[os.write(fd, data) :]
    finally:
        os.close(fd)
