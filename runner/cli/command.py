"""Runs one verb: reads its options, and turns Penstock's own errors into a sentence and an exit code."""

import argparse
import importlib
import json
import os
import sys
from typing import NoReturn, Protocol, cast

from runner.cli import VERBS
from runner.errors import PenstockError, UsageError

HELP_WIDTH = 100


class Verb(Protocol):
    """What the module of a verb provides."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the verb's options."""

    def run(self, options: argparse.Namespace) -> int:
        """Do it; the result is the exit code."""


class Parser(argparse.ArgumentParser):
    """A parser that tells a mistake in one sentence, with the exit code for wrong usage."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise UsageError(f"{self.prog}: {message}. Run `{self.prog} --help` for what it takes.")


def verb_module(verb: str) -> Verb:
    """The module of a verb."""
    return cast(Verb, importlib.import_module(f"runner.cli.{verb}"))


def build_parser(verb: str) -> Parser:
    """The parser of a verb's options."""
    parser = Parser(
        prog=f"penstock {verb}",
        description=f"{VERBS[verb][0].upper()}{VERBS[verb][1:]}.",
        formatter_class=_formatter,
        allow_abbrev=False,
    )
    verb_module(verb).add_options(parser)
    return parser


def _formatter(prog: str) -> argparse.RawDescriptionHelpFormatter:
    """A formatter of a known width: argparse makes one for every option, and would load shutil to ask the terminal."""
    try:
        width = min(HELP_WIDTH, os.get_terminal_size().columns)
    except OSError:
        width = HELP_WIDTH
    return argparse.RawDescriptionHelpFormatter(prog, width=width)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option that every verb has."""
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument("-o", "--output", choices=["text", "json"], default="text", help="json is the same as --json")


def wants_json(options: argparse.Namespace) -> bool:
    """Whether the result is to be JSON."""
    return bool(options.json or options.output == "json")


def print_json(value: object) -> None:
    """Print a result as one JSON object."""
    print(json.dumps(value, sort_keys=True, ensure_ascii=False))


def say(text: str) -> None:
    """Tell people something, on stderr."""
    print(text, file=sys.stderr, flush=True)


def run_verb(verb: str, words: list[str]) -> int:
    """Run a verb; the result is its exit code."""
    as_json = "--json" in words or "json" in words
    try:
        if verb not in VERBS:
            from runner.flow import suggestion

            raise UsageError(
                f"There is no verb {verb!r}.{suggestion(verb, list(VERBS))} `penstock --help` lists the verbs."
            )
        # What stands behind -- is the script's own, whatever it looks like.
        cut = words.index("--") if "--" in words else len(words)
        options = build_parser(verb).parse_args(words[:cut])
        options.arguments = words[cut + 1 :]
        as_json = wants_json(options)
        return verb_module(verb).run(options)
    except PenstockError as error:
        say(f"penstock: {error}")
        if as_json:
            print_json({"error": {"exit_code": int(error.exit_code), "message": str(error)}})
        return error.exit_code
