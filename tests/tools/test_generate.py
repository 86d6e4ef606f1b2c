"""What is generated: that it is up to date, and that `--check` tells when it is not."""

import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from runner.cli import VERBS
from runner.contract import option
from tools import generate
from tools.paths import CHECKOUT
from tools.schema_json import schema_of


class Colour(StrEnum):
    """Colours."""

    RED = "red"
    """That of fire."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part."""

    weight: float | None = option(1, above=0, maximum=10)
    """In kilograms;
    null for none."""
    colour: Colour | None = None
    """Its colour."""
    tags: tuple[str, ...] = option((), pattern="[a-z]|b")
    """Words."""


@pytest.mark.parametrize("name", sorted(generate.files()))
def test_each_generated_file_is_up_to_date(name: str) -> None:
    assert (CHECKOUT / name).read_text() == generate.files()[name], "`make docs` renews it"


def test_files_that_are_missing_or_changed_are_stale(tmp_path: Path) -> None:
    texts = {"a/one.md": "one\n", "two.json": "{}\n"}

    assert generate.stale(texts, tmp_path) == ["a/one.md", "two.json"]
    generate.write(texts, tmp_path)
    assert generate.stale(texts, tmp_path) == []
    (tmp_path / "two.json").write_text("{}")
    assert generate.stale(texts, tmp_path) == ["two.json"]


def test_the_check_names_stale_files_and_what_renews_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "files", lambda: {"page.md": "text\n"})
    monkeypatch.setattr(generate, "CHECKOUT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["generate", "--check"])

    assert generate.main() == 1
    assert capsys.readouterr().out == "page.md is stale; `make docs` renews it.\n"
    monkeypatch.setattr(sys, "argv", ["generate"])
    assert generate.main() == 0
    monkeypatch.setattr(sys, "argv", ["generate", "--check"])
    assert generate.main() == 0


def test_a_schema_has_the_types_rules_defaults_and_docstrings_of_the_class() -> None:
    schema = schema_of(Part, title="Part")

    Draft202012Validator.check_schema(schema)
    assert schema["properties"] == {
        "weight": {
            "type": ["number", "null"],
            "exclusiveMinimum": 0,
            "maximum": 10,
            "default": 1,
            "description": "In kilograms; null for none.",
        },
        "colour": {
            "anyOf": [{"$ref": "#/$defs/Colour"}, {"type": "null"}],
            "default": None,
            "description": "Its colour.",
        },
        "tags": {
            "type": "array",
            "items": {"type": "string", "pattern": "^([a-z]|b)$"},
            "default": [],
            "description": "Words.",
        },
    }
    assert schema["$defs"] == {"Colour": {"enum": ["red"], "description": "Colours. `red`: That of fire."}}


def test_every_verb_is_told_of_with_its_options() -> None:
    page = (CHECKOUT / "docs/reference/command.md").read_text()

    assert [line for line in page.splitlines() if line.startswith("## ")] == [f"## penstock {verb}" for verb in VERBS]
    assert page.count("`--json`") > len(VERBS)
