"""One thing that a reviewer should know about a change."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

from stacks.review.preview import Preview, Step
from stacks.review.values import Value


class Weight(IntEnum):
    """How much a finding matters."""

    NOTICE = 1
    """Worth a look."""
    WARNING = 2
    """Could hurt; somebody should have meant it."""
    DANGER = 3
    """Opens, destroys or hands over something that is hard to take back."""


@dataclass(frozen=True)
class Sentence:
    """Words of ours around names of somebody else's, which are kept apart so that no name is ever read as markup.

    Without a capital letter at its beginning and a full stop at its end, so that it stands after "Danger: ".
    """

    text: str
    """Ours; `{}` where a name stands."""
    names: tuple[str, ...] = ()
    """As many as there are places."""

    def __str__(self) -> str:
        return self.text.format(*self.names)


def say(text: str, *names: object) -> Sentence:
    """A sentence about names."""
    return Sentence(text, tuple(map(str, names)))


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A kind of finding. Policies name it."""

    name: str
    """Lower-case words with hyphens; part of the interface."""
    tells: str
    """What it tells, as a clause for the table in the docs: "a policy allows every action"."""
    why: str
    """Why that matters, one sentence with capital letter and full stop."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a change means, about one resource."""

    rule: Rule
    """What kind of finding it is."""
    weight: Weight
    """How much it matters here."""
    urn: str
    """The resource; the stack's own when it is about all of it."""
    what: Sentence
    """What it is about this time."""
    field: str = ""
    """Path of the property, as `ingress[0].cidrBlocks`; empty when it is about the whole resource."""
    before: Value = None
    """What was there, in the field's own words; None when nothing was."""
    after: Value = None
    """What is going to be there; None when nothing is."""
    options: tuple[str, ...] = ()
    """Options of the stack's file, without `penstock:`, that it may come from; the likeliest first."""


StepCheck = Callable[[Step], Iterable[Finding]]
"""Finds what is to be told of one resource. Pure, and never raises for what a preview may have in it."""

PreviewCheck = Callable[[Preview], Iterable[Finding]]
"""Finds what is to be told of a stack as a whole."""
