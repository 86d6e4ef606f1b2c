"""What the provider refuses."""

from typing import NamedTuple


class Problem(NamedTuple):
    """Why an input is refused before anything is made."""

    input: str
    """Path of the input; empty when it is about the resource as a whole."""
    reason: str


class ProviderError(Exception):
    """One sentence that ends the engine's call."""


class BadValueError(ProviderError):
    """A value that AWS' own model of an operation refuses."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.problem = Problem(where, reason)
