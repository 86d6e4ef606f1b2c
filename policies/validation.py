"""What is to be said of one resource, whatever it was before.

Without pulumi_policy, so that it can be imported in every environment.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from stacks.review.finding import Finding, Rule, Weight
from stacks.review.findings import PREVIEW_CHECKS, STEP_CHECKS
from stacks.review.hiding.cleaning import cleaned, secrets_in
from stacks.review.policy.file import Exempt, Level, Policy
from stacks.review.preview import Op, Preview, Step
from stacks.review.values import mapping

LIGHTEST = Weight.WARNING
"""Notices are about what is new, and to a pack everything is, at each preview."""
REMEMBERED = 64
"""Resources whose findings are kept: every rule asks for them, one after the other, for a few resources at a time."""


class Arguments(Protocol):
    """What Pulumi tells of a resource; pulumi_policy's ResourceValidationArgs is one."""

    resource_type: str
    props: Any
    urn: str


Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Reports the findings of one rule that are of one level, unless they are allowed."""

    rule: Rule
    level: Level
    policy: Policy
    exempt: Sequence[Exempt]
    """The exceptions in force."""

    def __call__(self, args: Arguments, report: Report) -> None:
        """Reports what is found, each as one message."""
        place = Step(urn=args.urn, op=Op.CREATE)
        name = self.rule.name
        if any(entry.covers(rule=name, stack=place.stack, name=place.name, urn=place.urn) for entry in self.exempt):
            return
        for finding in _findings(args.resource_type, args.urn, json.dumps(bare(args.props), sort_keys=True)):
            if finding.rule.name == name and self.policy.level(name, finding.weight) == self.level:
                report(message(finding))


def levels(rule: Rule, policy: Policy) -> Iterator[Level]:
    """The levels that findings of a rule can have here, the strictest first; not disabled."""
    possible = {policy.level(rule.name, weight) for weight in Weight if weight >= LIGHTEST}
    return (level for level in (Level.MANDATORY, Level.ADVISORY) if level in possible)


def message(finding: Finding) -> str:
    """What is found, why it matters, and where it may come from."""
    what = str(finding.what)
    options = f" It may come from {', '.join(finding.options)} in the stack's file." if finding.options else ""
    said = f"{what[:1].upper()}{what[1:]}. {finding.rule.why}{options}"
    # Names are the program's: none may speak to the terminal.
    return "".join(char if char.isprintable() else "?" for char in said)


def bare(value: Any) -> Any:
    """Properties without pulumi_policy's wrappers, which raise when something that is not known yet is touched."""
    if isinstance(value, str) or not isinstance(value, Mapping | Sequence):
        return value
    inside = value if isinstance(value, dict | list) else value["__target"]  # type: ignore[call-overload]
    if isinstance(inside, Mapping):
        return {key: bare(item) for key, item in inside.items()}
    return [bare(item) for item in inside]


@lru_cache(maxsize=REMEMBERED)
def _findings(type_: str, urn: str, text: str) -> tuple[Finding, ...]:
    properties = json.loads(text, parse_float=_number)
    known = secrets_in([(type_, properties, None)])
    step = Step(urn=urn, op=Op.CREATE, new=mapping(cleaned(type_, properties, None, known)))
    alone = Preview(stack=step.stack, steps=(step,), counts={Op.CREATE: 1})
    found = (
        *(finding for check in STEP_CHECKS for finding in check(step)),
        *(finding for check_all in PREVIEW_CHECKS for finding in check_all(alone)),
    )
    return tuple(finding for finding in found if finding.weight >= LIGHTEST)


def _number(text: str) -> int | float:
    # In the engine's protocol all numbers are floating-point numbers.
    number = float(text)
    return int(number) if number.is_integer() else number
