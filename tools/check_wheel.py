"""Builds the wheel and tries it as a user would: alone in an empty virtual environment, in an empty folder."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tools import setup
from tools.errors import EXIT_UNAVAILABLE, ToolError
from tools.paths import CHECKOUT, PYTHON
from tools.processes import quiet
from tools.progress import note, step


def check(folder: Path) -> str:
    """Builds, installs and tries the wheel.

    Args:
        folder: An empty folder to do it in.

    Returns:
        What `penstock --version` printed.

    Raises:
        ToolError: One of these failed.
    """
    with step("Building the wheel"):
        quiet([PYTHON, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist"], cwd=CHECKOUT)
    (wheel,) = (folder / "dist").glob("*.whl")
    venv = folder / "venv"
    with step(f"Installing {wheel.name} without anything else"):
        quiet([setup.UV, "venv", "--quiet", "--python", PYTHON, venv], cwd=folder)
        python = venv / "bin" / "python"
        quiet([setup.UV, "pip", "install", "--quiet", "--no-index", "--python", python, wheel], cwd=folder)
    elsewhere = folder / "empty"
    elsewhere.mkdir()
    # Nothing of the checkout may help: not its folder, not its environment, not the user's own packages.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    penstock = venv / "bin" / "penstock"
    with step("Running penstock --help and --version"):
        if "usage:" not in quiet([penstock, "--help"], cwd=elsewhere, env=env).lower():
            raise ToolError("`penstock --help` of the installed wheel prints no usage. Look at runner/cli.")
        return quiet([penstock, "--version"], cwd=elsewhere, env=env).strip()


def main() -> int:
    """Runs the check.

    Returns:
        0 when the wheel is good.
    """
    note("Builds the wheel and tries it in an empty environment: about 10 s.")
    try:
        setup.prepare()
        with tempfile.TemporaryDirectory(prefix="penstock-wheel-") as folder:
            print(check(Path(folder)))
    except ToolError as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
