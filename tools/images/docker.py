"""Builds images with a Docker engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.errors import CommandError
from tools.paths import CHECKOUT
from tools.processes import quiet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def answers() -> bool:
    """Says whether there is an engine that can be used."""
    try:
        quiet(["docker", "version", "--format", "{{.Server.Version}}"], cwd=CHECKOUT)
    except CommandError:
        return False
    return True


@dataclass(frozen=True)
class Docker:
    """The engine, which takes the base image from where it takes all images."""

    @property
    def arguments(self) -> dict[str, str]:
        """Arguments of every build: the Dockerfiles' own defaults hold."""
        return {}

    def arguments_with(self, lock: Path) -> dict[str, str]:  # noqa: ARG002 its containers reach an index themselves
        """Arguments of a build that installs what a lock file lists."""
        return self.arguments

    def build(self, dockerfile: Path, name: str, arguments: Mapping[str, str], context: Path) -> None:
        """Builds an image and names it.

        Raises:
            CommandError: It cannot be built.
        """
        options = [word for item in arguments.items() for word in ("--build-arg", "=".join(item))]
        quiet(["docker", "build", "--file", dockerfile, "--tag", name, *options, context], cwd=context)

    def save(self, name: str, target: Path) -> None:
        """Writes an image to a file."""
        quiet(["docker", "save", "--output", target, name], cwd=CHECKOUT)
