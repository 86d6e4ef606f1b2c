"""Runs the tests with everything they need: `python3 -m tools.run_tests [--long] [PYTEST ARGUMENTS]`."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tools import estimate, pulumi_cli, setup
from tools.errors import EXIT_UNAVAILABLE, ToolError, UnavailableError
from tools.paths import CHECKOUT, PRIVATE, PYTHON
from tools.processes import follow
from tools.progress import note
from tools.pulumi_env import search_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OWN_SECONDS = 270
LONG_OWN_SECONDS = 480
# Those that go through many cases, which pyproject.toml leaves out of the others.
LONG = "--long"
EXTRAS = ("prefect", "policies")
# More processes than processors, since tests mostly wait; a file's tests share what they need, so they stay together.
DISTRIBUTED = (f"--numprocesses={min(4, (os.cpu_count() or 1) + 2)}", "--dist=loadfile", "--no-loadscope-reorder")
MEASURED = PRIVATE / "coverage"
RESULTS = PRIVATE / "test-results"
# tests/conftest.py skips the tests marked `engine` with this variable's text as the reason.
NO_ENGINE = "PENSTOCK_NO_ENGINE"
# With this variable the coverage of the tests is measured, in every process that they start; half as slow again.
# `python3 -m tools.coverage_report` tells it, over all suites that have run.
COVERAGE = "PENSTOCK_COVERAGE"


def tests_environment(cli: Path | None, reason: str) -> dict[str, str]:
    """Returns the variables for the tests: our programs on PATH, or why the engine is not among them.

    The rest of what Pulumi needs is each test's own matter, for a test keeps its state to itself.

    Args:
        cli: The folder with the Pulumi CLI, if there is one.
        reason: Why there is none.
    """
    env = dict(os.environ) | {"PATH": search_path(cli, os.environ.get("PATH", os.defpath))}
    env.pop(NO_ENGINE, None)
    return env if cli else env | {NO_ENGINE: reason}


def _engine() -> tuple[Path | None, str]:
    try:
        return pulumi_cli.obtain(), ""
    except UnavailableError as error:
        note(f"The tests marked `engine` are going to be skipped. {error}")
        return None, str(error)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Returns:
        pytest's exit code.
    """
    chosen = list(sys.argv[1:] if arguments is None else arguments)
    is_long = LONG in chosen
    chosen = [argument for argument in chosen if argument != LONG]
    # How long a choice of tests takes only the user knows.
    own = 0 if chosen else LONG_OWN_SECONDS if is_long else OWN_SECONDS
    long = estimate.with_cli(own + setup.seconds_needed(*EXTRAS))
    note(f"Sets up what is missing and runs {f'pytest {shlex.join(chosen)}' if chosen else 'the tests'}: {long}.")
    try:
        setup.prepare(*EXTRAS)
    except ToolError as error:
        note(str(error))
        return EXIT_UNAVAILABLE
    env = tests_environment(*_engine())
    if is_long:
        return run_pytest(["-m", "long and not cluster", *(chosen or DISTRIBUTED)], env, suite="long-tests")
    return run_pytest(chosen or DISTRIBUTED, env, suite="tests")


def run_pytest(arguments: Sequence[str], env: dict[str, str], *, suite: str) -> int:
    """Runs pytest, with the coverage of all that it starts where that is asked for.

    Args:
        arguments: pytest's.
        env: The variables of the tests.
        suite: Name of the files with the results, as JUnit's XML, and with the data of the coverage.

    Returns:
        pytest's exit code.
    """
    results = RESULTS / f"{suite}.xml"
    results.unlink(missing_ok=True)
    pytest = ["pytest", f"--junit-xml={results}", *arguments]
    if not env.get(COVERAGE):
        return follow([PYTHON, "-m", *pytest], cwd=CHECKOUT, env=env)
    folder = MEASURED / suite
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    env["COVERAGE_FILE"] = str(folder / "data")
    code = follow([PYTHON, "-m", "coverage", "run", "-m", *pytest], cwd=CHECKOUT, env=env)
    # Not checked: processes that the tests kill leave half-written files, which it leaves out.
    subprocess.run([PYTHON, "-m", "coverage", "combine"], cwd=CHECKOUT, env=env, capture_output=True, check=False)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
