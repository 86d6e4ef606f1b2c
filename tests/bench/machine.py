"""Says what the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from tools.errors import CommandError
from tools.paths import CHECKOUT
from tools.processes import quiet


def facts() -> dict[str, str]:
    """Facts about the machine, the interpreter and the code, in words."""
    return {
        "machine": f"{processor()}, {os.cpu_count()} cores, {platform.system()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "commit": commit(),
    }


def processor() -> str:
    """The processor's name, or its architecture where the kernel tells no more."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine()
    name = re.search(r"^model name\s*: (.+)$", text, flags=re.MULTILINE)
    return name[1].strip() if name else platform.machine()


def commit() -> str:
    """The commit that the checkout is at."""
    try:
        name = quiet(["git", "describe", "--always", "--dirty=, with changes"], cwd=CHECKOUT).strip()
    except CommandError:
        return "not known: the checkout has no commit"
    return name
