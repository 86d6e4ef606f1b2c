"""Numbers and names in words, the same in each way of writing a review."""

import re
from collections import Counter
from collections.abc import Iterable

from stacks.review.finding import Weight
from stacks.review.report import Report, StackReport
from stacks.review.writing.headline import WORDS
from stacks.review.writing.shown import shortened

DONE = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "import": "imported",
    "read": "read",
    "refresh": "refreshed",
    "forget": "forgotten",
    "same": "unchanged",
}
"""What happens to resources, in the order in which it is told."""
ALWAYS = ("create", "update", "replace", "delete", "same")
"""What every table of counts has a column for."""
LONGEST_LINE, LONGEST_ERRORS = 500, 3000
"""Characters of a line of an error, and of all of them, that are shown."""
FRAMES = re.compile(r"^( *)Traceback \(most recent call last\):\n(?:\1 .*\n)+", re.MULTILINE)
"""Of Python: where in a program, and on whose machine, an error has come up; the job's log has them."""
NO_VALUES = "the preview tells no properties, so most findings could not be made; review one of `pulumi preview --json`"


def number(count: int, thing: str) -> str:
    """A number of things: "1 danger", "2,000 warnings"."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def in_numbers(report: Report) -> list[str]:
    """What the line below the headline says: how many stacks, findings of each weight, and resources that change."""
    weights = report.weights()
    total = Counter[str]()
    for stack in report.stacks:
        total.update(stack.counts)
    found = [number(weights[weight], WORDS[weight]) for weight in sorted(Weight, reverse=True) if weights.get(weight)]
    happens = [f"{total[op]:,} {done}" for op, done in DONE.items() if total.get(op)]
    stacks = [number(len(report.stacks), "stack")] if len(report.stacks) > 1 else []
    failed = sum(bool(stack.errors) or not stack.complete for stack in report.stacks)
    told = [number(failed, "preview") + " failed"] if failed else []
    return [part for part in (*stacks, *told, ", ".join(found), ", ".join(happens)) if part]


def columns(stacks: Iterable[StackReport]) -> list[str]:
    """What there is to count in stacks."""
    counted = {op for stack in stacks for op, count in stack.counts.items() if count}
    return [*ALWAYS[:4], *(op for op in DONE if op in counted and op not in ALWAYS), ALWAYS[4]]


def kind(type_: str) -> str:
    """The last word of a resource's type, as `SecurityGroup`."""
    return type_.rpartition(":")[2] or type_


def error_lines(errors: Iterable[str]) -> list[str]:
    """Errors line by line, visible, as many as a reader has patience for: of a traceback what it ends with."""
    lines: list[str] = []
    for error in errors:
        for line in FRAMES.sub("", error)[: LONGEST_ERRORS * 2].splitlines():
            if sum(map(len, lines)) > LONGEST_ERRORS:
                return [*lines, "..."]
            if line.strip():
                lines.append(shortened(line.rstrip(), LONGEST_LINE))
    return lines
