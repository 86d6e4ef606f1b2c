"""Whether a virtual environment is what its lock files ask for, answered without starting anything."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING

from tools.paths import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NAME = "penstock-stamp"


def wanted(folder: Path, inputs: Iterable[Path]) -> str:
    """Describes the environment as it should be.

    Args:
        folder: The virtual environment; scripts in it name it absolutely, so a moved one is another one.
        inputs: Files that decide what is in it; a missing one counts as empty.

    Returns:
        The text of its stamp.
    """
    digest = hashlib.sha256()
    for file in inputs:
        content = file.read_bytes() if file.is_file() else b""
        digest.update(f"{file.relative_to(CHECKOUT)} {len(content)}\n".encode() + content)
    return f"python {sys.version}\nfolder {folder}\ninputs {digest.hexdigest()}\n"


def is_current(folder: Path, inputs: Iterable[Path]) -> bool:
    """Compares the stamp in the environment with what is wanted now.

    Returns:
        False also when there is no stamp or the environment's Python or `penstock` is gone.
    """
    stamp = folder / NAME
    # exists() follows the links: a Python that was uninstalled leaves a link to nowhere.
    whole = stamp.is_file() and (folder / "bin" / "python").exists() and (folder / "bin" / "penstock").exists()
    return whole and stamp.read_text() == wanted(folder, inputs)


def remove(folder: Path) -> None:
    """Says that the environment is being changed: if that is interrupted, the next set-up finishes it."""
    (folder / NAME).unlink(missing_ok=True)


def write(folder: Path, inputs: Iterable[Path]) -> None:
    """Says that the environment is as wanted."""
    (folder / NAME).write_text(wanted(folder, inputs))
