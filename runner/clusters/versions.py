"""Versions that the runner and its workers must have in common, without importing what they are versions of."""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from runner import __version__
from runner.errors import ContractError

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


def check_versions(expected: Mapping[str, str]) -> None:
    """Refuse to be a worker of a run that has others.

    Args:
        expected: the run's.

    Raises:
        ContractError: a version here is another one.
    """
    found = difference(own_versions(), expected)
    if found is None:
        return
    raise ContractError(
        path="image",
        found=f"one with {found}",
        expected="the versions of the run's image",
        subject="worker_spec",
        next_step="Name an image with those versions, or none, so that workers have the run's.",
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"
