"""Serves until it is told to end; the first line of its output is its port, as Pulumi asks of a plugin."""

import signal
import sys
import threading

from tests.testbed.aws.provider.service import serve

ended = threading.Event()
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: ended.set())
server, port = serve()
sys.stdout.write(f"{port}\n")
sys.stdout.flush()
ended.wait()
server.stop(None).wait()
