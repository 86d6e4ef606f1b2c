"""A review as a comment in Markdown of GitHub, made so that who approves sees the point at once."""

import re
from collections.abc import Iterable

from stacks.review.finding import Weight
from stacks.review.report import Report, Told
from stacks.review.writing import markdown_parts as parts
from stacks.review.writing.headline import WORDS, headline
from stacks.review.writing.markdown_text import code, sentence, summary, words
from stacks.review.writing.room import Room, units
from stacks.review.writing.words import in_numbers, number

LIMIT = 65_000
"""Length of a comment; GitHub takes 65,536 characters."""
FOR_FAILURES, FOR_END = 15_000, 12_000
"""Parts of it for previews that have failed, and for what stands behind all findings and resources."""
FOR_LEFT_OUT = 500
OTHER_SIGNS = {"Quiet": "✅", "Failed": "❌", "Unknown": "❔"}
SIGNS = {WORDS[weight].capitalize(): sign for weight, sign in parts.SIGNS.items()} | OTHER_SIGNS
FOLDED_END = "\n</details>\n\n"


def comment(report: Report, *, source: str = "", marker: str = "penstock-review") -> str:
    """The comment.

    Args:
        report: what it says.
        source: address of the checkout's files that pointers become links to, as
            `https://github.com/owner/name/blob/main`; without links when empty.
        marker: what its first line says, in words that are not shown, for whoever looks for it later.
    """
    beginning, failures, end = _beginning(report, marker), _failures(report), _end(report)
    room = Room(LIMIT - units(beginning) - units(failures) - units(end) - FOR_LEFT_OUT)
    several = len(report.stacks) > 1
    told = [finding for finding in report.findings if not finding.exception]
    open_ = _findings((one for one in told if one.weight > Weight.NOTICE), source, names_stack=several)
    left_out = sum(not room.add(block) for block in open_)
    heavy = str(room)
    notices = _findings((one for one in told if one.weight == Weight.NOTICE), source, names_stack=several)
    left_out += len(notices) - room.add_folded(_folded(number(len(notices), "notice")), notices, FOLDED_END)
    excepted = [parts.excepted(finding) for finding in report.findings if finding.exception]
    allowed = f"{number(len(excepted), 'finding')} allowed by the policy"
    left_out += len(excepted) - room.add_folded(_folded(allowed), excepted, FOLDED_END)
    rows = (parts.rest_row(row, names_stack=several) for row in report.rows)
    everything = f"{'Everything else' if report.findings else 'What changes'}: {number(len(report.rows), 'resource')}"
    head = parts.rest_head(names_stack=several)
    rows_left_out = len(report.rows) - room.add_folded(_folded(everything) + head, rows, FOLDED_END)
    light = str(room).removeprefix(heavy)
    return beginning + heavy + failures + light + _left_out(left_out, rows_left_out) + end


def _beginning(report: Report, marker: str) -> str:
    word, what = headline(report)
    text = f"<!-- {re.sub(r'[^A-Za-z0-9_ -]', '', marker)} -->\n"
    text += f"### {SIGNS[word]} {word}: {sentence(what, capital=False)}\n\n"
    numbers = in_numbers(report)
    return text + (" · ".join(numbers) + "\n\n" if numbers else "")


def _failures(report: Report) -> str:
    room = Room(FOR_FAILURES)
    failed = [stack for stack in report.stacks if stack.errors or not stack.complete]
    left_out = sum(not room.add(parts.failure(stack)) for stack in failed)
    return str(room) + (f"{number(left_out, 'more preview')} could not be completed.\n\n" if left_out else "")


def _findings(found: Iterable[Told], source: str, *, names_stack: bool) -> list[str]:
    """One text for each; why one matters is told once for each rule."""
    texts, rules = [], set()
    for told in found:
        texts.append(parts.finding(told, source=source, names_stack=names_stack, tells_why=told.rule not in rules))
        rules.add(told.rule)
    return texts


def _end(report: Report) -> str:
    room = Room(FOR_END)
    noise = sum(stack.noise for stack in report.stacks)
    if noise:
        change = "changes" if noise == 1 else "change"
        room.add(f"{number(noise, 'resource')} {change} in defaults, tags, order or writing only.\n\n")
    if report.policy:
        room.add(f"Judged by the policy {code(report.policy)}.\n\n")
    notes = [f"- {words(note)}\n" for note in report.notes] + parts.remarks(report.stacks)
    left_out = len(notes) - room.add_folded("", notes, "\n")
    if left_out:
        room.add(f"{number(left_out, 'more note')} are not shown.\n\n")
    head, rows = parts.counts(report.stacks)
    left_out = len(rows) - room.add_folded(_folded("Resources by stack") + head, rows, FOLDED_END)
    if left_out:
        room.add(f"{number(left_out, 'more stack')} are not in the table.\n")
    return str(room)


def _folded(title: str) -> str:
    return f"<details>{summary(title)}\n\n"


def _left_out(findings: int, rows: int) -> str:
    if not findings and not rows:
        return ""
    what = " and ".join(
        number(count, f"more {thing}") for count, thing in ((findings, "finding"), (rows, "resource")) if count
    )
    are = "is" if findings + rows == 1 else "are"
    return f"{what} {are} not shown: run `python -m stacks.review` on the previews to see them.\n\n"
