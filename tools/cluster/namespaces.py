"""The namespaces of the node: of processes, mounts and the network.

Their first process keeps them: when it ends, by whatever cause, the kernel ends every process in them, and the mounts,
interfaces and firewall rules go with the last one. Nothing has to be looked for and cleaned up.

They are known by the command line of the process that made them: no record can be lost or out of date.
"""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster.process_table import Process, processes
from tools.errors import CommandError
from tools.processes import failure

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO

    from tools.cluster.components import Component

EXEC_TRIES = 100
EXEC_SECONDS = 0.01
SET_UP = Path(__file__).resolve().parent / "config" / "node.sh"


def plain_environment() -> dict[str, str]:
    """Returns the variables for programs of the cluster; the user's settings, proxies for example, are not for them."""
    return {"PATH": os.environ.get("PATH", os.defpath)}


@dataclass(frozen=True, kw_only=True)
class Namespaces:
    """Living namespaces."""

    state: Path
    """The folder that is mounted inside as `/run/penstock`; logs go to its folder `log`."""
    first: int
    """The process id of their first process."""
    plan: str
    """What `create` was given."""

    @property
    def enter(self) -> tuple[str, ...]:
        """What a command begins with that is to run inside."""
        return ("nsenter", f"--target={self.first}", "--pid", "--mount", "--net", "--")

    def start(self, component: Component, stdin: int | IO[bytes] = subprocess.DEVNULL) -> None:
        """Starts a process inside that outlives this one; what it prints goes to `log/<name>.log`.

        Raises:
            CommandError: The namespaces are gone.
        """
        command = [*self.enter, "setsid", "--fork", component.program, *component.arguments]
        file = self.state / "log" / f"{component.name}.log"
        with file.open("ab") as log:
            done = subprocess.run(
                command, cwd="/", env=plain_environment(), stdin=stdin, stdout=log, stderr=log, check=False
            )
        if done.returncode:
            raise CommandError(failure(command, done.returncode, file.read_text(errors="replace")))

    def running(self, components: Iterable[Component]) -> dict[Component, Process]:
        """Finds the processes of those components that run."""
        for _ in range(EXEC_TRIES):
            inside = [process for process in processes() if process.parent == self.first]
            if all(process.words for process in inside):
                break
            time.sleep(EXEC_SECONDS)  # one of them is becoming another program
        return {
            component: process
            for component in components
            for process in inside
            if process.words[-len(component.arguments) :] == component.arguments
        }


def create(state: Path, first: Path, plan: str) -> Namespaces:
    """Makes new namespaces.

    Args:
        state: A new folder for their state, with a folder `log`.
        first: The program of their first process.
        plan: A word to be kept with them.

    Raises:
        CommandError: They cannot be made or set up here.
    """
    command = [*_command(state), str(first), plan]
    log = state / "log" / "node.log"
    with log.open("wb") as errors:
        child = subprocess.Popen(
            command, cwd="/", env=plain_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
            start_new_session=True,
        )  # fmt: skip
    assert child.stdout  # noqa: S101 mypy cannot know
    with child.stdout as answer:
        ready = answer.readline()
    created = find(state)
    if ready != b"ready\n" or created is None:
        child.kill()
        raise CommandError(failure(command, child.wait(), log.read_text(errors="replace")))
    child.returncode = 0  # it is to outlive this process, so nobody here waits for it
    return created


def find(state: Path) -> Namespaces | None:
    """Finds the namespaces of a state folder.

    Returns:
        None when there are none, or none any more.
    """
    for holder, first in _first_processes(state):
        return Namespaces(state=state, first=first.pid, plan=holder.words[-1])
    return None


def destroy(state: Path) -> None:
    """Ends everything in the namespaces of a state folder and waits until it has ended.

    Raises:
        CommandError: The system could not end it.
    """
    for holder, first in _first_processes(state):
        first.kill()
        holder.kill()


def _first_processes(state: Path) -> list[tuple[Process, Process]]:
    """Lists the processes that have made namespaces for a state folder, each with the first one inside."""
    command = _command(state)
    now = list(processes())
    holders = [process for process in now if process.words[: len(command)] == command]
    return [(holder, process) for holder in holders for process in now if process.parent == holder.pid]


def _command(state: Path) -> tuple[str, ...]:
    """Returns the first words of the process that makes the namespaces; the first one inside ends with it."""
    options = ("--fork", "--kill-child", "--pid", "--mount-proc", "--mount", "--net")
    return ("unshare", *options, "sh", "-eu", str(SET_UP), str(state))
