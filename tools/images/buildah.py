"""Builds images with buildah, as root, where no Docker engine and no registry is.

What it keeps from build to build is in one folder. Each call has namespaces of its own, so that a mount or a process of
a build that is killed is gone with it.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.errors import CommandError
from tools.images import debian, wheels
from tools.processes import quiet
from tools.progress import step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Ends when we do, whatever ends us, and all that it has started ends with it.
ALONE = ("setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
BUILD_IMAGE = "penstock.local/build:debian"
# Of the layers that it keeps to build faster an edit leaves about ten: small ones with overlay, whole copies with vfs.
# With more than these it starts anew, which takes half a minute and gives the space back.
MAX_LAYERS = {"overlay": 500, "vfs": 100}


def require() -> None:
    """Installs buildah where it is missing.

    Raises:
        CommandError: It is missing and we cannot install it.
    """
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise CommandError(
            "No Docker engine answers, and this is not root on Debian or Ubuntu, where images can be built without. "
            "Start Docker, or run this as root there."
        )
    if not shutil.which("buildah"):
        with step("Installing the Debian package buildah"):
            debian.install("buildah")


@dataclass(frozen=True)
class Buildah:
    """buildah with its images in a folder, to be used by one process at a time."""

    folder: Path

    @property
    def arguments(self) -> dict[str, str]:
        """Arguments of every build: our base, and the same with pip and all packages that are going to be installed."""
        return {"BASE_IMAGE": debian.NAME, "BUILD_IMAGE": BUILD_IMAGE}

    def arguments_with(self, lock: Path) -> dict[str, str]:
        """Arguments of a build that installs what a lock file lists, which is got when it is the first.

        Raises:
            CommandError: The packages cannot be had.
        """
        house = wheels.wheelhouse_of(lock, _python())
        name = BUILD_IMAGE.replace("build", f"build-{lock.parent.name}")
        self.build(house / "Dockerfile", name, {"BASE_IMAGE": BUILD_IMAGE}, house)
        return self.arguments | {"BUILD_IMAGE": name}

    def prepare(self) -> None:
        """Makes the images that all others are built on, or finds them made.

        Raises:
            CommandError: The packages of Debian or of Python cannot be had.
        """
        base = debian.base()
        house = wheels.wheelhouse(_python())
        storage, outgrown = self.folder / "storage", self.folder / "storage.old"
        if len(list(storage.glob("*-layers/*.tar-split.gz"))) > MAX_LAYERS[self._driver]:
            storage.rename(outgrown)  # half of one would not do
        shutil.rmtree(outgrown, ignore_errors=True)
        # What a killed build has left: notes of mounts that are gone, and containers that it was working in.
        shutil.rmtree(self.folder / "run", ignore_errors=True)
        self._run("rm", "--all")
        self._run("pull", "--quiet", f"docker-archive:{base / 'image.tar'}")
        self.build(house / "Dockerfile", BUILD_IMAGE, {"BASE_IMAGE": debian.NAME}, house)

    def build(self, dockerfile: Path, name: str, arguments: Mapping[str, str], context: Path) -> None:
        """Builds an image and names it, reusing the steps whose inputs are the same as before.

        Raises:
            CommandError: It cannot be built.
        """
        options = [word for item in arguments.items() for word in ("--build-arg", "=".join(item))]
        how = ("--isolation", "chroot", "--layers", "--pull-never", "--quiet")
        self._run("bud", *how, "--file", dockerfile, "--tag", name, *options, context)

    def save(self, name: str, target: Path) -> None:
        """Writes an image to a file.

        Raises:
            CommandError: It cannot be written.
        """
        self._run("push", "--quiet", name, f"docker-archive:{target}:{name}")

    @property
    def _driver(self) -> str:
        # One overlay cannot lie on another, as in a container's own file system.
        return "vfs" if quiet(["stat", "-f", "-c", "%T", self.folder], cwd=self.folder) == "overlayfs\n" else "overlay"

    def _run(self, *command: str | Path) -> None:
        places = ("--root", self.folder / "storage", "--runroot", self.folder / "run", "--storage-driver", self._driver)
        quiet([*ALONE, "buildah", *places, *command], cwd=self.folder)


def _python() -> str:
    """Returns the version of Python in our base."""
    return (debian.base() / "python-version").read_text()
