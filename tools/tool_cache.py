"""Tools that are expensive to get: got once, kept outside the checkout, whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tools.locking import exclusive
from tools.paths import tool_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def folder_for(name: str, pins: Iterable[bytes]) -> Path:
    """Names the folder of a tool: other pins, another folder.

    Args:
        name: The tool.
        pins: Everything that decides what is in the folder.
    """
    digest = hashlib.sha256()
    for pin in pins:
        digest.update(f"{len(pin)} ".encode() + pin)
    return tool_cache() / f"{name}-{digest.hexdigest()[:16]}"


def obtain(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Returns the folder, filling it first when it is not there.

    It is filled under another name and then renamed, so that nobody sees half of it; a lock keeps a second process from
    doing the same work at the same time.

    Args:
        folder: The folder, named by `folder_for`.
        fill: Puts the tool into the folder it is given; what it raises is passed on and leaves nothing behind.
    """
    if folder.is_dir():
        return folder
    with exclusive(folder.with_name(f"{folder.name}.lock"), f"getting {folder.name}"):
        if folder.is_dir():
            return folder
        _sweep(folder)
        partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".partial", dir=folder.parent))
        try:
            fill(partial)
            partial.chmod(0o755)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


def _sweep(folder: Path) -> None:
    """Removes what a process left that was killed while it filled the folder; we hold the lock, so none is at work."""
    for partial in folder.parent.glob(f"{folder.name}.*.partial"):
        shutil.rmtree(partial, ignore_errors=True)
