"""What a review ends with when its input or its use is wrong."""


class ReviewError(Exception):
    """A sentence about what was found and expected, and one about what to do."""


class UsageError(ReviewError):
    """The same, about the command line."""
