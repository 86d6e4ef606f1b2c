"""The test AWS, to try Penstock on without an account: `python3 -m tools.aws up|down`.

It is not AWS: see tests/testbed/aws/README.md. `up` prints the path of a file that a shell reads to use it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tools import pulumi_cli, setup
from tools.errors import EXIT_UNAVAILABLE, CommandError, ToolError
from tools.locking import exclusive
from tools.paths import CHECKOUT, PRIVATE, PYTHON
from tools.processes import quiet
from tools.progress import note, step
from tools.pulumi_env import pulumi_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STATE = PRIVATE / "aws"
SERVER = "tests.testbed.aws.server"
PROVIDER = CHECKOUT / "tests" / "testbed" / "aws" / "provider" / "bin"
START_SECONDS = 60
END_SECONDS = 15
POLL_SECONDS = 0.05
REACHABLE = "127.31.0.0/16"
"""A range for a network of which tasks listen on their addresses."""
UNSET = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
"""The user's own way to AWS, which would be taken first."""


def up(state: Path) -> Path:
    """Starts the server when it is not up.

    Args:
        state: Folder for its process id, its log, the file for shells, and Pulumi's state of stacks on it.

    Returns:
        The file for shells.

    Raises:
        ToolError: It cannot be had here.
    """
    if not Path("/proc/self/stat").exists():
        raise CommandError("The test AWS runs on Linux only: its tasks are processes of this machine.")
    setup.prepare()
    with exclusive(_lock(state), "starting or ending the test AWS"):
        shell = state / "env"
        if running(state) is not None and shell.exists():
            note("The test AWS is up already.")
        else:
            _end(state)
            with step("Starting the test AWS"):
                _start(state)
        _explain(shell)
    return shell


def down(state: Path) -> None:
    """Ends the server with its tasks, and removes all that it has left."""
    with exclusive(_lock(state), "starting or ending the test AWS"):
        _end(state)


def running(state: Path) -> int | None:
    """Returns the process id of the server; None when it is not up."""
    with contextlib.suppress(OSError, ValueError):
        pid, began = (state / "pid").read_text().split()
        if _began(int(pid)) == began:
            return int(pid)
    return None


def _began(pid: int) -> str | None:
    """Returns when the process began, which tells it from a later one with its id; None when it is not our server."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if SERVER.encode() in words and fields[0] != "Z":
            return fields[19]
    return None


def _start(state: Path) -> None:
    state.mkdir(parents=True)
    said, log = state / "server.json", state / "log"
    with said.open("w") as output, log.open("w") as errors:
        server = subprocess.Popen(
            [PYTHON, "-m", SERVER, "--detached"],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
    try:
        limit = time.monotonic() + START_SECONDS
        while not said.read_text().endswith("\n"):
            if server.poll() is not None or time.monotonic() > limit:
                raise CommandError(f"The test AWS has not come up. It has written {log}:\n{log.read_text()}")
            time.sleep(POLL_SECONDS)
        (state / "pid").write_text(f"{server.pid} {_began(server.pid)}\n")
        endpoint = json.loads(said.read_text())["endpoint"]
        there = json.loads(quiet([PYTHON, "-m", "tests.testbed.aws.furnish", endpoint], cwd=CHECKOUT))
    except BaseException:
        server.kill()
        server.wait()
        raise
    variables = {
        **there["env"],
        "PENSTOCK_AWS_VPC": there["vpc"],
        "PENSTOCK_AWS_SUBNETS": json.dumps(there["subnets"]),
        **_for_pulumi(state),
    }
    (state / "env").write_text(_script(variables))


def _for_pulumi(state: Path) -> dict[str, str]:
    """Lists variables for stacks whose state goes when the server goes, as what they have made does."""
    stacks = state / "stacks"
    stacks.mkdir()
    found = pulumi_environment(pulumi_cli.at_hand(), {"PATH": ""})
    del found["NO_COLOR"]
    # On a shell's PATH, and not that of this process.
    path = f"{PROVIDER}{os.pathsep}{found['PATH']}"
    return {**found, "PULUMI_BACKEND_URL": f"file://{stacks}", "PATH": path}


def _script(variables: Mapping[str, str]) -> str:
    lines = [f"unset {' '.join(UNSET)}"]
    for name, value in variables.items():
        behind = '"${PATH:+:$PATH}"' if name == "PATH" else ""
        lines.append(f"export {name}={shlex.quote(value)}{behind}")
    return "\n".join([*lines, ""])


def _explain(shell: Path) -> None:
    place = shlex.quote(str(shell.relative_to(CHECKOUT) if shell.is_relative_to(CHECKOUT) else shell))
    if pulumi_cli.at_hand() is None:
        note("There is no Pulumi CLI yet: `make demo` gets one.")
    note(
        "It is not AWS (tests/testbed/aws/README.md), and forgets everything when it ends. In a shell:\n"
        f"  . {place}\n"
        "  pulumi stack select --create fargate-task && pulumi up -s fargate-task\n"
        "  penstock env pull --ssm fargate-task\n"
        "  penstock run examples/flights/flow.py:main --env fargate-task -p minimum_delay=15\n"
        "Dask workers reach their run at its address, which has to be one of this machine:\n"
        "  pulumi stack select --create dask-cloud-provider\n"
        f"  pulumi up -s dask-cloud-provider -c penstock:network_cidr={REACHABLE}\n"
        "A network for other tasks that are reached is in $PENSTOCK_AWS_VPC and $PENSTOCK_AWS_SUBNETS. "
        "`make aws-down` ends it."
    )


def _end(state: Path) -> None:
    pid = running(state)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        limit = time.monotonic() + END_SECONDS
        while running(state) is not None:
            if time.monotonic() > limit:
                os.kill(pid, signal.SIGKILL)
                limit = time.monotonic() + END_SECONDS
            time.sleep(POLL_SECONDS)
    shutil.rmtree(state, ignore_errors=True)


def _lock(state: Path) -> Path:
    return state.with_name(f"{state.name}.lock")


def main(words: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python3 -m tools.aws", description="The test AWS of this checkout.")
    parser.add_argument("verb", choices=["up", "down"])
    parser.add_argument("--state", type=Path, default=STATE, metavar="FOLDER", help="where it keeps what it writes")
    chosen = parser.parse_args(words)
    try:
        if chosen.verb == "up":
            print(up(chosen.state.absolute()))
        else:
            down(chosen.state.absolute())
    except ToolError as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
