"""The command `penstock` as people and programs start it: a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.testbed.runner_process import FLOWS

DOCUMENT = {"schema_version": 1, "kind": "local", "name": "here", "local": {}, "timeouts": {"grace_seconds": 5}}


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed on stdout, which must be one JSON value and nothing else."""
        return json.loads(self.out)


Penstock = Callable[..., Done]


def start(*words: str, cwd: Path = FLOWS, **variables: str) -> subprocess.Popen[str]:
    """Start the command."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "runner.cli", *words],
        cwd=cwd,
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def penstock() -> Penstock:
    """Run the command to its end; no traceback is ever shown."""

    def run(*words: str, cwd: Path = FLOWS, stdin: str | None = None, **variables: str) -> Done:
        with start(*words, cwd=cwd, **variables) as process:
            out, err = process.communicate(stdin, timeout=50)
        assert "runner/cli" not in err, err
        return Done(process.returncode, out, err)

    return run


@pytest.fixture
def store(state_home: Path) -> Callable[..., Path]:
    """Put an environment document into the local store."""

    def put(name: str = "here", **fields: object) -> Path:
        path = state_home / "penstock" / "environments" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**DOCUMENT, "name": name, **fields}))
        return path

    return put


@pytest.fixture
def here(store: Callable[..., Path]) -> Path:
    """One environment in the local store."""
    return store()
