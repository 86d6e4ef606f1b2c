"""Where the checkout keeps what it makes."""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
PRIVATE = CHECKOUT / ".penstock"
GO_PINS = CHECKOUT / "tools" / "go"


def tool_cache() -> Path:
    """Names the folder for tools that are expensive to get; it outlives the checkout.

    Returns:
        `$XDG_CACHE_HOME/penstock/tools`, or the same below `~/.cache`.
    """
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification: a relative path is to be ignored.
    base = configured if configured.is_absolute() else Path.home() / ".cache"
    return base / "penstock" / "tools"
