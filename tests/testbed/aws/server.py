"""The server, a process of its own: prints a line of JSON when it is ready, and ends with who started it."""

import argparse
import json
import logging
import signal
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.testbed.aws import ecs_api, logs_api, own, s3_api, secrets_api
from tests.testbed.aws import task as tasks
from tests.testbed.aws.container import can_have_namespaces
from tests.testbed.aws.door import Door


def main() -> None:
    """Serve until SIGTERM, SIGINT, or the end of stdin."""
    parser = argparse.ArgumentParser(prog="python -m tests.testbed.aws.server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--detached", action="store_true", help="go on when stdin ends")
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    ecs_api.install()
    logs_api.install()
    s3_api.install()
    secrets_api.install()
    door = Door(DomainDispatcherApplication(create_backend_app), own.answer)
    server = make_server("127.0.0.1", options.port, door, threaded=True)
    tasks.world.endpoint = f"http://127.0.0.1:{server.server_port}"
    tasks.world.namespace = can_have_namespaces()
    signal.signal(signal.SIGTERM, lambda *_: _end(server))
    signal.signal(signal.SIGINT, lambda *_: _end(server))
    print(json.dumps({"endpoint": tasks.world.endpoint, "namespace": tasks.world.namespace}), flush=True)
    if not options.detached:
        threading.Thread(target=_end_with_stdin, args=[server], daemon=True).start()
    server.serve_forever(poll_interval=0.05)
    tasks.end_all()


def _end_with_stdin(server: object) -> None:
    sys.stdin.read()
    _end(server)


def _end(server: object) -> None:
    threading.Thread(target=server.shutdown, daemon=True).start()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
