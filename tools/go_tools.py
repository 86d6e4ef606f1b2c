"""Builds tools from Go modules whose versions and checksums are pinned in `tools/go/<name>/`."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.errors import CommandError
from tools.paths import GO_PINS
from tools.processes import TAIL, failure, quiet
from tools.progress import duration, note

if TYPE_CHECKING:
    from pathlib import Path

MINIMUM_GO = (1, 26)
NOTE_EVERY_SECONDS = 20


@dataclass(frozen=True)
class GoTool:
    """The programs that the `tool` lines of a pinned module name."""

    name: str
    """The folder below `tools/go`."""
    link: str = ""
    """Linker flags, for the version that the program reports."""
    tags: str = ""
    """Build tags."""

    @property
    def pins(self) -> tuple[bytes, ...]:
        """Everything that decides what is built."""
        folder = GO_PINS / self.name
        return (
            (folder / "go.mod").read_bytes(),
            (folder / "go.sum").read_bytes(),
            self.link.encode(),
            self.tags.encode(),
            *(source.read_bytes() for source in sorted(folder.rglob("*.go"))),
        )

    def build(self, target: Path, source: Path | None = None) -> None:
        """Compiles the programs into a folder; says every now and then how far it is.

        Args:
            target: The folder.
            source: A copy of the pinned module with more in it, where that itself is not enough.

        Raises:
            CommandError: It cannot be built.
        """
        flags = [
            "-v",
            "-trimpath",
            "-buildvcs=false",
            "-mod=readonly",
            f"-tags={self.tags}",
            f"-ldflags=-s -w {self.link}",
        ]
        _watch(
            ["go", "install", *flags, "tool"], source or GO_PINS / self.name, _environment() | {"GOBIN": str(target)}
        )

    def module_folder(self, module: str) -> Path:
        """Finds the source of one of the modules that the programs are built from."""
        found = quiet(["go", "list", "-m", "-f", "{{.Dir}}", module], cwd=GO_PINS / self.name, env=_environment())
        return type(GO_PINS)(found.strip())


def parse_go_version(text: str) -> tuple[int, int] | None:
    """Reads what `go env GOVERSION` prints.

    Returns:
        Major and minor number; None when it is something else, a development version for example.
    """
    match = re.match(r"go(\d+)\.(\d+)", text.strip())
    return (int(match[1]), int(match[2])) if match else None


def missing() -> str | None:
    """Says why nothing can be built here.

    Returns:
        Half a sentence, or None when a Go that is new enough is there.
    """
    wanted = ".".join(map(str, MINIMUM_GO))
    try:
        text = quiet(["go", "env", "GOVERSION"], cwd=GO_PINS, env=_environment())
    except CommandError:
        return f"Go {wanted} is not installed"
    version = parse_go_version(text)
    return None if version and version >= MINIMUM_GO else f"{text.strip()} is installed where Go {wanted} is needed"


def _environment() -> dict[str, str]:
    # The module proxy and everything else stay as the machine has them; only what decides the result is fixed. GOOS and
    # GOARCH of a user who cross-compiles would give a program that cannot run here, and Go refuses GOBIN then.
    env = {name: value for name, value in os.environ.items() if name not in {"GOOS", "GOARCH"}}
    return env | {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOWORK": "off"}


def _watch(command: list[str], folder: Path, env: dict[str, str]) -> None:
    """Runs `go install -v`, which prints one line for each package that it compiles."""
    start = last = time.monotonic()
    packages = 0
    tail: deque[str] = deque(maxlen=TAIL)
    with subprocess.Popen(
        command, cwd=folder, env=env, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as child:
        for line in child.stderr or ():
            tail.append(line)
            packages += not line.startswith("go: ")
            if time.monotonic() - last >= NOTE_EVERY_SECONDS:
                last = time.monotonic()
                note(f"    {duration(last - start)}: {packages} packages compiled")
    if child.returncode:
        raise CommandError(failure(command, child.returncode, "".join(tail)))
