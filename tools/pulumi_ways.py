"""The two ways to get a Pulumi CLI that is not there yet: the official installer, and a build from its Go modules."""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
from contextlib import nullcontext
from pathlib import Path

from tools import go_tools, tool_cache
from tools.errors import CommandError
from tools.paths import CHECKOUT, GO_PINS, PYTHON
from tools.processes import end_group, quiet
from tools.progress import step

START_SECONDS = 20
ANSWER_SECONDS = 5
DOWNLOAD_SECONDS = 600
SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
VERSION_VARIABLE = f"{SDK_MODULE}/go/common/version.Version"
# The newest CLI whose module and those it needs can be had as modules.
CLI = go_tools.GoTool("pulumi", link=f"-X {VERSION_VARIABLE}=v3.259.0", tags="osusergo,grpcnotrace")
# The Python language host has moved to a module that is not published; this is the last version of the SDK with it.
# It reads no runtime options (virtualenv, toolchain) of a program: it runs the python3 that is first on PATH. Those of
# plugins and policy packs it learns from our own tools/go/pulumi-language-python/plugins.go.
HOST = go_tools.GoTool("pulumi-language-python", link=f"-X {VERSION_VARIABLE}=v3.79.0")
HOST_SOURCE = "python/cmd/pulumi-language-python/main.go"
TAKEN_OVER = (") RunPlugin(", ") runNamedPlugin(")
"""What our own file does in the place of the host's source, and how it calls that."""


def cache_folder() -> Path:
    """Names the folder that either way fills; its `bin` holds the programs."""
    requirements = (CHECKOUT / "requirements.lock").read_text()
    sdk = re.search(r"^pulumi==\S+", requirements, re.MULTILINE)
    return tool_cache.folder_for("pulumi", [(sdk[0] if sdk else "").encode(), *CLI.pins, *HOST.pins])


def install(folder: Path) -> None:
    """Fills the folder with the official installer's help.

    Raises:
        CommandError: It is not reachable or fails; one short clause.
    """
    if not PYTHON.exists():
        raise CommandError("its official installer needs the set-up of this checkout")
    with tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(
            [PYTHON, "-m", "tools.pulumi_installer", folder],
            cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            _await(child)
        finally:
            end_group(child)
        if child.returncode:
            errors.seek(0)
            last = (errors.read().strip().splitlines() or ["no message"])[-1]
            raise CommandError(f"its official installer failed ({last})")
    if not (folder / "bin" / "pulumi-language-python").is_file():
        raise CommandError("its official installer left no Python language host")


def _await(child: subprocess.Popen[str]) -> None:
    """Gives the network seconds to answer and the download minutes."""
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        with child.stdout or nullcontext(()) as output:
            for line in output:
                lines.put(line.strip())
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    if _next(lines, START_SECONDS) != "asking" or _next(lines, ANSWER_SECONDS) != "answered":
        raise CommandError("its official installer cannot be reached from here")
    with step("Downloading Pulumi with its official installer"):
        try:
            child.wait(DOWNLOAD_SECONDS)
        except subprocess.TimeoutExpired:
            raise CommandError(f"its official installer was not done after {DOWNLOAD_SECONDS // 60} minutes") from None


def _next(lines: queue.Queue[str], seconds: float) -> str:
    try:
        return lines.get(timeout=seconds)
    except queue.Empty:
        return ""


def build(folder: Path) -> None:
    """Fills the folder from the pinned Go modules.

    Raises:
        CommandError: It cannot be built.
    """
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    with step("Building the Pulumi CLI, 1/3: the CLI (about 4 min, unless Go has compiled it before)"):
        CLI.build(programs)
    with step("Building the Pulumi CLI, 2/3: the Python language host (about 15 s)"):
        _build_host(programs)
    with step("Building the Pulumi CLI, 3/3: trying it"):
        sdk = CLI.module_folder(SDK_MODULE) / "python"
        for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
            copy = shutil.copyfile(sdk / script, programs / Path(script).name)
            copy.chmod(0o755)
        quiet([programs / "pulumi", "version"], cwd=folder, env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "1"})


def _build_host(programs: Path) -> None:
    """Builds the language host from its own source and ours, in a folder that holds both."""
    with tempfile.TemporaryDirectory() as parent:
        folder = shutil.copytree(GO_PINS / HOST.name, Path(parent) / HOST.name)
        source = (HOST.module_folder(SDK_MODULE) / HOST_SOURCE).read_text()
        (folder / "main.go").write_text(source.replace(*TAKEN_OVER, 1))
        HOST.build(programs, folder)
