"""A review for a terminal: the same as in a comment, with everything that does not fit there."""

import textwrap
from collections.abc import Iterable, Iterator

from stacks.review.finding import Sentence, Weight
from stacks.review.report import Field, Report, Row, StackReport, Told
from stacks.review.writing.headline import WORDS, headline
from stacks.review.writing.sentence_parts import parts
from stacks.review.writing.shown import shortened
from stacks.review.writing.words import DONE, NO_VALUES, columns, error_lines, in_numbers, kind, number

RED, YELLOW, BLUE, GREEN, BOLD, DIM, PLAIN = 31, 33, 34, 32, 1, 2, 0
COLOURS = {Weight.DANGER: RED, Weight.WARNING: YELLOW, Weight.NOTICE: BLUE}
OTHER_COLOURS = {"Quiet": GREEN, "Failed": RED, "Unknown": RED}
OF_WORDS = {WORDS[weight].capitalize(): colour for weight, colour in COLOURS.items()} | OTHER_COLOURS
LONGEST_NAME = 200
LONGEST_VALUE = 400
LONGEST_TEXT = 800
INDENT = "  "


def text(report: Report, *, colour: bool, width: int = 100) -> str:
    """The review.

    Args:
        report: what it says.
        colour: whether the terminal is to show colours.
        width: columns that sentences are wrapped at; values and names are not.
    """
    return "".join(f"{line}\n" for line in _Terminal(colour=colour, width=width).lines(report))


class _Terminal:
    def __init__(self, *, colour: bool, width: int) -> None:
        self.colour = colour
        self.width = width

    def lines(self, report: Report) -> Iterator[str]:
        word, what = headline(report)
        yield from self.wrapped(f"{word}: {_sentence(what)}", "", BOLD, OF_WORDS[word])
        if numbers := in_numbers(report):
            yield from self.wrapped(", ".join(numbers), "")
        several = len(report.stacks) > 1
        for told in report.findings:
            if not told.exception:
                yield from self.finding(told, names_stack=several)
        for stack in report.stacks:
            if stack.errors or not stack.complete:
                yield from ["", f"The preview of {_name(stack.stack)} could not be completed."]
                yield from (f"{INDENT}{line}" for line in error_lines(stack.errors))
        if excepted := [told for told in report.findings if told.exception]:
            yield from ["", f"{number(len(excepted), 'finding')} allowed by the policy"]
            for told in excepted:
                yield from self.wrapped(f"{_sentence(told.what)}: {_text(told.exception)}", INDENT)
        yield from self.rest(report, names_stack=several)
        yield from self.remarks(report)
        yield from ["", *_counts(report.stacks)]

    def finding(self, told: Told, *, names_stack: bool) -> Iterator[str]:
        yield ""
        word = WORDS[told.weight].capitalize()
        yield from self.wrapped(f"{word}: {_sentence(told.what)}", "", COLOURS[told.weight])
        stack = f", stack {_name(told.stack)}" if names_stack else ""
        field = f", {_name(told.field)}" if told.field else ""
        yield f"{INDENT}{_name(kind(told.type))} {_name(told.name)}{field}{stack}"
        if told.before is not None:
            yield self.painted(f"{INDENT}- {shortened(told.before, LONGEST_VALUE)}", RED)
        if told.after is not None:
            yield self.painted(f"{INDENT}+ {shortened(told.after, LONGEST_VALUE)}", GREEN)
        pointer = told.pointer
        if pointer.options:
            line = "" if pointer.line is None else f":{pointer.line}"
            options = " or ".join(f"penstock:{_name(option)}" for option in pointer.options)
            yield f"{INDENT}from {_name(pointer.file)}{line} {options}"
        if told.enforcement:
            yield f"{INDENT}{_text(told.enforcement)} by the policy"
        if told.why:
            yield from self.wrapped(_text(told.why), INDENT, DIM)

    def rest(self, report: Report, *, names_stack: bool) -> Iterator[str]:
        if report.rows:
            title = "Everything else" if report.findings else "What changes"
            yield from ["", f"{title}: {number(len(report.rows), 'resource')}"]
        for row in report.rows:
            yield INDENT + _row(row, names_stack=names_stack)
            yield from (f"{INDENT * 2}{_field(field)}" for field in row.fields)
        if noise := sum(stack.noise for stack in report.stacks):
            changes = "changes" if noise == 1 else "change"
            yield f"{number(noise, 'resource')} {changes} in defaults, tags, order or writing only."

    def remarks(self, report: Report) -> Iterator[str]:
        remarks = [_text(note) for note in report.notes]
        remarks += [f"{_name(stack.stack)}: {NO_VALUES}" for stack in report.stacks if not stack.has_values]
        remarks += [f"{_name(stack.stack)}: {_text(line)}" for stack in report.stacks for line in stack.warnings]
        if report.policy:
            yield from ["", f"Judged by the policy {_name(report.policy)}."]
        if remarks:
            yield ""
        for remark in remarks:
            yield from self.wrapped(remark, "")

    def wrapped(self, words: str, indent: str, *codes: int) -> Iterator[str]:
        for line in textwrap.wrap(
            words,
            self.width,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ):
            yield self.painted(line, *codes)

    def painted(self, words: str, *codes: int) -> str:
        if not self.colour or not codes:
            return words
        return f"\x1b[{';'.join(map(str, codes))}m{words}\x1b[{PLAIN}m"


def _counts(stacks: Iterable[StackReport]) -> Iterator[str]:
    """A table with a line for each stack."""
    stacks = list(stacks)
    ops = columns(stacks)
    table = [["", *ops]]
    table += [[_name(stack.stack), *(f"{stack.counts.get(op, 0):,}" for op in ops)] for stack in stacks]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for name, *cells in table:
        yield "  ".join([name.ljust(widths[0]), *map(str.rjust, cells, widths[1:])])


def _row(row: Row, *, names_stack: bool) -> str:
    happens = DONE.get(row.op) or _name(row.op)
    stack = f"{_name(row.stack)}: " if names_stack else ""
    return f"{stack}{_name(kind(row.type))} {_name(row.name)} {happens}"


def _field(field: Field) -> str:
    before, after = (
        "nothing" if value is None else shortened(value, LONGEST_NAME) for value in (field.before, field.after)
    )
    return f"{_name(field.path)}: {before} -> {after}"


def _sentence(what: Sentence) -> str:
    return "".join(shortened(part, LONGEST_NAME if is_name else LONGEST_TEXT) for part, is_name in parts(what))


def _name(name: str) -> str:
    return shortened(name, LONGEST_NAME)


def _text(words: str) -> str:
    return shortened(words, LONGEST_TEXT)
