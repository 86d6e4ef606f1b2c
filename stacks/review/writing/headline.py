"""The one sentence that a review begins with."""

from collections.abc import Sequence

from stacks.review.finding import Sentence, Weight, say
from stacks.review.report import Report

MOST_NAMED = 3
"""Stacks that a headline names before it counts."""
WORDS = {Weight.DANGER: "danger", Weight.WARNING: "warning", Weight.NOTICE: "notice"}


def headline(report: Report) -> tuple[str, Sentence]:
    """The word it starts with, as Danger, and the sentence, which ends without a full stop."""
    failed = [stack.stack for stack in report.stacks if stack.errors or not stack.complete]
    told = [finding for finding in report.findings if not finding.exception]
    if (told and told[0].weight >= Weight.WARNING) or (told and not failed):
        first, rest = told[0], len(told) - 1
        same = sum(finding.weight == first.weight for finding in told) - 1
        word = WORDS[first.weight]
        if same:
            more = f", and {same} more {word if same == 1 else word + 's'}"
        else:
            more = f", and {rest} lighter finding{'s' if rest > 1 else ''}" if rest else ""
        return word.capitalize(), Sentence(first.what.text + more.replace("{", "{{"), first.what.names)
    if failed:
        return "Failed", _not_completed(failed)
    changed = sum(number for stack in report.stacks for op, number in stack.counts.items() if op != "same")
    if not changed:
        return "Quiet", say("nothing changes")
    change = f"{changed:,} resources change" if changed > 1 else "1 resource changes"
    if any(not stack.has_values for stack in report.stacks):
        return "Unknown", say(f"{change}, and the preview does not tell how")
    return "Quiet", say(f"{change}, with nothing to point out")


def _not_completed(stacks: Sequence[str]) -> Sentence:
    named = stacks[:MOST_NAMED]
    parts = ["{}" for _ in named]
    if len(stacks) > len(named):
        parts.append(f"{len(stacks) - len(named)} more")
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]
    return say(f"the preview{'s' if len(stacks) > 1 else ''} of {listed} could not be completed", *named)
