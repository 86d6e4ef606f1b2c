"""Container images as archives that `ctr images import`, `docker load` and `kind load` take."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from typing import TYPE_CHECKING

from tools.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def write_image(target: Path, *, name: str, files: Mapping[str, bytes], entrypoint: Sequence[str]) -> None:
    """Writes an image of one layer; the same arguments give the same bytes.

    Args:
        target: The archive, which is replaced.
        name: Registry, repository and tag: `example.org/thing:1`.
        files: What each path in the image holds, without a leading slash; everyone may read and execute it.
        entrypoint: The command of its containers.
    """
    layer = _tar(files, mode=0o755)
    layer_digest = hashlib.sha256(layer).hexdigest()
    config = _json(
        {
            "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {"Entrypoint": list(entrypoint)},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
        }
    )
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    layer_name = f"{layer_digest}/layer.tar"
    manifest = _json([{"Config": config_name, "RepoTags": [name], "Layers": [layer_name]}])
    target.write_bytes(_tar({"manifest.json": manifest, config_name: config, layer_name: layer}, mode=0o644))


def image_ids(archive: Path) -> dict[str, str]:
    """Reads which images are in an archive, whoever has written it.

    Returns:
        The id of each, `sha256:...`, by its name; nothing when the archive is of another kind.

    Raises:
        CommandError: It cannot be read.
    """
    try:
        with tarfile.open(archive) as parts:
            manifest = parts.extractfile("manifest.json") if "manifest.json" in parts.getnames() else None
            images = json.load(manifest) if manifest else []
    except (OSError, tarfile.TarError) as error:
        reason = getattr(error, "strerror", "it is not in the tar format")
        raise CommandError(
            f"{archive} cannot be read ({reason}). Name an archive of images as `docker save` writes it."
        ) from None
    return {
        name: f"sha256:{image['Config'].rpartition('/')[2].removesuffix('.json')}"
        for image in images
        for name in image["RepoTags"] or ()
    }


def _tar(files: Mapping[str, bytes], *, mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, data in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
