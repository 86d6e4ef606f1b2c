"""Writes the JSON Schemas and the reference pages, or with `--check` names those that are stale: `make docs`."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from runner.environment import Environment
from runner.outcome import Outcome
from runner.request import RunRequest
from tools.paths import CHECKOUT
from tools.reference_command import command_page
from tools.reference_iam import iam_page
from tools.reference_rbac import rbac_page
from tools.reference_review import findings_page
from tools.reference_tables import contract_page, exit_codes_page, stack_page
from tools.schema_json import schema_of
from tools.schema_review import review_schema

if TYPE_CHECKING:
    from pathlib import Path

CONTRACTS = (
    (Environment, "environment", "Environment document", "environment-document"),
    (RunRequest, "request", "Run request", "run-request"),
    (Outcome, "outcome", "Outcome", "outcome"),
)
"""Class, name of the schema, title and name of the page."""


def files() -> dict[str, str]:
    """Makes everything that is generated.

    Returns:
        The texts, by path in the checkout.
    """
    texts = {
        "docs/reference/command.md": command_page(),
        "docs/reference/exit-codes.md": exit_codes_page(),
        "docs/reference/findings.md": findings_page(),
        "docs/reference/iam.md": iam_page(),
        "docs/reference/rbac.md": rbac_page(),
        "docs/reference/stack-configuration.md": stack_page(CHECKOUT / "Pulumi.yaml"),
    }
    for cls, name, title, page in CONTRACTS:
        schema = f"runner/{name}.schema.json"
        value = schema_of(cls, title=title)
        texts[schema] = _json(value)
        texts[f"docs/reference/{page}.md"] = contract_page(cls, title=title, schema=schema)
    texts["stacks/review/review.schema.json"] = _json(review_schema())
    return texts


def _json(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def stale(texts: dict[str, str], folder: Path) -> list[str]:
    """Lists the files that are missing or are not what would be generated."""
    return [
        name
        for name, text in sorted(texts.items())
        if not (folder / name).is_file() or (folder / name).read_bytes() != text.encode()
    ]


def write(texts: dict[str, str], folder: Path) -> None:
    """Writes all files."""
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())


def main() -> int:
    """Writes or compares.

    Returns:
        0 when all is well, 1 when a file is stale.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, name the files that are stale")
    check = parser.parse_args().check
    texts = files()
    outdated = stale(texts, CHECKOUT)
    for name in outdated:
        print(f"{name} is stale; `make docs` renews it." if check else name)
    if check:
        return 1 if outdated else 0
    write(texts, CHECKOUT)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
