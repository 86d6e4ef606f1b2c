"""The one comment: found again by its first line and its author, written when it is missing or says something else."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from runner.http.retry import Attempts
from stacks.review.errors import ReviewError
from stacks.review.publish.api import Failed

BUDGET_SECONDS = 120.0
"""For all tries together. Whoever asks to wait longer ends them."""
PER_PAGE = 100
"""The most that both APIs give."""
MARKER = re.compile(r"<!-- [\w-]+ -->")
"""The first line of what is published, which nobody sees."""


@dataclass(frozen=True, kw_only=True)
class Comment:
    """A comment of ours."""

    id: int
    body: str


class Place(Protocol):
    """A pull request or a merge request."""

    def own_comments(self) -> Iterator[Comment]:
        """The comments that whoever the token belongs to has written, the oldest first."""

    def create(self, text: str) -> None:
        """Write a new one."""

    def update(self, comment: Comment, text: str) -> None:
        """Change one."""


def publish(place: Place, text: str, *, budget_seconds: float = BUDGET_SECONDS) -> str:
    """Make a place have exactly this comment.

    After a failure it looks again before it writes, so that a comment whose creation was not heard of is found.

    Returns:
        What was done: created, updated or unchanged.

    Raises:
        ReviewError: the text does not begin with a marker; or see `Api.ask`.
    """
    marker = text.partition("\n")[0].strip()
    if not MARKER.fullmatch(marker):
        raise ReviewError(
            "The text does not begin with a line as <!-- penstock-review -->, by which it is found again. "
            "Publish what `python -m stacks.review --format markdown` writes."
        )
    attempts = Attempts(budget_seconds)
    while True:
        try:
            return _once(place, marker, text)
        except Failed as error:
            time.sleep(attempts.delay(error, at_least=error.wait_seconds))


def _once(place: Place, marker: str, text: str) -> str:
    own = next((comment for comment in place.own_comments() if comment.body.lstrip().startswith(marker)), None)
    if own is None:
        place.create(text)
        return "created"
    if _plain(own.body) == _plain(text):
        return "unchanged"
    place.update(own, text)
    return "updated"


def _plain(text: str) -> str:
    """As servers may give it back: with other ends of lines, and without space around."""
    return text.replace("\r\n", "\n").strip()
