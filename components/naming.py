"""Names of what a component creates: readable, legal, and no longer than the platform takes."""

import hashlib

LONGEST = 63
"""Longest RFC 1123 label: the strictest rule among the kinds that Kubernetes has, and that of a label's value."""

DIGEST = 8
"""Hexadecimal digits that keep two long names apart once they are cut: one chance in four billion that they do not."""


def child_name(environment: str, role: str) -> str:
    """The name of an environment's object in Kubernetes.

    Args:
        environment: the environment's name, an RFC 1123 label.
        role: what the object is in it, at most 50 characters.

    Returns:
        `<environment>-<role>`; of an environment whose name is too long for that, its beginning and a hash of it.
    """
    return shortened(environment, role, longest=LONGEST)


def shortened(whose: str, what: str, *, longest: int) -> str:
    """The name `<whose>-<what>`, in which a beginning of `whose` and a hash of it stand where it would be too long.

    Args:
        whose: what the object belongs to.
        what: what it is there; shorter than `longest` by 12 characters.
        longest: most characters of the name.
    """
    whole = f"{whose}-{what}"
    if len(whole) <= longest:
        return whole
    digest = hashlib.sha256(whose.encode()).hexdigest()[:DIGEST]
    beginning = whose[: longest - len(what) - DIGEST - 2].rstrip("-")
    return f"{beginning}-{digest}-{what}"
