"""The cgroup below which the node's pods are, in every hierarchy of the machine."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path("/sys/fs/cgroup")
REMOVE_SECONDS = 10


def create(name: str) -> None:
    """Makes the cgroup; of version 2, with every controller that the machine has."""
    for hierarchy in _hierarchies():
        if (controllers := hierarchy / "cgroup.controllers").is_file():
            enabled = " ".join(f"+{controller}" for controller in controllers.read_text().split())
            (hierarchy / "cgroup.subtree_control").write_text(enabled)
        (hierarchy / name).mkdir(exist_ok=True)


def remove(name: str) -> None:
    """Removes the cgroup and all below it, whose processes have been killed; does nothing when it is not there.

    Raises:
        CommandError: Processes are left in it.
    """
    deadline = time.monotonic() + REMOVE_SECONDS
    for hierarchy in _hierarchies():
        for folder, _, _ in os.walk(hierarchy / name, topdown=False):
            while not _removed(Path(folder)):
                if time.monotonic() > deadline:
                    raise CommandError(f"Processes are left in the cgroup {folder}. End them, then run this again.")
                time.sleep(0.05)  # the system does not tell when the last one has left


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno == errno.EBUSY:
            return False
        raise
    return True


def _hierarchies() -> Iterator[Path]:
    """Lists the mounted hierarchies: one of version 2, or one for each controller of version 1."""
    if (ROOT / "cgroup.procs").is_file():
        yield ROOT
        return
    for folder in ROOT.iterdir():
        if not folder.is_symlink() and (folder / "cgroup.procs").is_file():
            yield folder
