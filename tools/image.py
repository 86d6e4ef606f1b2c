"""Builds the container images of the runner: `python3 -m tools.image [--extras EXTRA] [--flights] [-o FILE.tar]`.

Prints the image's name and the file with it, which `docker load` and `ctr images import` take. An image is built when
one of its inputs has changed; its file is kept in `.penstock/images`.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tools import setup
from tools.errors import EXIT_UNAVAILABLE, ToolError
from tools.images import context, docker
from tools.images.buildah import Buildah, require
from tools.locking import exclusive
from tools.paths import CHECKOUT, PRIVATE
from tools.progress import step

FOLDER = PRIVATE / "images"
# Whoever has been told the name of a file may still be about to read it.
KEPT_SECONDS = 600


@dataclass(frozen=True, kw_only=True, eq=False)
class Image:
    """An image that is built from this checkout."""

    name: str
    """With a registry, so that no engine adds one of its own, and a tag other than `latest`, which would be pulled."""
    dockerfile: str
    arguments: dict[str, str] = field(default_factory=dict)
    lock: str | None = None
    """A lock file beside the Dockerfile that is for this image alone; their folder is then the context."""

    @property
    def short_name(self) -> str:
        """The name without registry and tag."""
        return self.name.rpartition("/")[2].partition(":")[0]


RUNNER = Image(name="penstock.local/runner:test", dockerfile="runner/Dockerfile")
RUNNER_DASK = Image(
    name="penstock.local/runner-dask:test", dockerfile="runner/Dockerfile", arguments={"EXTRAS": "dask"}
)
RUNNER_DASK_CLOUD_PROVIDER = Image(
    name="penstock.local/runner-dask-cloud-provider:test",
    dockerfile="runner/Dockerfile",
    arguments={"EXTRAS": "dask-cloud-provider"},
)
"""For runs on ECS, which no container runtime takes part in here: built when it is asked for."""
FLIGHTS = Image(
    name="penstock.local/flights:test",
    dockerfile="examples/flights/Dockerfile",
    arguments={"BASE_IMAGE": RUNNER_DASK.name},
)
IMAGES = (RUNNER, RUNNER_DASK, FLIGHTS)
"""In the order in which they are built on each other."""
PREFECT = Image(
    name="penstock.local/prefect:test",
    dockerfile="tests/prefect/Dockerfile",
    arguments={"BASE_IMAGE": RUNNER_DASK.name},
    lock="tests/prefect/requirements.lock",
)
"""For tests about Prefect. It takes 40 s the first time and 10 s after an edit, so that nobody else has it built."""


def archives(*further: Image) -> dict[str, Path]:
    """Builds all images, unless nothing that they are made of has changed.

    Args:
        further: What is to be built on them.

    Returns:
        Files in the format of `docker save`, by the names of the images.

    Raises:
        ToolError: They cannot be built here.
    """
    with_docker = docker.answers()
    digest = _digest(with_docker=with_docker)
    files = {image: FOLDER / f"{image.short_name}-{_digest_of(image, digest)}.tar" for image in (*IMAGES, *further)}
    if not all(file.is_file() for file in files.values()):
        setup.prepare()
        with exclusive(FOLDER / "lock", "building images"):
            if not all(file.is_file() for file in files.values()):
                _build(files, with_docker=with_docker)
    return {image.name: file for image, file in files.items()}


def _build(files: dict[Image, Path], *, with_docker: bool) -> None:
    for left in FOLDER.glob("context.*"):  # by a build that was killed
        shutil.rmtree(left)
    engine = docker.Docker() if with_docker else _buildah()
    with tempfile.TemporaryDirectory(prefix="context.", dir=FOLDER) as place:
        folder = Path(place)
        context.fill(folder)
        for image, file in files.items():
            dockerfile, files_for_it, arguments = CHECKOUT / image.dockerfile, folder, engine.arguments
            if image.lock is not None:
                files_for_it, arguments = dockerfile.parent, engine.arguments_with(CHECKOUT / image.lock)
            with step(f"Building {image.name}"):
                # One that has a file, too: the engine may know it no more, and the next is built on it.
                engine.build(dockerfile, image.name, {**arguments, **image.arguments}, files_for_it)
                if not file.is_file():
                    engine.save(image.name, folder / "image.tar")
                    (folder / "image.tar").rename(file)
    for old in FOLDER.glob("*.tar"):
        if old not in files.values() and time.time() - old.stat().st_mtime > KEPT_SECONDS:
            old.unlink()


def _buildah() -> Buildah:
    require()
    engine = Buildah(FOLDER)
    engine.prepare()
    return engine


def _digest(*, with_docker: bool) -> str:
    digest = hashlib.sha256(f"docker {with_docker}\n".encode() + Path(__file__).read_bytes())
    for path in context.inputs():
        content = path.read_bytes()
        digest.update(f"{path.relative_to(CHECKOUT)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _digest_of(image: Image, common: str) -> str:
    """Returns what names the file of an image: the digest of all, and what it alone is made of."""
    if image.lock is None:
        return common
    digest = hashlib.sha256(common.encode())
    for name in (image.dockerfile, image.lock):
        digest.update((CHECKOUT / name).read_bytes())
    return digest.hexdigest()[:16]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python3 -m tools.image", description="Build an image of the runner.")
    with_extras = {"dask": RUNNER_DASK, "dask-cloud-provider": RUNNER_DASK_CLOUD_PROVIDER}
    parser.add_argument("--extras", choices=with_extras, help="what the image is to have besides the runner")
    parser.add_argument("--flights", action="store_true", help="the flights example at /app, with Dask")
    parser.add_argument("-o", dest="output", type=Path, metavar="FILE.tar", help="where to put the file as well")
    options = parser.parse_args(arguments)
    image = FLIGHTS if options.flights else with_extras.get(options.extras, RUNNER)
    try:
        file = archives(*([] if image in IMAGES else [image]))[image.name]
    except ToolError as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    if options.output:
        file = Path(shutil.copyfile(file, options.output))
    print(image.name, file)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
