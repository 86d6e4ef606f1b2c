"""One container of a task, as a process of this machine."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

CLONE_NEWPID = 0x20000000
"""Source: linux/sched.h; Python has it from 3.12 on."""
OWN_PROC = ("unshare", "--mount-proc")
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
    """Whether commands can be PID 1 of a namespace of their own, which only root may."""
    found: list[bool] = []

    def look() -> None:
        with contextlib.suppress(OSError):
            _unshare()
            found.append(subprocess.run([*OWN_PROC, "true"], capture_output=True, check=False).returncode == 0)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return found == [True]


def _unshare() -> None:
    """Have the next process of this very thread be the first of a namespace."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWPID) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


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
        wrap = ["setpriv", "--pdeathsig", "KILL", *(OWN_PROC if namespace else ())]
        self._command = [*wrap, program, *command[1:]]
        self._env, self._folder, self._namespace, self._copy = dict(env), folder, namespace, copy
        self._stop_seconds = stop_seconds
        self._code: int | None = None
        self._up, self._ended = threading.Event(), threading.Event()
        self._asked, self._lock = False, threading.Lock()
        # The kernel takes the end of the starting thread for the parent's: it stays as long as the process.
        threading.Thread(target=self._live, daemon=True).start()
        self._up.wait()
        if self.pid == 0:
            raise RuntimeError(f"CannotStartContainerError: {command[0]} cannot be started")
        # A thread with processes of another namespace can start no thread: that is done here.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    pid = 0
    """Of the command itself, as this machine counts."""
    _output: IO[bytes] | None = None

    def _live(self) -> None:
        try:
            if self._namespace:
                _unshare()
            process = subprocess.Popen(
                self._command,
                env=self._env,
                cwd=self._folder,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError:
            self._up.set()
            return
        self.pid, self._output = process.pid, process.stdout
        self._up.set()
        code = process.wait()
        self.kill()  # what it left behind, where it has no namespace
        self._code = 128 - code if code < 0 else code
        self._ended.set()

    def _read(self) -> None:
        assert self._output is not None
        with self._output:
            self._copy(self._output)

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit code; null when it is still up after that time."""
        if self._ended.wait(seconds):
            self._reader.join(READER_SECONDS)
        return self._code

    def terminate(self) -> None:
        """Ask it to end, once however often this is called, and kill it when it does not."""
        with self._lock:
            asked, self._asked = self._asked, True
            if not asked and not self._ended.is_set():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGTERM)
        if asked:
            self._ended.wait()
        elif not self._ended.wait(self._stop_seconds):
            self.kill()

    def kill(self) -> None:
        """Kill it and all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
