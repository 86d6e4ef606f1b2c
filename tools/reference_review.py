"""Markdown pages about reviews of previews: what can be found, and the command."""

from __future__ import annotations

from stacks.review.arguments import parser
from stacks.review.findings import RULES
from tools.reference_command import parser_parts
from tools.reference_tables import page, table

INTRODUCTION = """\
What `python -m stacks.review` finds in a preview, by the names that policies call it. How to have it in pull requests:
[pull-requests.md](../pull-requests.md); how to forbid some of it: [policies.md](../policies.md)."""


def findings_page() -> str:
    """Every rule of the reviewer with what it tells and why, and the command's options."""
    rows = [(f"`{rule.name}`", rule.tells, rule.why) for rule in RULES]
    return page(
        [
            "# Findings of reviews",
            INTRODUCTION,
            table(("Rule", "Tells", "Why it matters"), rows),
            *parser_parts(parser(), level=2),
        ],
        source="stacks/review",
    )
