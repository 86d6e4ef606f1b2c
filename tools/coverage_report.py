"""Tells what the tests have covered, over all suites that have run: `python3 -m tools.coverage_report`."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tools.paths import CHECKOUT, PYTHON
from tools.processes import follow
from tools.run_tests import MEASURED

if TYPE_CHECKING:
    from pathlib import Path


def main() -> int:
    """Runs the command line.

    Returns:
        The exit code; not 0 when less is covered than pyproject.toml asks for.
    """
    env = os.environ | {"COVERAGE_FILE": str(MEASURED / "all")}
    suites = sorted(MEASURED.glob("*/data"))
    combine: list[str | Path] = [PYTHON, "-m", "coverage", "combine", "--keep", *suites]
    subprocess.run(combine, cwd=CHECKOUT, env=env, capture_output=True, check=False)
    return follow([PYTHON, "-m", "coverage", "report", "--skip-covered"], cwd=CHECKOUT, env=env)


if __name__ == "__main__":
    raise SystemExit(main())
