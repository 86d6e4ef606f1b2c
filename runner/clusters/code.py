"""Brings the code of the run to its Dask workers: they import the flow's modules as the flow's own process does."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from distributed import Client, WorkerPlugin

from runner.attempt import Attempt
from runner.bundle import unpack
from runner.request import Bundle

NAME = "penstock-code"


class FlowCode(WorkerPlugin):  # type: ignore[misc]
    """Unpacks the bundle on a worker, and makes it the place to import from.

    Args:
        archive: the zip; null where the code is in the image.
        bundle: its size and hash.
        folders: where the flow's process imports from, below the bundle or in the image.
    """

    name = NAME

    def __init__(self, archive: bytes | None, bundle: Bundle | None, folders: tuple[str, ...]) -> None:
        self._archive, self._bundle, self._folders = archive, bundle, folders

    def setup(self, worker: Any) -> None:
        """Do it, before the worker is given tasks."""
        root = Path.cwd()
        if self._archive is not None and self._bundle is not None:
            root = Path(tempfile.mkdtemp(prefix="penstock-code-", dir=worker.local_directory)) / "code"
            unpack(self._archive, self._bundle, str(root))
            os.chdir(root)
        for folder in reversed(self._folders):
            sys.path.insert(0, str(root / folder))


def send_code(client: Client, attempt: Attempt) -> None:
    """Send the code to the workers that there are, and to each that comes."""
    archive = bundle = None
    root = Path.cwd()
    if attempt.code is not None:
        packed, bundle = attempt.code.archive, attempt.code.bundle
        archive = Path(packed).read_bytes() if isinstance(packed, str) else packed
    place = attempt.request.flow.partition(":")[0]
    own = [Path(place).resolve().parent] if place.endswith(".py") else []
    folders = dict.fromkeys([*own, root.resolve()])
    inside = tuple(os.path.relpath(item, root.resolve()) if archive is not None else str(item) for item in folders)
    client.register_plugin(FlowCode(archive, bundle, inside))
