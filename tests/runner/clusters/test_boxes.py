"""Times as boxes of whole columns: nothing is lost, nothing overlaps, and their number is that of the columns."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.clusters.boxes import Box, boxes
from runner.clusters.task_records import Kind, Label, Span

A, B = Label(Kind.TASK, "a"), Label(Kind.TASK, "b")
MOMENTS = st.floats(0, 10)
SPANS = st.lists(
    st.builds(
        lambda one, other, label: Span(min(one, other), max(one, other), label),
        MOMENTS,
        MOMENTS,
        st.sampled_from([A, B]),
    )
    | st.builds(lambda start, label: Span(start, min(start + 0.01, 10), label), MOMENTS, st.sampled_from([A, B])),
    max_size=60,
).map(sorted)


@given(SPANS, st.integers(1, 200))
def test_boxes_lie_side_by_side_and_every_time_is_in_one_or_right_beside(spans: list[Span], columns: int) -> None:
    found = boxes(spans, seconds=10, columns=columns)

    assert all(box.width >= 1 for box in found)
    assert all(box.first + box.width <= after.first for box, after in pairwise(found))
    assert not found or (found[0].first >= 0 and found[-1].first + found[-1].width <= columns)
    for span in spans:
        first, last = int(span.start * columns / 10) - 1, int(span.stop * columns / 10) + 1
        assert any(box.first <= last and first < box.first + box.width for box in found)


@given(SPANS, st.integers(1, 200))
def test_neighbours_that_look_the_same_are_one_box_unless_a_task_ends_there(spans: list[Span], columns: int) -> None:
    found = boxes(spans, seconds=10, columns=columns)

    for box, after in pairwise(found):
        if min(box.width, after.width) < 3:
            continue
        touching = box.first + box.width == after.first
        assert not touching or box[2:] != after[2:] or 1.0 in {box.strength, after.strength}


def test_a_wide_time_is_a_box_of_its_own_with_a_gap_behind_it() -> None:
    spans = [Span(0, 4, A), Span(4, 10, A)]

    assert boxes(spans, seconds=10, columns=10) == [Box(0, 3, A, 1.0), Box(4, 5, A, 1.0)]


@pytest.mark.parametrize(("part", "strength"), [(0.0, 0.4), (0.2, 0.4), (0.5, 0.7), (0.8, 1.0), (1.0, 1.0)])
def test_a_column_is_as_strong_as_it_was_busy(part: float, strength: float) -> None:
    assert boxes([Span(3, 3 + part, A)], seconds=10, columns=10)[0] == Box(3, 1, A, strength)


def test_a_column_is_marked_with_what_took_most_of_it() -> None:
    spans = [Span(0.0, 0.2, A), Span(0.3, 0.7, B), Span(0.7, 0.8, A), Span(1.0, 1.5, B)]

    assert boxes(spans, seconds=10, columns=10) == [Box(0, 1, B, 1.0), Box(1, 1, B, 0.7)]


def test_a_short_time_between_two_long_ones_stays_visible() -> None:
    spans = [Span(0, 4.9, A), Span(4.9, 4.95, B), Span(5, 10, A)]

    assert boxes(spans, seconds=10, columns=10) == [Box(0, 4, A, 1.0), Box(4, 1, B, 0.4), Box(5, 4, A, 1.0)]


def test_thousands_of_short_times_of_one_name_are_one_box() -> None:
    spans = [Span(number / 1000, (number + 1) / 1000, A) for number in range(10_000)]

    assert boxes(spans, seconds=10, columns=100) == [Box(0, 100, A, 1.0)]


@pytest.mark.timeout(10)
def test_times_that_overlap_cost_no_more_than_others() -> None:
    """Looking at every column of each would take minutes."""
    spans = [Span(number / 100_000, 10, A) for number in range(100_000)]

    assert boxes(spans, seconds=10, columns=800) == [Box(0, 799, A, 1.0)]
