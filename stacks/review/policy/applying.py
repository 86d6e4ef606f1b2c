"""Applies a policy to a report: which findings must not be, which are left out, which are allowed for a time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fnmatch import fnmatchcase

from stacks.review.policy.file import Exempt, Level, Policy, PolicyError
from stacks.review.policy.reading import read
from stacks.review.report import Report, Told

__all__ = ["Exempt", "Level", "Policy", "PolicyError", "apply", "in_force", "read", "violations"]

LONGEST_DAYS = 366
"""How far ahead an exception may end: what is looked at once a year is still meant."""


def apply(report: Report, policy: Policy, *, today: date) -> Report:
    """The report as a policy wants it told.

    Args:
        report: all that was found; what another policy has said in it counts no more.
        policy: what is to become of it.
        today: the day on which exceptions must still be in force.

    Returns:
        The findings with their enforcement and, where one is allowed, the reason; without those of level disabled.
        Notes tell of exceptions, for stacks of this report, that are over.

    Raises:
        PolicyError: an exception ends more than a year ahead.
    """
    valid = in_force(policy, today=today)
    told: list[Told] = []
    for finding in report.findings:
        level = policy.level(finding.rule, finding.weight)
        if level == Level.DISABLED:
            continue
        covering = [
            entry
            for entry in valid
            if entry.covers(rule=finding.rule, stack=finding.stack, name=finding.name, urn=finding.urn)
        ]
        told.append(replace(finding, enforcement=str(level), exception=covering[0].reason if covering else ""))
    stacks = [stack.stack for stack in report.stacks]
    notes = _notes(policy, valid, stacks)
    return replace(report, findings=tuple(told), policy=policy.file, notes=(*report.notes, *notes))


def violations(report: Report) -> tuple[Told, ...]:
    """The findings that must not be: mandatory, and not covered by an exception."""
    return tuple(told for told in report.findings if told.enforcement == Level.MANDATORY and not told.exception)


def in_force(policy: Policy, *, today: date) -> tuple[Exempt, ...]:
    """The exceptions whose time is not over.

    Raises:
        PolicyError: one ends more than a year ahead.
    """
    for entry in policy.exceptions:
        if entry.expires - today > timedelta(days=LONGEST_DAYS):
            raise PolicyError(
                f"{policy.file}: {entry.path}.expires is {entry.expires}, expected a day at most {LONGEST_DAYS} days "
                f"after {today}. Choose an earlier one; it can be renewed when that comes."
            )
    return tuple(entry for entry in policy.exceptions if entry.expires >= today)


def _notes(policy: Policy, valid: Sequence[Exempt], stacks: Sequence[str]) -> Iterator[str]:
    # By their places in the file: what people have written there is not ours, and notes are.
    for entry in policy.exceptions:
        if not any(fnmatchcase(stack, entry.stack) for stack in stacks):
            continue
        where = f"{entry.path} of {policy.file}, for {entry.rule},"
        if entry not in valid:
            yield f"{where} was over on {entry.expires} and covers nothing any more; renew it or take it out."
