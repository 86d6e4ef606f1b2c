"""What can go wrong in the tools without being a bug of theirs."""

from __future__ import annotations

EXIT_UNAVAILABLE = 69


class ToolError(Exception):
    """The message says what was found, what is needed and what to do next."""


class CommandError(ToolError):
    """A command failed or something it needs is not there."""


class UnpreparedError(ToolError):
    """The system's Python cannot make virtual environments."""


class UnavailableError(ToolError):
    """There is no Pulumi CLI and none can be had."""
