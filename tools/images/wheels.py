"""The Python packages that the images need, as a context for an image to build with where no index can be reached."""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
import tomllib
from pathlib import Path

from tools import setup, tool_cache
from tools.paths import CHECKOUT, PYTHON
from tools.processes import quiet
from tools.progress import step

PROJECT = CHECKOUT / "pyproject.toml"
EXTRA = "dask-cloud-provider"
LOCK = CHECKOUT / "requirements.lock"
# The package with the flights comes as source, which these build; as everywhere, their newest versions are taken.
EXAMPLES_LOCK = CHECKOUT / "examples" / "requirements.lock"
BUILDERS = ("setuptools", "wheel")
LOCKED = ("--no-deps", "--require-hashes")
OLDEST_GLIBC = 5
"""Wheels name the C library that they need at least; none an older one than 2.5."""
DOCKERFILE = """\
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY pip /usr/lib/python3/dist-packages/pip
COPY wheels /wheels
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels UV_OFFLINE=1 UV_FIND_LINKS=/wheels
"""
# On the image that the other makes: pip finds these with those.
FURTHER_DOCKERFILE = """\
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY wheels /wheels
"""


def wheelhouse(python: str) -> Path:
    """Downloads the packages, the first time.

    Args:
        python: The version of the image's Python, such as 3.11.

    Returns:
        A folder in the tool cache: a Dockerfile, pip and the packages.

    Raises:
        CommandError: They cannot be downloaded.
    """
    wanted = tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"][EXTRA]
    locks = [lock.read_bytes() for lock in (LOCK, EXAMPLES_LOCK, setup.UV_LOCK)]
    pins = [Path(__file__).read_bytes(), python.encode(), json.dumps(wanted).encode(), *locks]

    def fill(folder: Path) -> None:
        with step("Downloading the packages for the images"):
            _download(folder, python)

    return tool_cache.obtain(tool_cache.folder_for("image-wheels", pins), fill)


def wheelhouse_of(lock: Path, python: str) -> Path:
    """Downloads what a lock file lists that is one image's alone, the first time.

    Args:
        lock: The lock file; beside it, with the suffix `.in`, is what it was made from.
        python: The version of the image's Python, such as 3.11.

    Returns:
        A folder in the tool cache: a Dockerfile and the packages.

    Raises:
        CommandError: They cannot be downloaded.
    """
    pins = [Path(__file__).read_bytes(), python.encode(), lock.read_bytes(), setup.UV_LOCK.read_bytes()]
    name = lock.parent.name

    def fill(folder: Path) -> None:
        with step(f"Downloading the packages for the image with {name}"):
            (folder / "Dockerfile").write_text(FURTHER_DOCKERFILE)
            _fetch_chosen(folder, python, lock, lock.with_suffix(".in"))

    return tool_cache.obtain(tool_cache.folder_for(f"image-wheels-{name}", pins), fill)


def _download(folder: Path, python: str) -> None:
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (pip,) = PYTHON.parent.parent.glob("lib/python3*/site-packages/pip")
    shutil.copytree(pip, folder / "pip", ignore=shutil.ignore_patterns("__pycache__"))
    _fetch_chosen(folder, python, LOCK, PROJECT, f"--extra={EXTRA}", besides=("-r", setup.UV_LOCK))
    _fetch(folder, *LOCKED, "-r", EXAMPLES_LOCK)
    _fetch(folder, *BUILDERS)


def _fetch_chosen(
    folder: Path, python: str, lock: Path, source: Path, *options: str, besides: tuple[str | Path, ...] = ()
) -> None:
    """Fetches wheels for the image: of the lock file what the source needs, and all that `besides` names."""
    # The image is made of this system's packages, so its C library is this system's.
    versions = range(int(platform.libc_ver()[1].split(".")[1]), OLDEST_GLIBC - 1, -1)
    platforms = [f"--platform=manylinux_2_{version}_{platform.machine()}" for version in versions]
    binary = ("--only-binary=:all:", f"--python-version={python}", *platforms)
    with tempfile.TemporaryDirectory() as place:
        # Not the lock file itself: pip would take conditions such as the version of Python from the one that it runs
        # with.
        chosen = Path(place) / "chosen.lock"
        resolve = ("--quiet", f"--python-version={python}", "--generate-hashes", *options)
        quiet([setup.UV, "pip", "compile", *resolve, "-c", lock, "-o", chosen, source], cwd=CHECKOUT)
        _fetch(folder, *LOCKED, *binary, "-r", chosen, *besides)


def _fetch(folder: Path, *arguments: str | Path) -> None:
    quiet([PYTHON, "-m", "pip", "download", "--quiet", "--dest", folder / "wheels", *arguments], cwd=CHECKOUT)
