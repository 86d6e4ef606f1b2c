"""Quantities as Kubernetes itself writes them: the API server rewrites any other form, which would show as a change.

And those that users write, in any form that Kubernetes reads.
"""

import re
from fractions import Fraction

from runner.contract import broken_rule, describe

SUFFIXES = {
    **{suffix: Fraction(1, 1000**power) for power, suffix in ((3, "n"), (2, "u"), (1, "m"))},
    **{suffix: Fraction(1000**power) for power, suffix in enumerate(("", "k", "M", "G", "T", "P", "E"))},
    **{f"{letter}i": Fraction(1024**power) for power, letter in enumerate("KMGTPE", start=1)},
}
"""https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/"""

WRITTEN = re.compile(r"\+?(\d+\.?\d*|\.\d+)(?:([eE][+-]?\d{1,3})|([a-zA-Z]{0,2}))")


def cpu(millicores: int) -> str:
    """Processor time: 500 is `500m`, 2000 is `2`."""
    return _largest(millicores, 1000, ("m", "", "k", "M"))


def memory(mib: int) -> str:
    """Memory or storage: 1536 is `1536Mi`, 2048 is `2Gi`."""
    return _largest(mib, 1024, ("Mi", "Gi", "Ti", "Pi"))


def count(number: int) -> str:
    """A number of things: 20 is `20`, 1000 is `1k`."""
    return _largest(number, 1000, ("", "k", "M", "G"))


def parse(written: object, path: str) -> Fraction:
    """The number that somebody wrote: `500m` and 0.5 are a half, `1Gi` is 1073741824.

    Args:
        written: text, or a number.
        path: where it stands.

    Raises:
        ContractError: Kubernetes would not read it, or it is negative.
    """
    text = "" if isinstance(written, bool) else str(written)
    match = WRITTEN.fullmatch(text) if isinstance(written, str | int | float) else None
    suffix = match[3] or "" if match else ""
    if not match or suffix not in SUFFIXES:
        raise broken_rule(path, describe(written), "a quantity such as 500m, 2 or 1Gi")
    return Fraction(f"{match[1]}{match[2] or ''}") * SUFFIXES[suffix]


def _largest(number: int, base: int, suffixes: tuple[str, ...]) -> str:
    """The number with the largest suffix of which it is a whole multiple."""
    if not number:
        return "0"
    for suffix in suffixes[:-1]:
        if number % base:
            return f"{number}{suffix}"
        number //= base
    return f"{number}{suffixes[-1]}"
