"""The table of prices that estimates are made with."""

import datetime as dt
import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stacks.review.errors import ReviewError

BUNDLED = Path(__file__).with_name("prices.toml")
SCHEMA_VERSION = 1
MACHINES = ("fargate", "fargate_arm64", "fargate_spot", "node")
STANDING = ("vpc_endpoint", "nat_gateway", "public_ipv4", "load_balancer")
UNITS = ("cpu", "memory_gib", "storage_gib", "gpu")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What one hour costs."""

    cpu: float = 0
    """Of a processor."""
    memory_gib: float = 0
    """Of a GiB of memory."""
    storage_gib: float = 0
    """Of a GiB of storage beyond what is free."""
    gpu: float = 0
    """Of a GPU."""


@dataclass(frozen=True, kw_only=True)
class Prices:
    """A price table."""

    currency: str
    """As USD."""
    date: dt.date
    """When they were looked up."""
    about: str
    """What they are prices of."""
    machines: Mapping[str, Machine]
    """By kind: those of MACHINES."""
    standing: Mapping[str, float]
    """What costs by the hour whether it is used or not: those of STANDING."""


@functools.cache
def bundled() -> Prices:
    """The table that comes with the reviewer."""
    return read(BUNDLED.read_text(encoding="utf-8"), str(BUNDLED))


def read(text: str, name: str) -> Prices:
    """A table as `prices.toml` is.

    Args:
        text: contents of the file.
        name: of the file, for messages.

    Raises:
        ReviewError: it cannot be read, or says less or other than it has to.
    """
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ReviewError(f"{name} is no TOML: {error}. Correct it, or leave --prices out.") from None
    if found.get("schema_version") != SCHEMA_VERSION:
        raise _wrong(name, "schema_version", found.get("schema_version"), str(SCHEMA_VERSION))
    date = found.get("date")
    if type(date) is not dt.date:
        raise _wrong(name, "date", date, "a date as 2030-12-31")
    for key in ("currency", "about"):
        if not isinstance(found.get(key), str):
            raise _wrong(name, key, found.get(key), "text")
    known = {"schema_version", "date", "currency", "about", "standing", *MACHINES}
    if unknown := sorted(set(found) - known):
        raise _wrong(name, unknown[0], "a key", f"one of {', '.join(sorted(known))}")
    return Prices(
        currency=found["currency"],
        date=date,
        about=found["about"],
        machines={kind: Machine(**_numbers(found.get(kind), UNITS, kind, name)) for kind in MACHINES},
        standing=dict.fromkeys(STANDING, 0.0) | _numbers(found.get("standing"), STANDING, "standing", name),
    )


def _numbers(table: object, keys: tuple[str, ...], path: str, name: str) -> dict[str, float]:
    if not isinstance(table, dict):
        raise _wrong(name, path, table, "a table of prices")
    for key, value in table.items():
        if key not in keys:
            raise _wrong(name, f"{path}.{key}", "a key", f"one of {', '.join(keys)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise _wrong(name, f"{path}.{key}", value, "a price of 0 or more")
    return {key: float(value) for key, value in table.items()}


def _wrong(name: str, path: str, found: object, expected: str) -> ReviewError:
    what = "missing" if found is None else str(found)[:100]
    return ReviewError(f"{path} of {name} is {what}, expected {expected}. Correct it, or leave --prices out.")
