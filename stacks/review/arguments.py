"""The command line of `python -m stacks.review`."""

import argparse
import datetime as dt
from pathlib import Path
from typing import NoReturn

from stacks.review.errors import UsageError
from stacks.review.finding import Weight

DESCRIPTION = """Says what previews of Pulumi mean: who may do what, what becomes reachable, what is destroyed, what it
can cost. Reads what `pulumi preview --json` has written, or reports of its own."""
EPILOG = """Exit codes: 0; 1 when --fail-on or a mandatory rule of --policy says so, or when one of both is given and a
preview failed or tells no properties; 64 for wrong use; 65 for a damaged preview, report, policy or price table."""
FAIL_ON: dict[str, Weight | None] = {"none": None, **{weight.name.lower(): weight for weight in Weight}}
FORMATS = ("markdown", "terminal", "json")


class Parser(argparse.ArgumentParser):
    """One whose mistakes are errors of ours."""

    def error(self, message: str) -> NoReturn:
        """See `ArgumentParser`.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.")


def parser() -> argparse.ArgumentParser:
    """All options, each with its default."""
    made = Parser(prog="python -m stacks.review", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    made.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="PREVIEW.json",
        help="a preview or a report, or a folder with some; - for stdin",
    )
    made.add_argument(
        "--expect",
        nargs="+",
        default=[],
        metavar="STACK",
        help="stacks that all must be there; one that is in no file counts as a preview that failed",
    )
    made.add_argument(
        "--format",
        choices=FORMATS,
        help="how it is written (default: terminal on a terminal, else markdown)",
    )
    made.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    made.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        default="none",
        help="end with 1 when a finding is as heavy as that or heavier (default: none)",
    )
    made.add_argument("--policy", type=Path, metavar="FILE", help="rules that must not be broken, and exceptions; TOML")
    made.add_argument(
        "--today", type=_date, metavar="DATE", help="the day on which exceptions are looked at (default: today's)"
    )
    made.add_argument(
        "--source", default="", metavar="URL", help="where the checkout's files can be seen, for links to stacks' files"
    )
    made.add_argument(
        "--stack-files",
        type=Path,
        default=Path("stacks"),
        metavar="DIR",
        help="folder with the stacks' files (default: stacks)",
    )
    made.add_argument("--prices", type=Path, metavar="FILE", help="another price table than the one that comes with it")
    made.add_argument("--stack", default="", metavar="NAME", help="the stack, for a preview without any resource")
    made.add_argument(
        "--engine-before", default="", metavar="VERSION", help="version of Pulumi that the stack was last changed with"
    )
    made.add_argument(
        "--engine-after", default="", metavar="VERSION", help="version of Pulumi that has made the preview"
    )
    return made


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a date as 2030-12-31, not {text!a}") from None
