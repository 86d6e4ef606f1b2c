"""What can go wrong in the tools without being a bug of theirs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_UNAVAILABLE = 69


class ToolError(Exception):
    """The message says what was found, what is needed and what to do next."""


class CommandError(ToolError):
    """A command failed or something it needs is not there."""


class UnpreparedError(ToolError):
    """The system's Python cannot make virtual environments."""


class UnavailableError(ToolError):
    """There is no Pulumi CLI, or no plugin of its, and none can be had."""


def printed(obtain: Callable[[], object]) -> int:
    """Prints what a tool is for, or why it cannot be had here.

    Returns:
        The exit code.
    """
    try:
        print(obtain())
    except ToolError as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    return 0
