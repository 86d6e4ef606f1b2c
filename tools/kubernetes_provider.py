"""Prints the folder that holds Pulumi's Kubernetes provider, getting it first when there is none.

`python -m tools.kubernetes_provider`. In this order: on PATH, installed by the user's Pulumi CLI, in our cache,
downloaded by the CLI, built from Go modules. Pulumi takes a provider that it finds on PATH whatever version the Python
package asks for, and says so in a warning.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tools import go_tools, pulumi_cli, tool_cache
from tools.errors import CommandError, UnavailableError, printed
from tools.paths import CHECKOUT
from tools.processes import end_group, quiet
from tools.progress import step

PROGRAM = "pulumi-resource-kubernetes"
ANSWER_SECONDS = 5
DOWNLOAD_SECONDS = 600
MODULE = "github.com/pulumi/pulumi-kubernetes/provider/v4"
# Of this release's time is the only version whose module can be had. It has no tag and the public database of checksums
# does not know it, so go.sum alone vouches for it.
BUILT_VERSION = "4.25.0"
PROVIDER = go_tools.GoTool("pulumi-kubernetes", link=f"-X {MODULE}/pkg/version.Version={BUILT_VERSION}")


def wanted_version() -> str:
    """Tells which version the Python package in the lock file asks for."""
    locked = re.search(r"^pulumi-kubernetes==(\S+)", (CHECKOUT / "requirements.lock").read_text(), re.MULTILINE)
    return locked[1] if locked else BUILT_VERSION


def cache_folder() -> Path:
    """Names the folder that either way fills."""
    return tool_cache.folder_for("pulumi-kubernetes", [wanted_version().encode(), *PROVIDER.pins])


def at_hand() -> Path | None:
    """Finds a provider that needs nothing to be downloaded or built.

    Returns:
        The folder with it, or None.
    """
    if program := shutil.which(PROGRAM):
        return Path(program).absolute().parent
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    for folder in (_installed(home), cache_folder()):
        if (folder / PROGRAM).is_file():
            return folder
    return None


def obtain() -> Path:
    """Gets a provider.

    Returns:
        The folder to be put on PATH.

    Raises:
        UnavailableError: No way led to one.
    """
    if folder := at_hand():
        return folder
    refused = []
    for way in (_download, _build):
        try:
            return tool_cache.obtain(cache_folder(), way)
        except (CommandError, UnavailableError) as error:
            refused.append(str(error))
    raise UnavailableError(
        f"There is no Kubernetes provider for Pulumi: PATH has none, {refused[0]}, and {refused[1]}. "
        "Let the Pulumi CLI reach the internet, or install Go "
        f"{'.'.join(map(str, go_tools.MINIMUM_GO))} or newer to have it built."
    )


def _installed(home: Path) -> Path:
    return home / "plugins" / f"resource-kubernetes-v{wanted_version()}"


def _download(folder: Path) -> None:
    """Lets the Pulumi CLI install it, given seconds to get an answer and minutes for the rest."""
    cli = pulumi_cli.obtain() / "pulumi"
    with tempfile.TemporaryDirectory(dir=folder) as place:
        home, downloads = Path(place) / "home", Path(place) / "downloads"
        downloads.mkdir()
        env = {**os.environ, "PULUMI_HOME": str(home), "TMPDIR": str(downloads), "PULUMI_SKIP_UPDATE_CHECK": "1"}
        with step(f"Asking for version {wanted_version()} of the Kubernetes provider"):
            child = subprocess.Popen(
                [cli, "plugin", "install", "resource", "kubernetes", wanted_version()],
                cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                text=True, start_new_session=True,
            )  # fmt: skip
            try:
                _await(child, downloads)
            finally:
                end_group(child)
        if child.returncode:
            raise CommandError("the Pulumi CLI cannot download it from here")
        shutil.copy(_installed(home) / PROGRAM, folder)


def _await(child: subprocess.Popen[str], downloads: Path) -> None:
    start = time.monotonic()
    seconds = ANSWER_SECONDS
    while time.monotonic() - start < seconds:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.1)
            return
        with contextlib.suppress(FileNotFoundError):  # unpacked and removed meanwhile
            # It says nothing, but what it gets it writes into a file there.
            if any(file.stat().st_size for file in downloads.iterdir()):
                seconds = DOWNLOAD_SECONDS


def _build(folder: Path) -> None:
    if reason := go_tools.missing():
        raise CommandError(reason)
    with step("Building the Kubernetes provider of Pulumi (about 8 min, unless Go has compiled it before)"):
        PROVIDER.build(folder)
        source = PROVIDER.module_folder(MODULE) / "cmd" / PROGRAM / "schema.json"
        schema = json.loads(source.read_text()) | {"version": BUILT_VERSION}
        (folder / "schema.json").write_text(json.dumps(schema))
        quiet([folder / PROGRAM, "-help"], cwd=folder)


if __name__ == "__main__":
    raise SystemExit(printed(obtain))
