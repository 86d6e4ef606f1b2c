"""Where Penstock keeps what it keeps on the user's machine."""

import os
from pathlib import Path


def state_folder() -> Path:
    """The folder `penstock` below the user's state folder (XDG base directory specification)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "penstock"


def runs_folder() -> Path:
    """The folder with one folder per local run."""
    return state_folder() / "runs"


def environments_folder() -> Path:
    """The local store: one environment document per file, named after the environment."""
    return state_folder() / "environments"
