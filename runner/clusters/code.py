"""Brings the code of the run to its Dask workers: they import the flow's modules as the flow's own process does."""

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import Client, SchedulerPlugin, WorkerPlugin

from runner.attempt import Attempt
from runner.bundle import unpack
from runner.request import Bundle

NAME = "penstock-code"


@dataclass(frozen=True, kw_only=True)
class Code:
    """The flow's code, and where to import from."""

    archive: bytes | None
    """The zip; null where the code is in the image."""
    bundle: Bundle | None
    """Its size and hash."""
    folders: tuple[str, ...]
    """Where the flow's process imports from, below the bundle or in the image."""

    def bring(self, folder: str | None) -> None:
        """Unpack the code, make it the working directory, and import from there.

        Args:
            folder: what it is unpacked in; null for the usual place of temporary files.
        """
        root = Path.cwd()
        if self.archive is not None and self.bundle is not None:
            root = Path(tempfile.mkdtemp(prefix="penstock-code-", dir=folder)) / "code"
            unpack(self.archive, self.bundle, str(root))
            os.chdir(root)
        for name in reversed(self.folders):
            sys.path.insert(0, str(root / name))


class FlowCode(WorkerPlugin):  # type: ignore[misc]
    """Brings the code to a worker, before that is given tasks."""

    name = NAME

    def __init__(self, code: Code) -> None:
        self._code = code

    def setup(self, worker: Any) -> None:
        """Do it."""
        self._code.bring(worker.local_directory)


class SchedulerCode(SchedulerPlugin):  # type: ignore[misc]
    """Brings the code to a scheduler in another process than the flow's: it looks into what it passes on."""

    name = NAME

    def __init__(self, code: Code) -> None:
        self._code = code

    async def start(self, scheduler: Any) -> None:  # noqa: ARG002 Dask passes it
        """Do it."""
        self._code.bring(None)


def send_code(client: Client, attempt: Attempt, *, to_scheduler: bool = False) -> None:
    """Send the code to the workers that there are, and to each that comes.

    Args:
        client: of the cluster.
        attempt: what runs.
        to_scheduler: whether the scheduler needs it, too: one that is not in the flow's own process.
    """
    archive = bundle = None
    root = Path.cwd()
    if attempt.code is not None:
        packed, bundle = attempt.code.archive, attempt.code.bundle
        archive = Path(packed).read_bytes() if isinstance(packed, str) else packed
    place = attempt.request.flow.partition(":")[0]
    own = [Path(place).resolve().parent] if place.endswith(".py") else []
    folders = dict.fromkeys([*own, root.resolve()])
    inside = tuple(os.path.relpath(item, root.resolve()) if archive is not None else str(item) for item in folders)
    code = Code(archive=archive, bundle=bundle, folders=inside)
    client.register_plugin(FlowCode(code))
    if to_scheduler:
        client.register_plugin(SchedulerCode(code))
