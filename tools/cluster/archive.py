"""Container images as archives that `ctr images import`, `docker load` and `kind load` take."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

from tools.errors import CommandError
from tools.images.archive import Layer, write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def write_image(target: Path, *, name: str, files: Mapping[str, bytes], entrypoint: Sequence[str]) -> None:
    """Writes an image of one layer; the same arguments give the same bytes.

    Args:
        target: The archive, which is replaced.
        name: Registry, repository and tag: `example.org/thing:1`.
        files: What each path in the image holds, without a leading slash; everyone may read and execute it.
        entrypoint: The command of its containers.
    """
    layer = Layer()
    for path, content in sorted(files.items()):
        layer.file(path, content, mode=0o755)
    write(target, layer.finish(), name=name, config={"Entrypoint": list(entrypoint)})


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
