"""All that a review has to say, in the order in which it is said; every text in it is harmless to who must not know.

A report can be written as JSON and read back, so that the previews of several stacks become one comment without
their properties ever leaving the job that made them.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from stacks.review.finding import Sentence, Weight


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """Where in the checkout a finding comes from."""

    file: str
    """Path of the stack's file, relative to the checkout, as `stacks/Pulumi.dask-prod.yaml`."""
    options: tuple[str, ...] = ()
    """Keys in it, without `penstock:`; empty when it cannot be told."""
    line: int | None = None
    """Line of the first of them, from 1; None when the file was not there or does not have it."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A finding as it is told. What differs in `pointer` and `why` from what was found is where to look, and words."""

    rule: str
    """Name of its rule."""
    weight: Weight
    stack: str
    urn: str
    type: str
    """Type of the resource."""
    name: str
    """Name of the resource in the program."""
    what: Sentence
    field: str
    before: str | None
    """In the field's own words; None when nothing was there."""
    after: str | None
    why: str
    pointer: Pointer
    enforcement: str = ""
    """What a policy says: mandatory, advisory, or empty without a policy."""
    exception: str = ""
    """Why it is allowed all the same, by a policy that says so; empty otherwise."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A property that changes, where no finding is about it."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """What else happens to a resource."""

    stack: str
    type: str
    name: str
    op: str
    """create, update, replace, delete, import, read, refresh or forget."""
    fields: tuple[Field, ...] = ()
    """What changes, without noise. Empty for a creation and a deletion."""


@dataclass(frozen=True, kw_only=True)
class StackReport:
    """One stack in numbers."""

    stack: str
    counts: Mapping[str, int]
    """Resources by what happens to them, as Pulumi counts."""
    noise: int = 0
    """Resources whose change is in defaults, tags, order or the writing of JSON only, and which are in no row."""
    errors: tuple[str, ...] = ()
    """Why the preview could not be completed."""
    warnings: tuple[str, ...] = ()
    complete: bool = True
    """Whether the preview came to its end."""
    has_values: bool = True
    """Whether the preview told properties, without which most findings cannot be made."""

    @property
    def is_whole(self) -> bool:
        """Whether all that could be found in it has been looked for."""
        return self.complete and self.has_values and not self.errors


@dataclass(frozen=True, kw_only=True)
class Report:
    """All of it."""

    stacks: tuple[StackReport, ...]
    """By name."""
    findings: tuple[Told, ...] = ()
    """The heaviest first; then by stack, in the order of their rules, by resource."""
    rows: tuple[Row, ...] = ()
    """By stack, type and name."""
    policy: str = ""
    """Name of the policy that was applied, or empty."""
    notes: tuple[str, ...] = field(default=())
    """What else is to be known, as an exception whose time is over; sentences of ours."""

    def weights(self) -> Mapping[Weight, int]:
        """How many findings there are of each weight, those that a policy excepts left out."""
        return Counter(finding.weight for finding in self.findings if not finding.exception)

    def heaviest(self) -> Weight | None:
        """The greatest weight of them; None when there is none."""
        return max(self.weights(), default=None)
