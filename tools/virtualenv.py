"""Creates virtual environments with the system's Python, also where Debian packs that ability separately."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tools.errors import CommandError, UnpreparedError
from tools.paths import CHECKOUT
from tools.processes import quiet
from tools.progress import step

if TYPE_CHECKING:
    from pathlib import Path

DEBIAN_PACKAGE = "python3-venv"


def is_usable(folder: Path) -> bool:
    """Says whether the environment has pip and the Python that runs this."""
    python = folder / "bin" / "python"
    try:
        return quiet([python, "-c", "import pip, sys; print(sys.version)"], cwd=CHECKOUT).strip() == sys.version.strip()
    except CommandError:
        return False


def create(folder: Path) -> None:
    """Creates the environment anew, with pip in it.

    Raises:
        CommandError: It cannot be created.
        UnpreparedError: A package of the system is missing and cannot be installed by us.
    """
    _require_venv()
    shutil.rmtree(folder, ignore_errors=True)
    # Not sys.executable: in an activated environment that is the one which has just been removed.
    python = getattr(sys, "_base_executable", None) or sys.executable
    quiet([python, "-m", "venv", folder], cwd=CHECKOUT)


def _require_venv() -> None:
    if find_spec("venv") and find_spec("ensurepip"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise UnpreparedError(
            f"Python {sys.version.split()[0]} was found without `venv` and `ensurepip`. "
            f"Install the package that holds them, on Debian and Ubuntu: sudo apt-get install {DEBIAN_PACKAGE}"
        )
    with step(f"Installing the Debian package {DEBIAN_PACKAGE}"):
        unattended = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        quiet(["apt-get", "update", "-q"], cwd=CHECKOUT, env=unattended)
        quiet(["apt-get", "install", "-q", "-y", DEBIAN_PACKAGE], cwd=CHECKOUT, env=unattended)
