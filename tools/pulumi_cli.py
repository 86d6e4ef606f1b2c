"""Prints the folder that holds a usable Pulumi CLI, getting one first when there is none.

`python -m tools.pulumi_cli`. In this order: on PATH, in our cache, the official installer, built from Go modules.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from tools import go_tools, pulumi_ways, tool_cache
from tools.errors import CommandError, UnavailableError, printed
from tools.paths import CHECKOUT
from tools.processes import quiet

# The oldest version of the Python SDK that pyproject.toml allows; an older CLI may not know what it asks for.
MINIMUM_CLI = (3, 230, 0)


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Reads what `pulumi version` prints.

    Returns:
        The three numbers; None when there are none.
    """
    match = re.search(r"^v?(\d+)\.(\d+)\.(\d+)", text, re.MULTILINE)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def on_path() -> Path:
    """Finds the user's own CLI.

    Returns:
        The folder it is in.

    Raises:
        CommandError: There is none, or one that cannot be used; one short clause.
    """
    program = shutil.which("pulumi")
    if program is None:
        raise CommandError("PATH has none")
    folder = Path(program).absolute().parent
    try:
        text = quiet([program, "version"], cwd=CHECKOUT, env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "1"})
    except CommandError:
        raise CommandError(f"{program} does not run") from None
    version = parse_version(text)
    if version is None or version < MINIMUM_CLI:
        raise CommandError(f"{program} is {text.strip() or 'of no version'} where {_dotted(MINIMUM_CLI)} is needed")
    # Pulumi looks for its language hosts on PATH and beside itself; a link on PATH may point to where they are.
    beside = (folder, Path(program).resolve().parent)
    host = "pulumi-language-python"
    if not shutil.which(host) and not any((place / host).is_file() for place in beside):
        raise CommandError(f"{program} comes without {host}")
    return folder


def at_hand() -> Path | None:
    """Finds a CLI that needs nothing to be downloaded or built.

    Returns:
        The folder with it, or None.
    """
    try:
        return on_path()
    except CommandError:
        cached = pulumi_ways.cache_folder() / "bin"
        return cached if cached.is_dir() else None


def obtain() -> Path:
    """Gets a CLI.

    Returns:
        The folder to be put on PATH.

    Raises:
        UnavailableError: No way led to one.
    """
    refused = []
    try:
        return on_path()
    except CommandError as error:
        refused.append(str(error))
    folder = pulumi_ways.cache_folder()
    for way in (pulumi_ways.install, _build):
        try:
            return tool_cache.obtain(folder, way) / "bin"
        except CommandError as error:
            refused.append(str(error))
    *first, last = refused
    raise UnavailableError(
        f"There is no usable Pulumi CLI: {', '.join(first)}, and {last}. "
        f"Install Pulumi {_dotted(MINIMUM_CLI)} or newer, let its installer reach the internet, "
        f"or install Go {_dotted(go_tools.MINIMUM_GO)} or newer to have it built; "
        "everything that needs no engine still works."
    )


def _build(folder: Path) -> None:
    if reason := go_tools.missing():
        raise CommandError(reason)
    pulumi_ways.build(folder)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


if __name__ == "__main__":
    raise SystemExit(printed(obtain))
