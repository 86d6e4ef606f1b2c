"""What a project makes of findings: which ones must not be, which are only told, and what is allowed all the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fnmatch import fnmatchcase

from stacks.review.finding import Weight


class PolicyError(Exception):
    """A sentence about what was found and expected in the file, and one about what to do."""


class Level(StrEnum):
    """What becomes of a finding."""

    MANDATORY = "mandatory"
    """It must not be."""
    ADVISORY = "advisory"
    """It is told."""
    DISABLED = "disabled"
    """It is left out."""


@dataclass(frozen=True, kw_only=True)
class Exempt:
    """What is allowed for a time, whatever its level."""

    path: str
    """Where it is in the file, as `exceptions[0]`."""
    rule: str
    """Name of the rule."""
    stack: str
    """Pattern of names of stacks: `*`, `?` and `[...]` as in a shell."""
    resource: str
    """Pattern of names of resources, or of their URNs."""
    reason: str
    """Why, for those who read the review."""
    expires: date
    """The last day on which it is in force."""

    def covers(self, *, rule: str, stack: str, name: str, urn: str) -> bool:
        """Whether it is about a finding of this rule, in this stack, about this resource."""
        return (
            self.rule == rule
            and fnmatchcase(stack, self.stack)
            and (fnmatchcase(name, self.resource) or fnmatchcase(urn, self.resource))
        )


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A policy file."""

    file: str
    """Its name, for messages."""
    default: Level = Level.ADVISORY
    """The level of what nothing else is said about."""
    weights: Mapping[Weight, Level] = field(default_factory=dict)
    """Levels of findings by their weight."""
    rules: Mapping[str, Level] = field(default_factory=dict)
    """Levels of rules; they go before those of weights."""
    exceptions: tuple[Exempt, ...] = ()

    def level(self, rule: str, weight: Weight) -> Level:
        """What becomes of a finding of this rule and weight."""
        return self.rules.get(rule) or self.weights.get(weight) or self.default
