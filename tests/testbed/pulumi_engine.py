"""Runs the real Pulumi CLI on a project of its own, with its state in a temporary folder."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import stacks
from tools.pulumi_env import pulumi_environment

CHECKOUT = Path(stacks.__file__).parent.parent


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What a command of the CLI has left."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The errors that the CLI ends with; those of the program stand, once more, in its list of diagnostics."""
        _, _, diagnostics = self.out.partition("Diagnostics:")
        return re.findall(r"^ *error: (.*)$", f"{diagnostics}\n{self.err}", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A Pulumi project and the environment that commands on it run in."""

    program: str
    project: Path
    state: Path
    env: Mapping[str, str]

    def run(self, *arguments: str) -> Finished:
        """One command, whatever its exit code."""
        finished = subprocess.run(
            [self.program, "--non-interactive", "--color=never", *arguments],
            cwd=self.project,
            env=self.env,
            check=False,
            capture_output=True,
            text=True,
            timeout=50,
        )
        return Finished(code=finished.returncode, out=finished.stdout, err=finished.stderr)

    def do(self, *arguments: str) -> str:
        """The output of a command that must succeed."""
        finished = self.run(*arguments)
        assert finished.code == 0, f"pulumi {' '.join(arguments)}\n{finished.out}{finished.err}"
        return finished.out

    @property
    def stacks(self) -> list[str]:
        """Files of the stacks that exist, without their backups and locks."""
        folder = self.state / ".pulumi" / "stacks"
        return sorted(path.name for path in folder.rglob("*.json")) if folder.is_dir() else []


def engine_at(folder: Path) -> Engine:
    """An engine with an empty project in a folder; skips the test, with the reason, where there is no CLI."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    env = {
        **pulumi_environment(None, inherited),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
    }
    program = shutil.which("pulumi", path=env["PATH"])
    if program is None:
        pytest.skip("no Pulumi CLI: PATH has no `pulumi`; `make test` gets one")
    for name in ("home", "state", "project"):
        (folder / name).mkdir()
    return Engine(program=program, project=folder / "project", state=folder / "state", env=env)


def penstock_at(folder: Path) -> Engine:
    """An engine in a folder with our project, copied so that nothing is written to the checkout."""
    engine = engine_at(folder)
    shutil.copy(CHECKOUT / "Pulumi.yaml", engine.project)
    shutil.copytree(CHECKOUT / "stacks", engine.project / "stacks", ignore=shutil.ignore_patterns("__pycache__"))
    # A current language host runs the project's virtual environment, an older one the python3 that is first on PATH.
    (engine.project / ".venv").symlink_to(sys.prefix)
    return engine
