"""Reports to JSON and back."""

import json
import re
from typing import Any

import jsonschema
import pytest

from stacks.review.finding import Weight, say
from stacks.review.report import Report
from stacks.review.writing.report_json import LONGEST, from_json, to_json
from tests.stacks.review.writing.reports import REPORT, told
from tools.paths import CHECKOUT

SCHEMA = json.loads((CHECKOUT / "stacks/review/review.schema.json").read_text())
EMPTY = Report(stacks=())


def written(report: Report = REPORT) -> Any:
    return json.loads(to_json(report))


@pytest.mark.parametrize("report", [REPORT, EMPTY], ids=["all", "nothing"])
def test_a_report_comes_back_as_it_was(report: Report) -> None:
    text = to_json(report)
    assert from_json(json.loads(text)) == report
    assert to_json(from_json(json.loads(text))) == text


@pytest.mark.parametrize("report", [REPORT, EMPTY], ids=["all", "nothing"])
def test_a_report_is_of_its_schema(report: Report) -> None:
    jsonschema.validate(written(report), SCHEMA, cls=jsonschema.Draft202012Validator)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_has_every_key_and_no_other() -> None:
    value = written()
    assert value.keys() == SCHEMA["properties"].keys()
    parts = {
        "StackReport": value["stacks"][0],
        "Told": value["findings"][0],
        "Row": value["rows"][0],
        "Field": value["rows"][1]["fields"][0],
        "Pointer": value["findings"][0]["pointer"],
        "Sentence": value["findings"][0]["what"],
    }
    assert {name: part.keys() for name, part in parts.items()} == {
        name: definition["properties"].keys()
        for name, definition in SCHEMA["$defs"].items()
        if "properties" in definition
    }
    assert SCHEMA["$defs"]["Weight"]["enum"] == ["notice", "warning", "danger"]


def test_what_it_says_in_plain_text() -> None:
    value = written()
    assert value["headline"] == {
        "word": "Danger",
        "text": "anyone on the internet could reach the scheduler of dask-prod on port 8786, and 1 more danger",
    }
    assert value["findings"][1]["summary"] == "the runs of dask-prod may do everything with every bucket"
    assert (value["kind"], value["schema_version"]) == ("penstock-review", 1)
    assert to_json(REPORT).startswith('{\n  "findings": [\n')
    assert to_json(REPORT).endswith("\n}\n")


DAMAGED = [
    (["kind"], "x", 'report: kind is "x", expected "penstock-review"'),
    (["schema_version"], 2, "report: schema_version is 2, expected 1"),
    (["schema_version"], True, "report: schema_version is true, expected 1"),
    (["stacks"], None, "report: stacks is null, expected a list"),
    (["stacks", 0, "counts"], [], "report: stacks[0].counts is a list of 0, expected a mapping"),
    (
        ["stacks", 0, "counts", "create"],
        -1,
        "report: stacks[0].counts.create is -1, expected a number from 0 to 1,000,000",
    ),
    (["stacks", 0, "noise"], 1.5, "report: stacks[0].noise is 1.5, expected a whole number"),
    (["stacks", 0, "surplus"], 1, "report: stacks[0].surplus is no field of a report"),
    (
        ["findings", 1, "weight"],
        "heavy",
        'report: findings[1].weight is "heavy", expected one of danger, warning, notice',
    ),
    (["findings", 1, "weight"], 3, "report: findings[1].weight is 3, expected one of danger, warning, notice"),
    (["findings", 1, "what"], "x", 'report: findings[1].what is "x", expected an object'),
    (["findings", 0, "what", "text"], "{0.__class__}", "expected 2 places for names"),
    (["findings", 0, "what", "text"], "{} {", "expected 2 places for names"),
    (["findings", 0, "what", "names"], ["x"], "expected 1 places for names"),
    (["findings", 0, "pointer", "line"], -3, "report: findings[0].pointer.line is -3, expected a number from 0"),
    (["findings", 0, "before"], {}, "report: findings[0].before is an object with 0 keys, expected"),
    (["rows", 1, "fields", 0, "path"], 1, "report: rows[1].fields[0].path is 1, expected"),
    (["notes"], "x", 'report: notes is "x", expected a list'),
]


@pytest.mark.parametrize(("path", "value", "message"), DAMAGED, ids=[str(case[:2]) for case in DAMAGED])
def test_a_damaged_report_is_refused_by_the_field(path: list[Any], value: object, message: str) -> None:
    whole = written()
    part = whole
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(ValueError, match=re.escape(message)):
        from_json(whole)


@pytest.mark.parametrize("key", ["kind", "schema_version", "stacks"])
def test_what_is_missing_is_told(key: str) -> None:
    whole = {name: value for name, value in written().items() if name != key}
    with pytest.raises(ValueError, match=f"report: {key} is missing, expected"):
        from_json(whole)


def test_a_message_shows_neither_secrets_nor_what_moves_the_cursor() -> None:
    with pytest.raises(ValueError, match=r"report: \(secret\)\\x07 is no field of a report") as caught:
        from_json({**written(), "\x1b[2J" + "AKIAIOSFODNN7EXAMPLE\x07": 1})
    assert "\x1b" not in str(caught.value)


def test_texts_of_others_are_bounded_and_cleaned() -> None:
    other = Report(
        stacks=REPORT.stacks,
        findings=(
            told("r", Weight.DANGER, say("{}", "Bearer abc123defg"), before="x" * 20_000, why="AKIAIOSFODNN7EXAMPLE"),
        ),
    )
    finding = from_json(written(other)).findings[0]
    assert (str(finding.what), finding.before, finding.why) == ("Bearer (secret)", "x" * LONGEST, "(secret)")
