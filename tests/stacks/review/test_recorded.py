"""Reviews of previews that the real engine has made; their comments are golden files.

After a change that is meant: `--update-golden`, and read what has changed.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stacks.review import reporting
from stacks.review.findings import RULES
from stacks.review.preview import Preview
from stacks.review.reading import preview_file as reading
from stacks.review.report import Report
from stacks.review.writing.markdown import comment
from tests.stacks.review.recording.case import SHOWN, Case
from tests.stacks.review.recording.cases import CASES
from tests.testbed.pulumi_engine import CHECKOUT

PREVIEWS = Path(__file__).parent / "previews"
JSON = tuple(case for case in CASES if case.command not in SHOWN)
NEVER_RECORDED = {
    "engine-version-changed": "no preview tells it: see test_command.py",
}
"""Rules that no recorded preview is found by, and why. Each has its cases in findings/."""


def review(case: Case) -> Report:
    preview = reading.read((PREVIEWS / case.file).read_text(), case.file)
    assert isinstance(preview, Preview)
    return reporting.report([preview], stack_files=CHECKOUT / "stacks")


@pytest.mark.parametrize("case", JSON, ids=lambda case: case.name)
def test_the_comment_about_each_change(case: Case, golden: Callable[[str, bytes], None]) -> None:
    golden(f"{case.name}.md", comment(review(case)).encode())


def test_there_is_a_preview_of_each_case_and_no_other() -> None:
    assert {path.name for path in PREVIEWS.iterdir()} == {case.file for case in CASES}
    golden = Path(__file__).parent / "golden"
    assert {path.stem for path in golden.glob("*.md")} == {case.name for case in JSON}


def test_each_rule_is_found_in_a_recorded_preview() -> None:
    found = {told.rule for case in JSON for told in review(case).findings}

    assert {rule.name for rule in RULES} - found == set(NEVER_RECORDED)


@pytest.mark.parametrize("case", [case for case in JSON if case.name.endswith("-same")], ids=lambda case: case.name)
def test_no_change_is_told_as_none(case: Case) -> None:
    made = review(case)

    assert (made.findings, made.rows, made.stacks[0].noise) == ((), (), 0)
    assert "nothing changes" in comment(made)


def test_previews_hold_nothing_of_the_machine_that_made_them() -> None:
    for path in PREVIEWS.iterdir():
        text = path.read_text()
        assert not any(word in text for word in ("sourcePosition", "/home/", "/root/", "site-packages")), path
        if path.suffix == ".json" and not path.name.endswith("-events.json"):
            assert json.dumps(str(CHECKOUT))[1:-1] not in text
