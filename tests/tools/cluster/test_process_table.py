from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tools.cluster.process_table import Process, processes


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    # `cat` ends with its stdin, also when the test is killed.
    with subprocess.Popen(["/bin/cat", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        yield child
        child.kill()


def _found(pid: int) -> Process | None:
    return next((process for process in processes() if process.pid == pid), None)


def test_a_process_is_listed_with_its_parent_and_its_words(child: subprocess.Popen[bytes]) -> None:
    process = _found(child.pid)
    assert process
    assert (process.parent, process.words) == (os.getpid(), ("/bin/cat", "-"))


def test_a_killed_process_is_gone_at_once(child: subprocess.Popen[bytes]) -> None:
    process = _found(child.pid)
    assert process
    process.kill()
    assert _found(child.pid) is None
    process.kill()


def test_another_process_that_has_got_the_number_is_spared(child: subprocess.Popen[bytes]) -> None:
    process = _found(child.pid)
    assert process
    replace(process, started=process.started - 1).kill()
    assert child.poll() is None


def test_a_process_that_has_ended_is_not_listed_while_its_parent_has_not_asked_for_it() -> None:
    with subprocess.Popen(["/bin/true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert _found(child.pid) is None
