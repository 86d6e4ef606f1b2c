"""Names of what a component creates in Kubernetes: readable, legal, at most 63 characters."""

import hashlib

LONGEST = 63
"""Longest RFC 1123 label: the strictest rule among the kinds that are created, and that of a label's value."""

DIGEST = 8
"""Hexadecimal digits that keep two long names apart once they are cut: one chance in four billion that they do not."""


def child_name(environment: str, role: str) -> str:
    """The name of an environment's object.

    Args:
        environment: the environment's name, an RFC 1123 label.
        role: what the object is in it, at most 50 characters.

    Returns:
        `<environment>-<role>`; of an environment whose name is too long for that, its beginning and a hash of it.
    """
    whole = f"{environment}-{role}"
    if len(whole) <= LONGEST:
        return whole
    digest = hashlib.sha256(environment.encode()).hexdigest()[:DIGEST]
    beginning = environment[: LONGEST - len(role) - DIGEST - 2].rstrip("-")
    return f"{beginning}-{digest}-{role}"
