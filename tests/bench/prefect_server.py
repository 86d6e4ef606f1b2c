"""A Prefect server on loopback, warm, with everything that it keeps in a folder of the bench."""

from __future__ import annotations

import contextlib
import socket
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from tests.bench.processes import Command, MeasurementError, started

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from subprocess import Popen

START_SECONDS = 90.0


@contextlib.contextmanager
def serving(python: Path, folder: Path, variables: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """A server that answers; it is ended on leaving.

    Args:
        python: the interpreter of the environment that Prefect is installed in.
        folder: where it keeps its database and settings.
        variables: environment variables to begin with.

    Returns:
        The environment variables for a flow that reports to it.

    Raises:
        MeasurementError: it does not come up.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    quiet = dict(variables) | {
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_ENABLED": "false",
    }
    words = (str(python), "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui")
    log = folder / "server.log"
    with started(Command(words=words, folder=folder, variables=quiet), merge_stderr=True, log=log) as server:
        _await_health(server, f"{url}/health", log)
        yield quiet | {"PREFECT_API_URL": url}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _await_health(server: Popen[bytes], url: str, log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError), direct.open(url, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)  # there is no event for a server that comes up
    raise MeasurementError(f"Prefect's server did not come up at {url}:\n{log.read_text()[-2000:]}")
