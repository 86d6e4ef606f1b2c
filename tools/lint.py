"""Runs every static check and says at the end which of them failed: `python3 -m tools.lint`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools import estimate, go_tools, setup, tool_cache
from tools.errors import EXIT_UNAVAILABLE, CommandError, ToolError
from tools.paths import CHECKOUT, PYTHON, VENV
from tools.processes import follow
from tools.progress import note, step

if TYPE_CHECKING:
    from pathlib import Path

OWN_SECONDS = 30
ACTIONLINT = go_tools.GoTool("actionlint")


@dataclass(frozen=True)
class Check:
    """One command that ends with 0 when all is well."""

    name: str
    command: tuple[str | Path, ...]


def python_checks() -> list[Check]:
    """Lists the checks of the Python code and of what is generated from it."""
    tools = VENV / "bin"
    return [
        Check("ruff check", (tools / "ruff", "check", "--quiet")),
        Check("ruff format", (tools / "ruff", "format", "--check", "--quiet")),
        Check("mypy", (tools / "mypy", "--no-error-summary")),
        Check("import-linter", (tools / "lint-imports", "--no-logo")),
        Check("generated files", (PYTHON, "-m", "tools.generate", "--check")),
    ]


def workflow_check() -> Check:
    """Returns the check of the GitHub workflows, building its program the first time.

    Raises:
        CommandError: It cannot be built here.
    """

    def build(folder: Path) -> None:
        if reason := go_tools.missing():
            raise CommandError(reason)
        with step("Building actionlint"):
            ACTIONLINT.build(folder)

    folder = tool_cache.obtain(tool_cache.folder_for("actionlint", ACTIONLINT.pins), build)
    return Check("actionlint", (folder / "actionlint",))


def run(checks: list[Check]) -> list[str]:
    """Runs all of them, also after one has failed.

    Returns:
        The names of those that failed.
    """
    failed = []
    for check in checks:
        with step(check.name, own_output=True):
            if follow(check.command, cwd=CHECKOUT, env=os.environ):
                failed.append(check.name)
    return failed


def main() -> int:
    """Runs the checks.

    Returns:
        0 when all is well, 1 when a check failed.
    """
    note(f"Sets up what is missing and checks the code: {estimate.about(OWN_SECONDS + setup.seconds_needed())}.")
    try:
        setup.prepare()
    except ToolError as error:
        note(str(error))
        return EXIT_UNAVAILABLE
    checks = python_checks()
    try:
        checks.append(workflow_check())
    except CommandError as error:
        note(f"actionlint is skipped: {error}.")
    failed = run(checks)
    note(f"Failed: {', '.join(failed)}." if failed else f"All {len(checks)} checks passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
