import pytest

from tests.bench.figures import Comparison, Figure
from tests.bench.markdown import tables

MACHINE = {"machine": "a machine, 2 cores", "python": "CPython 3.11"}


def rows(*figures: Figure) -> list[str]:
    text = tables(MACHINE, figures, {})
    assert text.startswith("Measured on: a machine, 2 cores; CPython 3.11.\n")
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


def figure(
    comparison: Comparison, goal: float | None, ours: tuple[float, ...], *, unit: str = "s", section: str = "ecs"
) -> Figure:
    others = (2.0,) * len(ours)
    return Figure(
        section=section, name="a", other="b", comparison=comparison, goal=goal, ours=ours, others=others, unit=unit
    )


@pytest.mark.parametrize(
    ("comparison", "goal", "ours", "row"),
    [
        (Comparison.RATIO, 1.5, (2.0, 2.2, 2.4), "| a | b, 2.00 s | 1.10x (1.05-1.15) | at most 1.5x |"),
        (Comparison.RATIO, 1, (4.0,), "| a | b, 2.00 s | 2.00x | at most 1x: missed |"),
        (Comparison.SPEEDUP, 4, (0.2, 0.25), "| a | b | 9.00 times faster (8.50-9.50) | 4 times |"),
        (Comparison.SPEEDUP, 9, (1.0,), "| a | b | 2.00 times faster | 9 times: missed |"),
        (Comparison.DIFFERENCE, 0.5, (2.2,), "| a | b, 2.00 s | 0.200 s more | at most 0.5 s more |"),
        (Comparison.AMOUNT, None, (0.3,), "| a | b, 2.00 s | 0.300 s | - |"),
    ],
)
def test_each_comparison_is_told_in_its_own_words(
    comparison: Comparison, goal: float | None, ours: tuple[float, ...], row: str
) -> None:
    assert rows(figure(comparison, goal, ours)) == [row]


def test_counts_are_told_in_full_and_nothing_may_be_the_goal() -> None:
    found = rows(
        figure(Comparison.AMOUNT, 0, (0.0,), unit="errors"), figure(Comparison.AMOUNT, 0, (1.0,), unit="errors")
    )
    assert found == ["| a | b | 0 errors | at most 0 errors |", "| a | b | 1 errors | at most 0 errors: missed |"]


def test_each_section_has_a_table_and_what_was_left_out_its_reason() -> None:
    figures = [figure(Comparison.AMOUNT, None, (1.0,), section=section) for section in ("cli", "cli", "ecs")]
    lines = tables(MACHINE, figures, {"peers": "skipped: not installed."}).splitlines()
    assert [line for line in lines if line.startswith("## ")] == ["## cli", "## ecs"]
    assert lines.count("| what | beside | figure (middle half) | goal |") == 2
    assert lines[-1] == "peers: skipped: not installed."
