"""The parts of a comment in Markdown, each a text by itself."""

from collections.abc import Sequence

from stacks.review.finding import Weight
from stacks.review.report import Field, Pointer, Row, StackReport, Told
from stacks.review.writing.markdown_text import block, cell, code, link, sentence, words
from stacks.review.writing.shown import shortened
from stacks.review.writing.words import DONE, NO_VALUES, columns, error_lines, kind

SIGNS = {Weight.DANGER: "🔴", Weight.WARNING: "🟠", Weight.NOTICE: "🔵"}
MOST_OPTIONS = 4
"""Options of a stack's file that a finding names."""
MOST_FIELDS = 6
"""Fields of a resource that the table of the rest shows."""
LONGEST_VALUE = 400
"""Characters of a value beside a finding."""
LONGEST_IN_TABLE = 80
BREAK = "\\\n"
"""Ends a line and not the paragraph."""


def finding(told: Told, *, source: str, names_stack: bool, tells_why: bool) -> str:
    """A finding: what, at which resource, the values, why it matters, and where it comes from."""
    text = f"{SIGNS[told.weight]} **{sentence(told.what)}**{BREAK}{_resource(told, names_stack=names_stack)}\n\n"
    values = [f"{sign} {shortened(value, LONGEST_VALUE)}" for sign, value in _sides(told) if value is not None]
    if values:
        text += block(values, "diff") + "\n\n"
    below = [f"<sub>{words(told.why)}</sub>"] if tells_why and told.why else []
    if origin := _origin(told, source):
        below.append(origin)
    return text + (BREAK.join(below) + "\n\n" if below else "")


def excepted(told: Told) -> str:
    """A finding that a policy allows, with the reason."""
    reason = words(told.exception)
    return f"- {SIGNS[told.weight]} {sentence(told.what)} ({code(told.rule)}, {code(told.stack)}): {reason}\n"


def failure(stack: StackReport) -> str:
    """What was wrong in a preview that has not been completed."""
    text = f"❌ **The preview of {code(stack.stack)} could not be completed.**\n\n"
    lines = error_lines(stack.errors)
    return text + (block(lines, "text") + "\n\n" if lines else "")


def rest_head(*, names_stack: bool) -> str:
    """The first lines of the table of what no finding is about."""
    names = ["Stack"] * names_stack + ["Resource", "What happens", "Fields"]
    return f"| {' | '.join(names)} |\n|{' --- |' * len(names)}\n"


def rest_row(row: Row, *, names_stack: bool) -> str:
    """A line of that table."""
    fields = [_field(field) for field in row.fields[:MOST_FIELDS]]
    if len(row.fields) > MOST_FIELDS:
        fields.append(f"and {len(row.fields) - MOST_FIELDS} more")
    happens = DONE.get(row.op) or cell(row.op, LONGEST_IN_TABLE)
    cells = [cell(row.stack)] * names_stack
    cells += [f"{cell(kind(row.type))} {cell(row.name)}", happens, "<br>".join(fields)]
    return f"| {' | '.join(cells)} |\n"


def counts(stacks: Sequence[StackReport]) -> tuple[str, list[str]]:
    """The first lines, and one for each stack, of a table of how many resources what happens to."""
    ops = columns(stacks)
    head = f"| Stack | {' | '.join(ops)} |\n| --- |{' ---: |' * len(ops)}\n"
    rows = [
        f"| {cell(stack.stack)} | {' | '.join(f'{stack.counts.get(op, 0):,}' for op in ops)} |\n" for stack in stacks
    ]
    return head, rows


def remarks(stacks: Sequence[StackReport]) -> list[str]:
    """What is to be known about the previews themselves."""
    lines = [
        f"- {code(stack.stack)}: {words(text)}\n"
        for stack in stacks
        for text in ([] if stack.has_values else [NO_VALUES])
    ]
    return lines + [f"- {code(stack.stack)}: {code(text, 500)}\n" for stack in stacks for text in stack.warnings]


def _resource(told: Told, *, names_stack: bool) -> str:
    parts = [f"{code(kind(told.type))} {code(told.name)}"]
    if told.field:
        parts.append(code(told.field))
    if names_stack:
        parts.append(f"stack {code(told.stack)}")
    return " · ".join(parts)


def _origin(told: Told, source: str) -> str:
    parts = [_pointer(told.pointer, source)] if told.pointer.options else []
    if told.enforcement:
        parts.append(f"{words(told.enforcement)} by the policy")
    return " · ".join(parts)


def _pointer(pointer: Pointer, source: str) -> str:
    line = "" if pointer.line is None else f":{pointer.line}"
    file = link(code(f"{pointer.file}{line}"), source, pointer.file, pointer.line)
    return f"From {file} {' or '.join(code(f'penstock:{option}') for option in pointer.options[:MOST_OPTIONS])}"


def _sides(told: Told) -> tuple[tuple[str, str | None], tuple[str, str | None]]:
    return ("-", told.before), ("+", told.after)


def _field(field: Field) -> str:
    before, after = (
        "nothing" if value is None else cell(value, LONGEST_IN_TABLE) for value in (field.before, field.after)
    )
    return f"{cell(field.path, LONGEST_IN_TABLE)}: {before} → {after}"
