"""What can keep an answer from coming, whoever was asked."""

from runner.errors import UnavailableError


class Unreachable(UnavailableError):  # noqa: N818 it is named after what happened
    """No whole answer came.

    Args:
        message: two sentences.
        transient: whether trying again can help by itself.
    """

    def __init__(self, message: str, *, transient: bool = True) -> None:
        super().__init__(message)
        self.transient = transient
