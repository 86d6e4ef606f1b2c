"""What the Dockerfiles copy: the wheel of the runner, and files of the checkout."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from tools.images.archive import TIME
from tools.paths import CHECKOUT, PYTHON
from tools.processes import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLIGHTS = CHECKOUT / "examples" / "flights"
LOCKS = ("requirements.lock", "tools/installer.lock", "examples/requirements.lock")
PROJECT = "pyproject.toml"
PACKAGED = ("LICENSE", "README.md")
"""What is in the wheel besides the package."""


def inputs() -> Iterator[Path]:
    """Finds every file of the checkout that decides what is in an image.

    Yields:
        Files, in a fixed order.
    """
    for name in (PROJECT, *LOCKS, *PACKAGED):
        yield CHECKOUT / name
    for folder in (CHECKOUT / "runner", FLIGHTS, CHECKOUT / "tools" / "images"):
        files = (file for file in folder.rglob("*") if file.is_file())
        yield from sorted(file for file in files if file.parent.name != "__pycache__")


def fill(folder: Path) -> None:
    """Builds the wheel and copies the rest, all with the same time, which builders take for a part of a file.

    Raises:
        CommandError: The wheel cannot be built.
    """
    quiet([PYTHON, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist"], cwd=CHECKOUT)
    for source in (*(CHECKOUT / name for name in (PROJECT, *LOCKS)), *FLIGHTS.glob("*.py")):
        target = folder / source.relative_to(CHECKOUT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for file in folder.rglob("*"):
        os.utime(file, (TIME, TIME))
