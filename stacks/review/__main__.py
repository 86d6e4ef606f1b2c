"""Reviews previews: `python -m stacks.review PREVIEW.json...`; see `--help`, and docs/pull-requests.md."""

import datetime as dt
import os
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from runner.outcome import ExitCode
from stacks.review.arguments import FAIL_ON, parser
from stacks.review.costs.prices import read as read_prices
from stacks.review.errors import ReviewError, UsageError
from stacks.review.policy.applying import PolicyError, apply, violations
from stacks.review.policy.applying import read as read_policy
from stacks.review.preview import Preview
from stacks.review.reading.preview_file import LONGEST, read
from stacks.review.report import Report
from stacks.review.reporting import joined, missing, report
from stacks.review.writing import terminal
from stacks.review.writing.markdown import comment
from stacks.review.writing.report_json import from_json, to_json

FOUND = 1
"""Exit code when something was found that must not be."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Reviews, and writes the review to stdout.

    Returns:
        The exit code.
    """
    try:
        asked = parser().parse_args(arguments)
        made = _reviewed(asked)
    except UsageError as error:
        return _refused(error, ExitCode.USAGE)
    except (ReviewError, PolicyError) as error:
        return _refused(error, ExitCode.BAD_DOCUMENT)
    sys.stdout.buffer.write(_written(made, asked).encode("utf-8", "backslashreplace"))
    sys.stdout.flush()
    return FOUND if _must_not_pass(made, asked) else 0


def _must_not_pass(made: Report, asked: Namespace) -> bool:
    """Whether something is in the way of the change; a preview that tells not all is, for who knows what it hides."""
    limit = FAIL_ON[asked.fail_on]
    if limit is None and asked.policy is None:
        return False
    heaviest = made.heaviest()
    too_heavy = limit is not None and heaviest is not None and heaviest >= limit
    return too_heavy or bool(violations(made)) or not all(stack.is_whole for stack in made.stacks)


def _reviewed(asked: Namespace) -> Report:
    prices = None if asked.prices is None else read_prices(_text(asked.prices, str(asked.prices)), str(asked.prices))
    told = {"engine_before": asked.engine_before, "engine_after": asked.engine_after, "prices": prices}
    reports, previews = [], []
    for path in _files(asked.files):
        name = "the preview on stdin" if str(path) == "-" else str(path)
        found = read(_text(path, name), asked.stack or name)
        if isinstance(found, Preview):
            previews.append(replace(found, **told))
        else:
            reports.append(_report(found, name))
    made = joined([*reports, report(previews, stack_files=asked.stack_files)])
    names = [stack.stack for stack in made.stacks]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"Two of the files are about the stack {name}, expected one for each. Leave one out.")
    made = joined([made, *(missing(name) for name in dict.fromkeys(asked.expect) if name not in names)])
    if not made.stacks:
        raise UsageError(f"{asked.files[0]} has no file *.json, expected previews or reports. Name another folder.")
    if asked.policy is None:
        return made
    policy = read_policy(_text(asked.policy, str(asked.policy)), file=str(asked.policy))
    return apply(made, policy, today=asked.today or dt.datetime.now(tz=dt.UTC).date())


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.glob("*.json")) if path.is_dir() else [path]


def _text(path: Path, name: str) -> str:
    try:
        data = sys.stdin.buffer.read(LONGEST * 4) if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{name} cannot be read: {error.strerror}. Name a file that `pulumi preview --json` has written."
        ) from None
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ReviewError(
            f"{name} is not in UTF-8, from byte {error.start} on. Make it again with `pulumi preview --json`."
        ) from None


def _report(found: Mapping[str, Any], name: str) -> Report:
    try:
        return from_json(found)
    except ValueError as error:
        raise ReviewError(
            f"{name} is no report that can be read: {error}. Make it again with `python -m stacks.review --json`."
        ) from None


def _written(made: Report, asked: Namespace) -> str:
    terminal_there = sys.stdout.isatty()
    form = asked.format or ("terminal" if terminal_there else "markdown")
    if form == "json":
        return to_json(made)
    if form == "terminal":
        return terminal.text(made, colour=terminal_there and "NO_COLOR" not in os.environ)
    return comment(made, source=asked.source)


def _refused(error: Exception, code: int) -> int:
    print(error, file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
