"""The Markdown page about the command, from the parsers of its verbs.

It is made from the options themselves: argparse's own help differs between versions of Python and widths of terminals.
"""

from __future__ import annotations

import argparse

from runner.cli import VERBS
from runner.cli.command import build_parser
from tools.reference_tables import page, table

INTRODUCTION = """\
`penstock VERB [options]`. Results are on stdout, what people are told on stderr; with `--json` stdout has one JSON
object. What the exit codes mean: [Exit codes and failures](exit-codes.md)."""


def command_page() -> str:
    """Describes each verb of the command: how it is called and what its options do."""
    parts = [
        "# The command",
        INTRODUCTION,
        table(("Verb", "What it does"), [(f"[`{verb}`](#penstock-{verb})", text) for verb, text in VERBS.items()]),
        "`penstock --version` prints the version.",
    ]
    for verb in VERBS:
        parts += parser_parts(build_parser(verb), level=2)
    return page(parts, source="runner/cli")


def parser_parts(parser: argparse.ArgumentParser, *, level: int, about: str | None = None) -> list[str]:
    """Parts of a page about a command.

    Args:
        parser: of the command.
        level: of its heading.
        about: what it does; the parser's own description if not given.
    """
    actions = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]  # noqa: SLF001
    groups = [action for action in actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001
    plain = [action for action in actions if action not in groups and action.help is not argparse.SUPPRESS]
    parts = [f"{'#' * level} {parser.prog}", about or parser.description or "", f"    {_usage(parser, actions)}"]
    if plain:
        expand = argparse.HelpFormatter(parser.prog)._expand_help  # noqa: SLF001
        rows = [(_name(action), expand(action) if action.help else "") for action in plain]
        parts.append(table(("Option", "Meaning"), rows))
    if parser.epilog:
        parts.append(f"```text\n{parser.epilog.strip()}\n```")
    for group in groups:
        helps = {choice.dest: choice.help for choice in group._choices_actions}  # noqa: SLF001
        for name, inner in group.choices.items():
            parts += parser_parts(inner, level=level + 1, about=_sentence(helps[name] or ""))
    return parts


def _usage(parser: argparse.ArgumentParser, actions: list[argparse.Action]) -> str:
    if parser.usage:
        return parser.usage
    words = []
    for action in actions:
        if not action.option_strings:
            name = _placeholder(action) or action.dest
            words.append(f"[{name}]" if action.nargs == "?" else name)
    return " ".join([parser.prog, *words, "[options]"])


def _name(action: argparse.Action) -> str:
    value = _placeholder(action)
    if not action.option_strings:
        return f"`{value or action.dest}`"
    return ", ".join(f"`{option} {value}`" if value else f"`{option}`" for option in action.option_strings)


def _placeholder(action: argparse.Action) -> str:
    """Names the value that an option takes, nothing for one that takes none."""
    if action.nargs == 0:
        return ""
    if action.metavar is not None:
        return str(action.metavar)
    return "|".join(map(str, action.choices)) if action.choices is not None else action.dest.upper()


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
