"""Finds a folder for temporary files in a container whose root file system may be read-only."""

import os

CANDIDATES = ("/tmp", "/dev/shm")  # noqa: S108 a container has both for itself
"""The second is memory, 64 MiB of it on Kubernetes; every container has it, also one with no other place to write."""


def temporary_folder() -> str:
    """The folder that TMPDIR names, else /tmp, else where else something can be written.

    TMPDIR and HOME are set where what they would stand for cannot be written, so that Python's `tempfile` and whatever
    keeps files at home find a place.
    """
    folder = os.environ.get("TMPDIR") or next((item for item in CANDIDATES if _is_writable(item)), CANDIDATES[0])
    if folder != CANDIDATES[0]:
        os.environ["TMPDIR"] = folder
    if not _is_writable(os.environ.get("HOME", "")):
        os.environ["HOME"] = folder
    return folder


def _is_writable(folder: str) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)
