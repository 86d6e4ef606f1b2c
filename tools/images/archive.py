"""Writes an image of one layer in the format of `docker save`, which every container engine loads.

The same files, added in the same order, give the same bytes, for all times are the same.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Midnight of 1 January 2020, UTC: zip files, which wheels are, know no time before 1980.
TIME = 1577836800
CREATED = "2020-01-01T00:00:00Z"
# Names of processors as images have them, by those that Linux has for them.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Layer:
    """Files as they are added, as a tar archive in memory; all are root's unless `add` is told otherwise."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._buffer, mode="w")  # noqa: SIM115 closed by `finish`

    def add(self, member: tarfile.TarInfo, content: IO[bytes] | None = None) -> None:
        """Adds a member of another archive, with the fixed time."""
        member.mtime = TIME
        member.pax_headers = {}
        self._tar.addfile(member, content)

    def folder(self, path: str) -> None:
        """Adds a folder that everybody may read."""
        self.add(_member(path, tarfile.DIRTYPE, 0o755))

    def link(self, path: str, target: str) -> None:
        """Adds a symbolic link."""
        member = _member(path, tarfile.SYMTYPE, 0o777)
        member.linkname = target
        self.add(member)

    def file(self, path: str, content: bytes, *, mode: int = 0o644) -> None:
        """Adds a file, which everybody may read if nothing else is said."""
        member = _member(path, tarfile.REGTYPE, mode)
        member.size = len(content)
        self.add(member, io.BytesIO(content))

    def finish(self) -> bytes:
        """Returns the archive, to which nothing can be added any more."""
        self._tar.close()
        return self._buffer.getvalue()


def write(target: Path, layer: bytes, *, name: str, config: Mapping[str, Any]) -> None:
    """Writes an image to a file.

    Args:
        target: The file.
        layer: What `Layer.finish` has returned.
        name: The image's name with its tag.
        config: What an engine is told, such as `Env` and `Cmd`.
    """
    digest = hashlib.sha256(layer).hexdigest()
    description = json.dumps(
        {
            "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "created": CREATED,
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            "history": [{"created": CREATED}],
        },
        sort_keys=True,
    ).encode()
    description_name = f"{hashlib.sha256(description).hexdigest()}.json"
    manifest = [{"Config": description_name, "RepoTags": [name], "Layers": [f"{digest}.tar"]}]
    archive = Layer()
    archive.file("manifest.json", json.dumps(manifest).encode())
    archive.file(description_name, description)
    archive.file(f"{digest}.tar", layer)
    target.write_bytes(archive.finish())


def _member(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type = kind
    member.mode = mode
    return member
