"""Previews with odd values in odd places: whatever is in one, a review comes of it."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacks.review import reporting
from stacks.review.hiding.marks import UNKNOWN_TEXTS
from stacks.review.preview import Preview
from stacks.review.reading.preview_file import read
from stacks.review.writing.markdown import comment
from stacks.review.writing.report_json import to_json
from stacks.review.writing.terminal import text

PREVIEWS = Path(__file__).parent / "previews"
NAMES = (
    "beside-aws-destroy",
    "beside-aws-policy-widened",
    "beside-kubernetes-create",
    "beside-kubernetes-privileged",
    "dask-prod-everything",
    "dask-jobs-max-workers",
    "jobs-prod-renamed",
    "jobs-prod-template",
)
TIMES = 25
AT_ONCE = 40
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    1.5,
    10**30,
    "",
    "\u202e\x1b[31m`|<b>@all",
    "[secret]",
    *sorted(UNKNOWN_TEXTS),
    [],
    {},
    [None],
    [[["x"]], 7],
    {"name": None},
    '{"Statement": 7}',
    "{broken",
    "0.0.0.0/0",
    "*",
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every mapping and list with each of its keys, JSON inside text left alone."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield value, key
        yield from places(item)


@pytest.mark.parametrize("name", NAMES)
def test_a_review_comes_of_any_preview(name: str) -> None:
    written = (PREVIEWS / f"{name}.json").read_text()
    dice = random.Random(name)  # noqa: S311 the same in every run
    for _ in range(TIMES):
        whole = json.loads(written)
        found = list(places(whole["steps"]))
        for _ in range(AT_ONCE):
            container, key = dice.choice(found)
            container[key] = dice.choice(ODD)
        preview = read(json.dumps(whole), name)
        assert isinstance(preview, Preview)
        made = reporting.report([preview], stack_files=Path("none"))
        assert comment(made).startswith("<!-- penstock-review -->\n")
        assert json.loads(to_json(made))["kind"] == "penstock-review"
        assert text(made, colour=False)
