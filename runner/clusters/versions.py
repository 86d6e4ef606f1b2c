"""Versions that the runner and its workers must have in common, without importing what they are versions of."""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from runner import __version__

PACKAGES = ("dask", "distributed", "cloudpickle", "msgpack")
"""What goes over the wire is written and read by these, and by Python's own pickle."""


def own_versions() -> dict[str, str]:
    """The versions here, of Python without its last part: bytecode travels between the same x.y only."""
    major, minor, _ = platform.python_version_tuple()
    return {"python": f"{major}.{minor}", "penstock": __version__, **{name: _version(name) for name in PACKAGES}}


def difference(here: Mapping[str, str], there: Mapping[str, str]) -> str | None:
    """What differs, in words; null when nothing does."""
    other = [f"{name} {value} instead of {there.get(name)}" for name, value in here.items() if value != there.get(name)]
    return ", ".join(other) or None


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"
