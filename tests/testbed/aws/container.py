"""One container of a task, as a process of this machine."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Makes the command PID 1, as in a container; only root may."""
DEFAULT_STOP_SECONDS = 30
READER_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Image:
    """What stands for a container image."""

    bin: str
    """Folder that is first on PATH."""
    folder: str | None = None
    """Folder with what the image has in its working directory; null for nothing."""


def can_have_namespaces() -> bool:
    """Whether commands can be PID 1 of a namespace of their own."""
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


class Container:
    """A container that is up.

    Args:
        command: entry point and arguments.
        env: all of its environment.
        folder: its working directory.
        stop_seconds: time between SIGTERM and SIGKILL.
        namespace: whether it is PID 1.
        copy: called with what it prints, in a thread.

    Raises:
        RuntimeError: it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        folder: Path,
        *,
        stop_seconds: float,
        namespace: bool,
        copy: Any,
    ) -> None:
        program = shutil.which(command[0], path=env["PATH"]) if command else None
        if not program:
            raise RuntimeError(
                f"CannotStartContainerError: failed to create task for container: exec: {list(command[:1])}: "
                "executable file not found in $PATH"
            )
        # No task outlives the server, whatever ends that.
        wrap = ["setpriv", "--pdeathsig", "KILL", *(NAMESPACE if namespace else ())]
        self._namespace = namespace
        self._stop_seconds = stop_seconds
        self._process = subprocess.Popen(
            [*wrap, program, *command[1:]],
            env=env,
            cwd=folder,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=copy, args=[self._process.stdout], daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Of the command itself, as this machine counts."""
        if not self._namespace:
            return self._process.pid
        with contextlib.suppress(OSError, IndexError):
            return int(Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()[0])
        return self._process.pid

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit code; null when it is still up after that time."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self.kill()  # what it left behind
        self._reader.join(READER_SECONDS)
        if self._process.stdout is not None and not self._reader.is_alive():
            self._process.stdout.close()
        return 128 - code if code < 0 else code

    def terminate(self) -> None:
        """Ask it to end, and kill it when it does not."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        try:
            self._process.wait(self._stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill it and all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
