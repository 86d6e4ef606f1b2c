import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from tests.bench.figures import Comparison, Figure
from tests.bench.picture import svg
from tests.bench.report import as_json, digits, table, with_unit

MACHINE = {"machine": "a machine & a half", "python": "CPython 3.11"}
MET = Figure(
    section="runner",
    name="start",
    other="python",
    comparison=Comparison.RATIO,
    goal=1.5,
    ours=(0.1, 0.12, 0.14),
    others=(0.1, 0.1, 0.1),
)
MISSED = Figure(
    section="peers",
    name="a flow",
    other="<another>",
    comparison=Comparison.SPEEDUP,
    goal=10,
    ours=(1.0, 1.0),
    others=(2.0, 4.0),
)
WITHOUT_GOAL = Figure(
    section="runner",
    name="memory",
    other="python",
    comparison=Comparison.AMOUNT,
    goal=None,
    ours=(13.9,),
    others=(9.0,),
    unit="MB",
)
FIGURES = [MET, WITHOUT_GOAL, MISSED]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01234, "0.0123"), (0.0999, "0.100"), (0.5, "0.500"), (1.2345, "1.23"), (12.34, "12.3"), (1234.5, "1234")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert digits(value) == text


def test_counts_have_no_decimals() -> None:
    assert with_unit(1.0, "calls") == "1 calls"
    assert with_unit(0.0, "errors") == "0 errors"
    assert with_unit(1.0, "s") == "1.00 s"


def test_the_picture_takes_a_goal_of_nothing() -> None:
    kept, broken = (replace(WITHOUT_GOAL, goal=0, ours=(ours,), unit="errors") for ours in (0.0, 2.0))
    root = ET.fromstring(svg(MACHINE, [kept, broken]))  # noqa: S314 our own text
    name = "{http://www.w3.org/2000/svg}"
    good, bad = [float(dot.get("cx", "")) for dot in root.iter(f"{name}circle") if dot.get("r") == "6"]
    (goal,) = [line for line in root.iter(f"{name}line") if line.get("stroke-width") == "1.5"]
    assert good < float(goal.get("x1", "")) < bad


def test_the_table_tells_every_figure_with_its_spread_and_its_goal() -> None:
    text = table(MACHINE, FIGURES, {"peers: Prefect": "skipped: not installed."})
    assert text.startswith("machine   a machine & a half\npython    CPython 3.11\n")
    (met,) = re.findall(r"^ +start .*$", text, flags=re.MULTILINE)
    assert re.search(r"0\.120 s +0\.100 s +1\.20x +1\.10 to 1\.30 +1\.00 to 1\.40 +3 +≤ 1\.5x +met$", met)
    (missed,) = re.findall(r"^ +a flow .*$", text, flags=re.MULTILINE)
    assert re.search(r"3\.00x +2\.50 to 3\.50 +2\.00 to 4\.00 +2 +≥ 10x +missed$", missed)
    (without,) = re.findall(r"^ +memory .*$", text, flags=re.MULTILINE)
    assert without.rstrip().endswith("1")
    assert "\npeers: Prefect\n  skipped: not installed." in text


def test_json_has_every_measurement() -> None:
    told = json.loads(as_json(MACHINE, FIGURES, {}))
    assert told["machine"] == MACHINE
    first = told["figures"][0]
    assert first["ours"] == [0.1, 0.12, 0.14]
    assert first["median"] == pytest.approx(1.2)
    assert (first["unit"], first["measured_in"], first["met"]) == ("x", "s", True)
    assert [figure["met"] for figure in told["figures"]] == [True, None, False]


def test_the_picture_has_a_row_for_each_figure_with_a_goal() -> None:
    root = ET.fromstring(svg(MACHINE, FIGURES))  # noqa: S314 our own text
    name = "{http://www.w3.org/2000/svg}"
    texts = [element.text for element in root.iter(f"{name}text")]
    assert "beside <another>" in texts
    assert "memory" not in texts
    dots = list(root.iter(f"{name}circle"))
    assert len(dots) == (3 + 1) + (2 + 1)  # every pair, and the median


def test_a_figure_within_its_goal_lies_left_of_the_line_and_one_beyond_it_right() -> None:
    root = ET.fromstring(svg(MACHINE, [MET, MISSED]))  # noqa: S314
    name = "{http://www.w3.org/2000/svg}"
    (goal,) = [line for line in root.iter(f"{name}line") if line.get("stroke-width") == "1.5"]
    met, missed = [dot for dot in root.iter(f"{name}circle") if dot.get("r") == "6"]
    assert float(met.get("cx", "")) < float(goal.get("x1", "")) < float(missed.get("cx", ""))


def test_a_picture_without_figures_is_one_all_the_same() -> None:
    assert ET.fromstring(svg(MACHINE, [])).tag.endswith("svg")  # noqa: S314
