"""Tasks where commands cannot be PID 1, as for users other than root: plain processes, and they still end."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.aws.conftest import Bed, bed_on
from tests.testbed.aws.handle import CHECKOUT, Aws, add_images
from tests.testbed.runner_process import await_gone

pytestmark = pytest.mark.aws

SERVER = "from tests.testbed.aws import server; server.can_have_namespaces = lambda: False; server.main()"
DEAF = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), subprocess.Popen(["sleep", "77"]).pid)
time.sleep(60)
"""


@pytest.fixture
def plain() -> Iterator[Bed]:
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            aws = Aws(endpoint=process.stdout.readline().split('"')[3])
            add_images(aws)
            with bed_on(aws) as made:
                yield made
        finally:
            process.terminate()


def test_a_task_is_a_plain_process_and_is_killed_with_all_it_has_started(plain: Bed) -> None:
    done = plain.until(plain.run("print('done'); raise SystemExit(3)"))
    assert done["containers"][0]["exitCode"] == 3
    assert plain.lines(done["taskArn"]) == ["done"]

    arn = plain.run(DEAF, stopTimeout=1)
    plain.until(arn, "RUNNING")
    plain.until_any_line(arn)
    pids = [int(word) for word in plain.lines(arn)[0].split()]
    assert pids[0] == plain.aws.processes(arn.rpartition("/")[2])["flow"] != 1
    assert os.getpgid(pids[1]) == pids[0]
    plain.stop([arn])

    assert plain.until(arn)["containers"][0]["exitCode"] == 137
    assert all(await_gone(pid) for pid in pids)
