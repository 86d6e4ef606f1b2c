"""The JSON Schema of reports of `python -m stacks.review --json`."""

from __future__ import annotations

from typing import Any

from stacks.review.report import Report
from stacks.review.writing.headline import WORDS
from stacks.review.writing.report_json import KIND, SCHEMA_VERSION
from tools.schema_json import VERSION, schema_of

HEADLINE = {
    "type": "object",
    "description": "The one sentence that a review begins with. Not read back.",
    "properties": {"word": {"type": "string"}, "text": {"type": "string"}},
    "required": ["word", "text"],
    "additionalProperties": False,
}
SUMMARY = {"type": "string", "description": "The sentence in plain text. Not read back."}


def review_schema() -> dict[str, Any]:
    """Describes a report: its dataclasses, and what `to_json` writes beside them.

    Returns:
        The schema, as JSON values.
    """
    schema = schema_of(Report, title="Review of previews")
    # A reader refuses keys that it does not know.
    for part in (schema, *schema["$defs"].values()):
        if "properties" in part:
            part["additionalProperties"] = False
    schema["properties"] |= {
        "schema_version": {"const": SCHEMA_VERSION, "description": VERSION},
        "kind": {"const": KIND, "description": "What tells a report from a preview."},
        "headline": HEADLINE,
    }
    schema["required"] = ["schema_version", "kind", *schema["required"]]
    schema["$defs"]["Told"]["properties"]["summary"] = SUMMARY
    weights = schema["$defs"]["Weight"]
    weights["enum"] = [WORDS[weight] for weight in sorted(WORDS)]
    for weight, word in WORDS.items():
        weights["description"] = weights["description"].replace(f"`{weight.value}`", f"`{word}`")
    return schema
