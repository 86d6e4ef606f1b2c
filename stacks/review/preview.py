"""A preview, whichever of Pulumi's three ways it was written in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from stacks.review.costs.prices import Prices
from stacks.review.values import Properties


class Op(StrEnum):
    """What a change does to a resource. The steps of a replacement are one."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    READ = "read"
    REFRESH = "refresh"
    IMPORT = "import"
    FORGET = "forget"
    """Taken out of the state; the object itself stays."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What happens to one resource."""

    urn: str
    """Name of the resource in Pulumi."""
    op: Op
    """What happens."""
    old: Properties | None = None
    """Its inputs before; None when there was none, or when the preview does not tell."""
    new: Properties | None = None
    """Its inputs after; None when there is none then, or when the preview does not tell."""
    old_outputs: Properties = field(default_factory=dict)
    """What the provider told about it when it was last changed; empty when the preview does not tell."""
    new_outputs: Properties = field(default_factory=dict)
    """The same after the change, as far as it is known."""
    replace_reasons: tuple[str, ...] = ()
    """Paths of the properties that make a replacement necessary."""
    protected_before: bool = False
    """Whether Pulumi refused to delete it."""
    protected_after: bool = False
    """Whether Pulumi is going to."""
    retained: bool = False
    """Whether the object itself stays when it is deleted from the stack."""

    @property
    def stack(self) -> str:
        """Name of the stack."""
        return self._part(0).removeprefix("urn:pulumi:")

    @property
    def project(self) -> str:
        """Name of the project."""
        return self._part(1)

    @property
    def type(self) -> str:
        """Type of the resource, as `aws:iam/role:Role`, without those of its parents."""
        return self._part(2).rpartition("$")[2]

    @property
    def name(self) -> str:
        """Name of the resource in the program."""
        return self.urn.split("::", 3)[3] if self.urn.count("::") > 2 else self.urn

    @property
    def kind(self) -> str:
        """The last word of the type, as `Role`."""
        return self.type.rpartition(":")[2]

    def _part(self, index: int) -> str:
        parts = self.urn.split("::", 3)
        return parts[index] if len(parts) == 4 else ""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What `pulumi preview` has told about one stack."""

    stack: str
    """Name of the stack; of the file, when the preview names none."""
    steps: tuple[Step, ...]
    """What happens, in the order told, one for each resource; those that stay as they are may be left out."""
    counts: Mapping[str, int]
    """How many resources for each word of Pulumi's summary, as create, update, replace, delete and same."""
    errors: tuple[str, ...] = ()
    """What was wrong, when it could not be completed."""
    engine_before: str = ""
    """Version of the Pulumi CLI that the stack was last changed with; empty when nobody has told."""
    engine_after: str = ""
    """Version of the one that has made the preview."""
    prices: Prices | None = None
    """The table that estimates are made with; None for the one that comes with the reviewer."""
    warnings: tuple[str, ...] = ()
    """What Pulumi or a provider warned about."""
    has_values: bool = True
    """Whether it tells properties; the summary of `--output json` does not."""
    complete: bool = True
    """Whether it came to its end."""
