import pytest

from tests.bench.figures import Comparison, Figure


def figure(
    comparison: Comparison,
    ours: tuple[float, ...] = (2.0, 3.0, 4.0),
    others: tuple[float, ...] = (1.0, 1.0, 1.0),
    goal: float | None = 3.0,
) -> Figure:
    return Figure(
        section="runner", name="start", other="python", comparison=comparison, goal=goal, ours=ours, others=others
    )


@pytest.mark.parametrize(
    ("comparison", "ours", "others", "values"),
    [
        (Comparison.RATIO, (2.0, 9.0), (1.0, 3.0), [2.0, 3.0]),
        (Comparison.SPEEDUP, (1.0, 3.0), (2.0, 9.0), [2.0, 3.0]),
        (Comparison.DIFFERENCE, (2.0, 9.0), (1.5, 3.0), [0.5, 6.0]),
        (Comparison.AMOUNT, (14.0, 15.0), (9.0, 9.0), [14.0, 15.0]),
    ],
)
def test_each_pair_gives_one_value(
    comparison: Comparison, ours: tuple[float, ...], others: tuple[float, ...], values: list[float]
) -> None:
    assert figure(comparison, ours, others).values == values


def test_the_figure_is_the_median_of_the_pairs_and_not_the_ratio_of_medians() -> None:
    found = figure(Comparison.RATIO, (1.0, 10.0, 4.0), (1.0, 5.0, 1.0))
    assert found.values == [1.0, 2.0, 4.0]
    assert found.median == 2.0


def test_quartiles_lie_within_what_was_measured() -> None:
    assert figure(Comparison.RATIO, (1.0, 2.0, 3.0, 4.0, 5.0), (1.0,) * 5).quartiles == (2.0, 4.0)
    assert figure(Comparison.RATIO, (2.0, 3.0), (1.0, 1.0)).quartiles == (2.25, 2.75)
    assert figure(Comparison.RATIO, (2.0,), (1.0,)).quartiles == (2.0, 2.0)


@pytest.mark.parametrize(
    ("comparison", "goal", "met"),
    [
        (Comparison.RATIO, 3.0, True),
        (Comparison.RATIO, 2.9, False),
        (Comparison.DIFFERENCE, 2.0, True),
        (Comparison.DIFFERENCE, 1.9, False),
        (Comparison.AMOUNT, 3.0, True),
        (Comparison.AMOUNT, None, None),
    ],
)
def test_small_is_good(comparison: Comparison, goal: float | None, met: bool | None) -> None:
    assert figure(comparison, goal=goal).met is met


@pytest.mark.parametrize(("goal", "met"), [(3.0, True), (3.1, False)])
def test_a_speed_up_is_good_when_it_is_large(goal: float, met: bool) -> None:
    assert figure(Comparison.SPEEDUP, (1.0,), (3.0,), goal=goal).met is met


@pytest.mark.parametrize(("ours", "met"), [(0.0, True), (1.0, False)])
def test_nothing_at_all_can_be_the_goal(ours: float, met: bool) -> None:
    assert figure(Comparison.AMOUNT, (ours,), (1.0,), goal=0.0).met is met


def test_sides_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        _ = figure(Comparison.RATIO, (1.0,), (1.0, 2.0)).median
