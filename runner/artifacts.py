"""Lists the files that a run leaves behind, and reads those that are small enough to travel in its log."""

import os
import stat
from collections.abc import Iterable

from runner import contract
from runner.errors import UnavailableError
from runner.outcome import Artifact

MAX_LIST_BYTES = 256 * 1024
"""Most room, as JSON, that artifacts take in an outcome, which may have 1 MiB in all."""
MAX_CONTENT_BYTES = 1024 * 1024
"""Most bytes of artifacts, compressed, that travel in the log: a small part of the 10 MiB at which the kubelet rotates
logs (containerLogMaxSize), since who follows a log may miss what is rotated away."""


def make_folder(folder: str) -> None:
    """Make the folder that the run's files belong into, where it does not exist.

    Raises:
        UnavailableError: it cannot be made.
    """
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103 pathlib costs start-up time
    except OSError as error:
        raise UnavailableError(
            f"The folder {folder} for the run's artifacts cannot be made ({error.strerror}). "
            "Name one that can be made, below a volume that the run may write to."
        ) from None


def listed(folder: str) -> tuple[Artifact, ...]:
    """The files in the folder, in order, as many as an outcome can carry."""
    names = sorted(
        os.fsencode(os.path.relpath(os.path.join(root, name), folder)).decode(errors="backslashreplace")  # noqa: PTH118
        for root, _, names in os.walk(folder)
        for name in names
    )
    found, room = [], MAX_LIST_BYTES
    for name in names:
        artifact = Artifact(name=name, path=os.path.join(folder, name))  # noqa: PTH118
        room -= len(contract.to_bytes(artifact)) + 1
        if room < 0:
            break
        found.append(artifact)
    return tuple(found)


def contents(artifacts: Iterable[Artifact]) -> dict[str, bytes]:
    """What stands in the files by name, compressed: of the smallest ones first, as many as 1 MiB holds."""
    from runner.compression import MAX_EXPANDED_BYTES, compressed  # zlib costs start-up time

    sizes = sorted((size, item.name, item.path) for item in artifacts if (size := size_of(item.path)) is not None)
    found: dict[str, bytes] = {}
    room, rest = MAX_CONTENT_BYTES, MAX_EXPANDED_BYTES
    for size, name, path in sizes:
        data = head_of(path, rest + 1) if size <= rest else None
        if data is None or len(data) > rest:
            continue
        rest -= len(data)  # one that does not fit counts too: compressing it has taken its time
        small = compressed(data)
        if len(small) <= room:
            found[name] = small
            room -= len(small)
    return found


def size_of(path: str) -> int | None:
    """Size of a file; null for what is none, such as a pipe."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def head_of(path: str, most: int) -> bytes | None:
    """The first bytes of a file; null where it cannot be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(most)
    except OSError:
        return None
