"""Previews a stack and keeps what it means: `python -m stacks.review.run_preview STACK REPORT.json`.

For jobs of continuous integration. The preview itself, with all properties, is never written to a file or a log.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from runner.outcome import ExitCode
from stacks.review.arguments import Parser
from stacks.review.errors import ReviewError, UsageError
from stacks.review.preview import Preview
from stacks.review.reading.digest import from_digest
from stacks.review.reading.preview_file import read
from stacks.review.reporting import report
from stacks.review.writing.report_json import to_json

DESCRIPTION = """Runs `pulumi preview` for a stack, and writes the report about it, which `python -m stacks.review`
reads. A preview that fails has a report, too, which says why."""
EPILOG = """Exit codes: those of `pulumi preview`; 64 for wrong use; 69 without a Pulumi CLI."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Previews, and says on stderr where the report is, and what was wrong.

    Returns:
        The exit code.
    """
    parser = Parser(
        prog="python -m stacks.review.run_preview", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False
    )
    parser.add_argument("stack", metavar="STACK", help="name of the stack")
    parser.add_argument("report", type=Path, metavar="REPORT.json", help="file for the report; its folder is created")
    try:
        asked = parser.parse_args(arguments)
    except UsageError as error:
        print(error, file=sys.stderr)
        return ExitCode.USAGE
    if shutil.which("pulumi") is None:
        print(
            "PATH has no `pulumi`. Put the folder on PATH that `python3 -m tools.pulumi_cli` prints.", file=sys.stderr
        )
        return ExitCode.UNAVAILABLE
    # A preview of a stack that is not there leaves Pulumi's language host running; this does not start one.
    state = _pulumi("stack", "export", "--stack", asked.stack)
    if state.returncode:
        code, preview = state.returncode, _failed(asked.stack, state.stderr.strip() or "Its state cannot be read")
    else:
        code, preview = _preview(asked.stack)
    version = _pulumi("version").stdout.strip()
    preview = replace(preview, engine_before=_changed_with(state.stdout), engine_after=version)
    asked.report.parent.mkdir(parents=True, exist_ok=True)
    asked.report.write_text(to_json(report([preview], stack_files=Path("stacks"))), encoding="utf-8")
    for problem in preview.errors:
        print(f"{asked.stack}: {problem}", file=sys.stderr)
    print(f"The report about {asked.stack} is in {asked.report}.", file=sys.stderr)
    return code


def _preview(stack: str) -> tuple[int, Preview]:
    """Exit code, and the preview; one without resources when Pulumi has not come as far as writing one."""
    done = _pulumi("preview", "--json", "--stack", stack)
    try:
        found = read(done.stdout, stack)
        if isinstance(found, Preview):
            return done.returncode, replace(found, stack=stack)
        said = "Pulumi has written something that is no preview"
    except ReviewError as error:
        said = done.stderr.strip() or str(error)
    return done.returncode or ExitCode.BAD_DOCUMENT, _failed(stack, said)


def _failed(stack: str, said: str) -> Preview:
    told = {"diagnostics": [{"severity": "error", "message": said}]}
    return replace(from_digest(told, stack), stack=stack)


def _changed_with(state: str) -> str:
    """Version of the CLI that has written a stack's state; empty when that cannot be told."""
    try:
        return str(json.loads(state)["deployment"]["manifest"]["version"])
    except (ValueError, KeyError, TypeError):
        return ""


def _pulumi(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["pulumi", "--non-interactive", "--color=never", *arguments],  # noqa: S607 that of PATH
        # As events the preview also tells of resources of which nothing but the protection changes.
        env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "1", "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


if __name__ == "__main__":
    raise SystemExit(main())
