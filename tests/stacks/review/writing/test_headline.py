"""The one sentence that a review begins with."""

import pytest

from stacks.review.report import Report, StackReport
from stacks.review.writing.headline import headline


@pytest.mark.parametrize(
    ("failed", "sentence"),
    [
        (1, "the preview of s0 could not be completed"),
        (2, "the previews of s0 and s1 could not be completed"),
        (3, "the previews of s0, s1 and s2 could not be completed"),
        (4, "the previews of s0, s1, s2 and 1 more could not be completed"),
        (9, "the previews of s0, s1, s2 and 6 more could not be completed"),
    ],
)
def test_previews_that_failed_are_named_as_far_as_there_is_room(failed: int, sentence: str) -> None:
    stacks = tuple(StackReport(stack=f"s{number}", counts={}, complete=False) for number in range(failed))

    word, said = headline(Report(stacks=stacks))

    assert (word, str(said)) == ("Failed", sentence)
