"""Starts the runner as launchers do, as a process of its own, and tells how it ended."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FLOWS = Path(__file__).parent / "flows"
BEHAVIOURS = FLOWS / "behaviours.py"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A run that has ended."""

    exit_code: int
    outcome: dict[str, Any]
    output: bytes
    folder: Path

    @property
    def failure_class(self) -> str | None:
        return None if self.outcome["failure"] is None else self.outcome["failure"]["class"]


class RunnerProcess:
    """A runner that is up."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, output: Path) -> None:
        self.process = process
        self.folder = folder
        self.output = output

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, timeout: float = 30) -> Ended:
        code = self.process.wait(timeout)
        outcome = json.loads((self.folder / "outcome.json").read_bytes())
        return Ended(exit_code=code, outcome=outcome, output=self.output.read_bytes(), folder=self.folder)


def environment_document(changes: Mapping[str, object]) -> str:
    """The document of an environment that is local but for the changes."""
    return json.dumps({"schema_version": 1, "kind": "local", "name": "test", "local": {}, **changes})


def run_request(flow: str, parameters: Mapping[str, object], changes: Mapping[str, object]) -> str:
    """The request for a run of a flow."""
    asked = {"schema_version": 1, "run_id": "test-run", "accepted_at": time.time(), "flow": flow}
    return json.dumps({**asked, "parameters": parameters, **changes})


def write_inputs(
    folder: Path,
    flow: str,
    parameters: Mapping[str, object],
    environment: Mapping[str, object],
    request: Mapping[str, object],
) -> None:
    """Write the documents that a runner reads."""
    (folder / "environment.json").write_text(environment_document(environment))
    (folder / "request.json").write_text(run_request(flow, parameters, request))


def command(folder: Path, python: str = sys.executable) -> list[str]:
    """The command line of a runner."""
    return [
        *(python, "-P", "-m", "runner"),
        *("--environment", str(folder / "environment.json")),
        *("--request", str(folder / "request.json")),
        *("--outcome", str(folder / "outcome.json")),
        *("--artifacts", str(folder / "artifacts")),
    ]


@contextlib.contextmanager
def started(
    folder: Path,
    flow: str,
    parameters: Mapping[str, object] | None = None,
    *,
    environment: Mapping[str, object] | None = None,
    request: Mapping[str, object] | None = None,
    variables: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    wrap: Callable[[list[str]], list[str]] = lambda words: words,
    python: str = sys.executable,
) -> Iterator[RunnerProcess]:
    """A runner of a flow; whatever is left of it is killed on leaving.

    Args:
        folder: holds the documents that it reads and the records that it writes.
        flow: the flow.
        parameters: the flow's parameters.
        environment: changes to the environment document.
        request: changes to the run request.
        variables: further environment variables.
        options: further words of its command line.
        wrap: turns the command line into that of another program, which runs it.
        python: the interpreter.
    """
    write_inputs(folder, flow, parameters or {}, environment or {}, request or {})
    output = folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            wrap([*command(folder, python), *options]),
            cwd=FLOWS,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield RunnerProcess(process, folder, output)
    finally:
        process.kill()
        process.wait()


def run_flow(folder: Path, flow: str, parameters: Mapping[str, object] | None = None, **options: Any) -> Ended:
    """Run a flow to its end."""
    with started(folder, flow, parameters, **options) as runner:
        return runner.wait()


def await_file(path: Path, timeout: float = 20) -> str:
    """The text of a file as soon as another process has written it."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.01)  # a file of another process has no event that could be awaited
    raise TimeoutError(f"{path} was not written within {timeout} s")


def await_gone(pid: int, timeout: float = 10) -> bool:
    """Whether the process is gone, or a zombie, within the time."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)  # it is not our child, so there is nothing to wait for
    return False
