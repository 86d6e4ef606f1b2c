"""What the bench measures Penstock in: its wheel in a virtual environment, as a user has it, and a folder for the rest.

Nothing of the checkout's own environment is in it: what developers install there adds to every start of Python.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.processes import Command, clean_variables
from tools.paths import CHECKOUT, PYTHON
from tools.processes import quiet
from tools.setup import UV

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FLOWS = Path(__file__).parent / "flows"


@dataclass(frozen=True, kw_only=True)
class Bed:
    """The folder of one run of the bench."""

    folder: Path

    @property
    def bin(self) -> Path:
        """Folder with `python` and `penstock`."""
        return self.folder / "venv" / "bin"

    @property
    def flows(self) -> Path:
        """Folder with the flows, in which the commands run."""
        return self.folder / "flows"

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables of every command: everything that it keeps goes to the folder, and no proxy helps."""
        return clean_variables(os.environ) | {
            "HOME": str(self.folder / "home"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "NO_PROXY": "*",
            "no_proxy": "*",
        }

    def command(self, program: str | Path, *words: str | Path, variables: Mapping[str, str] | None = None) -> Command:
        """A command that is started in the folder with the flows.

        Args:
            program: a path, or the name of a program beside `python`.
            words: its arguments.
            variables: further environment variables.
        """
        return Command(
            words=(str(self.bin / program), *map(str, words)),
            folder=self.flows,
            variables=self.variables | dict(variables or {}),
        )

    def runner(self, flow: str) -> Command:
        """The runner of a flow, as launchers start it."""
        request = self.folder / f"{flow}.request.json"
        asked = {"schema_version": 1, "run_id": "bench", "accepted_at": time.time(), "flow": f"{flow}.py:main"}
        request.write_text(json.dumps(asked))
        documents = ("--environment", self.environment, "--request", request)
        return self.command("python", "-P", "-m", "runner", *documents)

    @property
    def environment(self) -> Path:
        """The environment document, in the local store."""
        return self.folder / "state" / "penstock" / "environments" / "local.json"


@contextlib.contextmanager
def made() -> Iterator[Bed]:
    """A bed that is removed on leaving.

    Raises:
        CommandError: the wheel cannot be built or installed.
    """
    folder = Path(tempfile.mkdtemp(prefix="penstock-bench-"))
    try:
        bed = Bed(folder=folder)
        shutil.copytree(FLOWS, bed.flows, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "home").mkdir()
        bed.environment.parent.mkdir(parents=True)
        bed.environment.write_text(json.dumps({"schema_version": 1, "kind": "local", "name": "local", "local": {}}))
        quiet([PYTHON, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "wheel"], cwd=CHECKOUT)
        (wheel,) = (folder / "wheel").glob("*.whl")
        quiet([UV, "venv", "--quiet", "--python", PYTHON, folder / "venv"], cwd=folder)
        install = (UV, "pip", "install", "--quiet", "--no-index", "--compile-bytecode")
        quiet([*install, "--python", bed.bin / "python", wheel], cwd=folder)
        yield bed
    finally:
        shutil.rmtree(folder, ignore_errors=True)
