"""Every error that Penstock raises on purpose.

    PenstockError                the root; carries the exit code
    ├── UsageError               the command line asks for what cannot be (64)
    ├── ContractError            a document, request or outcome is not of its schema (65)
    ├── LoadError                the flow or a callback cannot be imported (66)
    ├── ParameterError           a parameter does not bind to the flow's signature (66)
    └── UnavailableError         the platform, or a thing on it, cannot be used now (69)

A message is one sentence of what was found and expected and one of what to do next.
"""

from typing import ClassVar

from runner.outcome import ExitCode


class PenstockError(Exception):
    """Root of Penstock's own errors: the reader of the message can mend them, so no traceback is shown."""

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL


class UsageError(PenstockError):
    """The command line asks for something that cannot be."""

    exit_code = ExitCode.USAGE


class ContractError(PenstockError):
    """A document, request or outcome is not of its schema.

    Args:
        path: the field, in dots and brackets (`executor.workers`, `secrets[0].env`); empty for the whole.
        found: what is there.
        expected: what should be there.
        subject: what the path is in, such as "environment document".
        next_step: one sentence.
    """

    exit_code = ExitCode.BAD_DOCUMENT

    def __init__(self, *, path: str, found: str, expected: str, subject: str, next_step: str = "") -> None:
        self.path = path
        self.found = found
        self.expected = expected
        self.subject = subject
        self.next_step = next_step
        place = f"{subject}: {path}" if path else subject
        super().__init__(f"{place} is {found}, expected {expected}.{' ' if next_step else ''}{next_step}")


class LoadError(PenstockError):
    """The flow or a callback cannot be imported.

    Args:
        message: one sentence of what, one of what to do.
        detail: the traceback of the user's own code, when it raised.
    """

    exit_code = ExitCode.CANNOT_LOAD

    def __init__(self, message: str, *, detail: str | None = None) -> None:
        super().__init__(message)
        self.detail = detail


class ParameterError(PenstockError):
    """A parameter does not bind to the flow's signature."""

    exit_code = ExitCode.CANNOT_LOAD


class UnavailableError(PenstockError):
    """The platform, or a thing on it, cannot be used now."""

    exit_code = ExitCode.UNAVAILABLE
