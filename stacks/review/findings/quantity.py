"""Numbers as stacks, documents and Kubernetes write them, and how they are told."""

import re
from fractions import Fraction

SUFFIXES = {
    **{suffix: Fraction(1, 1000**power) for power, suffix in ((3, "n"), (2, "u"), (1, "m"))},
    **{suffix: Fraction(1000**power) for power, suffix in enumerate(("", "k", "M", "G", "T", "P", "E"))},
    **{f"{letter}i": Fraction(1024**power) for power, letter in enumerate("KMGTPE", start=1)},
}
"""https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/"""
WRITTEN = re.compile(r"\s*\+?(\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:([eE][+-]?\d{1,2})|([a-zA-Z]{0,2}))\s*")
SPANS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def number(written: object) -> Fraction | None:
    """The number that is written, as `500m`, `1Gi`, `"256"` or 0.5; None when it is none, or not known."""
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        return None
    found = WRITTEN.fullmatch(str(written))
    if not found or (found[3] or "") not in SUFFIXES:
        return None
    return Fraction(f"{found[1]}{found[2] or ''}") * SUFFIXES[found[3] or ""]


def plain(value: Fraction) -> str:
    """A number as people write it, with at most two decimals."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.2f}".rstrip("0").rstrip(".")


def cores(millicores: Fraction) -> str:
    """Processor time: 500 is `0.5 cores`."""
    value = plain(millicores / 1000)
    return f"{value} core" if value == "1" else f"{value} cores"


def mebibytes(mib: Fraction) -> str:
    """Memory: 1536 is `1.5 GiB`."""
    return f"{plain(mib / 1024)} GiB" if mib >= 1024 else f"{plain(mib)} MiB"


def gibibytes(gib: Fraction) -> str:
    """Storage: 40 is `40 GiB`."""
    return f"{plain(gib)} GiB"


def duration(seconds: Fraction) -> str:
    """A time in its two largest units: 5400 is `1 h 30 min`."""
    parts: list[str] = []
    rest = seconds
    for size, unit in SPANS:
        count = rest // size if size > 1 else rest
        if count and len(parts) < 2:
            parts.append(f"{plain(Fraction(count))} {unit}")
            rest -= count * size
    return " ".join(parts) or "0 s"


def days(count: Fraction) -> str:
    """A number of days: 1 is `1 day`."""
    return f"{plain(count)} day{'' if count == 1 else 's'}"
