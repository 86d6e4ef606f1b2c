from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tools import processes
from tools.errors import CommandError


def test_quiet_returns_what_was_printed(tmp_path: Path) -> None:
    assert processes.quiet(["pwd"], cwd=tmp_path).strip() == str(tmp_path)


def test_quiet_shows_the_last_lines_of_a_failed_command(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"(?s)`sh -c .*` ended with exit code 3:\nreason$"):
        processes.quiet(["sh", "-c", "echo reason >&2; exit 3"], cwd=tmp_path)


def test_quiet_names_a_command_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="`no-such-command` cannot be started: No such file"):
        processes.quiet(["no-such-command"], cwd=tmp_path)


@pytest.mark.parametrize(("script", "code"), [("exit 5", 5), ("kill -9 $$", 137)])
def test_follow_returns_the_exit_code(tmp_path: Path, script: str, code: int) -> None:
    assert processes.follow(["sh", "-c", script], cwd=tmp_path, env=os.environ) == code


def test_follow_waits_for_the_command_after_ctrl_c(tmp_path: Path) -> None:
    # The group gets the signal, as from a terminal: the command ends in its own time, with its own code.
    command = "trap 'sleep 0.3; exit 7' INT; touch ready; while :; do sleep 0.05; done"
    program = (
        "import os, pathlib, sys; from tools.processes import follow\n"
        f"sys.exit(follow(['sh', '-c', {command!r}], cwd=pathlib.Path.cwd(), env=os.environ))"
    )
    root = Path(processes.__file__).parent.parent
    env = os.environ | {"PYTHONPATH": str(root)}
    child = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, env=env, start_new_session=True)
    try:
        while not (tmp_path / "ready").exists():
            time.sleep(0.01)
        os.killpg(child.pid, signal.SIGINT)
        assert child.wait(timeout=10) == 7
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def test_end_group_ends_what_the_process_started(tmp_path: Path) -> None:
    command = ["sh", "-c", "sleep 60 & echo $!; wait"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert child.stdout is not None
    grandchild = int(child.stdout.readline())
    with child.stdout:
        processes.end_group(child)
        # End of file: nobody holds the pipe any more.
        reader = threading.Thread(target=child.stdout.read, daemon=True)
        reader.start()
        reader.join(timeout=5)
        assert not reader.is_alive(), f"process {grandchild} lives on"
