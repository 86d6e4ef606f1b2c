"""The environment document as a parameter of Systems Manager, from which clients take it."""

from typing import Any

import pulumi

from components.given import ArgumentError
from runner.contract import to_bytes

STANDARD, ADVANCED = 4096, 8192
"""Most bytes of a parameter of each tier; those of the second cost money.
https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"""


def text_of(document: pulumi.Output[dict[str, Any]]) -> pulumi.Output[str]:
    """The parameter's value: the document's canonical bytes."""
    return document.apply(lambda known: to_bytes(known).decode())


def tier_of(component: str, document: pulumi.Output[dict[str, Any]]) -> pulumi.Output[str]:
    """The tier that the document fits into.

    Raises:
        ArgumentError: it fits into none; when the document is known.
    """
    return document.apply(lambda known: tier(component, len(to_bytes(known))))


def tier(component: str, size: int) -> str:
    """The tier that so many bytes fit into.

    Raises:
        ArgumentError: they fit into none.
    """
    if size > ADVANCED:
        raise ArgumentError(
            component=component,
            path="env",
            found=f"so long, with metadata and all else, that the environment document has {size:,} bytes",
            expected=f"less: a parameter of Systems Manager holds {ADVANCED:,}",
        )
    return "Standard" if size <= STANDARD else "Advanced"
