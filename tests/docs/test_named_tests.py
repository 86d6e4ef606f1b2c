"""Tests that a page names are there: a flaw that a page calls impossible stays so only as long as its test does."""

import ast
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "coming-from-environments.md"
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE.read_text())))


def test_the_page_names_a_test_for_every_flaw() -> None:
    rows = [line for line in PAGE.read_text().partition("tests that would tell")[2].splitlines() if "|" in line][2:]

    assert len(rows) == 26
    assert [row for row in rows if "`tests/" not in row] == []


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[f"{file}::{name}" for file, name in NAMED])
def test_it_is_there(file: str, name: str) -> None:
    tree = ast.parse((CHECKOUT / file).read_text())

    assert name in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
