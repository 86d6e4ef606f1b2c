"""Sets the checkout up: `python3 -m tools.setup [--with prefect] [--with policies] [--with bench] ...`.

Makes `.venv` from the lock files, and further environments for what cannot live in it. Run again, it does nothing.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools import stamp
from tools.errors import EXIT_UNAVAILABLE, CommandError, ToolError
from tools.locking import exclusive
from tools.paths import CHECKOUT, PRIVATE, PYTHON, VENV
from tools.processes import quiet
from tools.progress import step
from tools.virtualenv import create, is_usable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

UV = VENV / "bin" / "uv"
UV_LOCK = CHECKOUT / "tools" / "installer.lock"


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds what its lock files list, and this checkout."""

    folder: Path
    locks: tuple[Path, ...]
    seconds: int
    """What making it takes, about, with two processors and a fast line; for announcements."""

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Files that decide what is in it."""
        return (*self.locks, CHECKOUT / "pyproject.toml", UV_LOCK)

    @property
    def is_current(self) -> bool:
        """Whether nothing needs to be done."""
        return stamp.is_current(self.folder, self.inputs)


MAIN = Environment(VENV, (CHECKOUT / "requirements.lock", CHECKOUT / "examples" / "requirements.lock"), 30)
EXTRA = {
    "prefect": Environment(PRIVATE / "venvs" / "prefect", (CHECKOUT / "tests" / "prefect" / "requirements.lock",), 20),
    "policies": Environment(PRIVATE / "venvs" / "policies", (CHECKOUT / "policies" / "requirements.lock",), 10),
    "bench": Environment(PRIVATE / "venvs" / "metaflow", (CHECKOUT / "tests" / "bench" / "metaflow.lock",), 10),
    "dask-kubernetes": Environment(
        PRIVATE / "venvs" / "dask-kubernetes", (CHECKOUT / "tests" / "bench" / "dask_kubernetes.lock",), 10
    ),
}


def prepare(*extras: str) -> None:
    """Makes what is missing or out of date; prints nothing when that is nothing.

    Args:
        extras: Names of further environments.

    Raises:
        CommandError: An installation failed.
        UnpreparedError: The system's Python cannot make virtual environments.
    """
    if all(environment.is_current for environment in selected(extras)):
        return
    with exclusive(PRIVATE / "setup.lock", "setting this checkout up"):
        for environment in selected(extras):
            if not environment.is_current:
                _make(environment)


def selected(extras: Sequence[str]) -> list[Environment]:
    """Lists the main environment and the named ones."""
    return [MAIN, *(EXTRA[name] for name in extras)]


def seconds_needed(*extras: str) -> int:
    """Estimates how long `prepare` is going to take.

    Returns:
        Seconds; 0 when there is nothing to do.
    """
    return sum(environment.seconds for environment in selected(extras) if not environment.is_current)


def _make(environment: Environment) -> None:
    folder = environment.folder
    name = folder.relative_to(CHECKOUT)
    stamp.remove(folder)
    if not is_usable(folder):
        with step(f"Creating {name}"):
            create(folder)
    if environment is MAIN and not _has_uv():
        with step("Installing uv"):
            _run(PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", UV_LOCK)
    with step(f"Installing {' and '.join(str(lock.relative_to(CHECKOUT)) for lock in environment.locks)} into {name}"):
        # Compiled here, because the user may have told Python not to keep what it compiles.
        _uv("sync", folder, "--require-hashes", "--compile-bytecode", *environment.locks)
        _uv("install", folder, "--no-deps", "--no-build-isolation", "-e", CHECKOUT)
    if environment is MAIN:
        rooms = [room for room in ("runner", "components", "stacks") if (CHECKOUT / room).is_dir()]
        _run(PYTHON, "-m", "compileall", "-q", *rooms)
    stamp.write(folder, environment.inputs)


def _has_uv() -> bool:
    pinned = UV_LOCK.read_text().split(maxsplit=1)[0].removeprefix("uv==")
    try:
        return quiet([UV, "--version"], cwd=CHECKOUT).split()[1] == pinned
    except CommandError:
        return False


def _uv(verb: str, folder: Path, *arguments: str | Path) -> None:
    _run(UV, "pip", verb, "--quiet", "--python", folder / "bin" / "python", *arguments)


def _run(*command: str | Path) -> None:
    quiet(command, cwd=CHECKOUT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python3 -m tools.setup", description="Set this checkout up.")
    parser.add_argument(
        "--with", dest="extras", action="append", default=[], choices=sorted(EXTRA), help="a further environment"
    )
    extras = parser.parse_args(arguments).extras
    try:
        prepare(*extras)
    except ToolError as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
