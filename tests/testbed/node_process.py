"""Small servers in Python on the cluster's node, where the API server and the kubelet reach them at 127.0.0.1."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from tests.testbed.kubernetes_cluster import the_node

UNTIL_GONE = """
print("ready", flush=True)
sys.stdin.read()  # until whoever started it is gone
"""


@contextlib.contextmanager
def on_node(script: str, *arguments: str) -> Iterator[None]:
    """Run a script that imports sys and starts its server in a thread; it is up inside, and gone on leaving."""
    command = [*the_node().enter, sys.executable, "-c", script + UNTIL_GONE, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            process.stdin.close()
            process.wait(10)
