"""What the tables say of a type of resource."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.errors import Problem
from tests.testbed.aws.provider.values import TAGS, Values


@dataclass(frozen=True, kw_only=True)
class Update:
    """A change in place."""

    inputs: str
    """Names of the inputs that it covers, with spaces between."""
    apply: Callable[[Item], object]
    on_create: bool = False
    """Whether it also follows the creation, when one of the inputs is given."""


@dataclass(frozen=True, kw_only=True)
class Tagging:
    """How AWS keeps the tags of a type."""

    read: Callable[[Item], Mapping[str, str]]
    add: Callable[[Item, dict[str, str]], object]
    remove: Callable[[Item, dict[str, str]], object]
    """Gets the tags that go, with their old values."""


@dataclass(frozen=True, kw_only=True)
class Autoname:
    """A name that the provider makes when the program gives none."""

    input: str
    longest: int
    lower: bool = False


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """A type of resource. Inputs that it does not name are refused."""

    service: str
    """As botocore names it."""
    create: Callable[[Item], str]
    """Makes it and gives its id."""
    read: Callable[[Item], Values | None]
    """Its outputs as AWS has them, None when it is gone; `id` among them renames what was imported."""
    delete: Callable[[Item], object]
    fixed: str = ""
    """Inputs that only creation takes: a change of one is a replacement."""
    updates: tuple[Update, ...] = ()
    local: str = ""
    """Inputs that change nothing in AWS."""
    computed: str = ""
    """Inputs that AWS sets itself when they are not given, so that they are no drift."""
    renewed: str = ""
    """Outputs that an update changes, unknown at preview."""
    defaults: Values = field(default_factory=dict)
    autoname: Autoname | None = None
    tagging: Tagging | None = None
    compared: Mapping[str, Callable[[Any, Values], Any]] = field(default_factory=dict)
    """Inputs that are compared in another form than they are written: from the input and all inputs."""
    replace_also: Callable[[Values, Values], Iterable[str]] | None = None
    """Inputs that only a replacement changes, given the old and the new inputs."""
    check: Callable[[Values], Iterable[Problem]] | None = None
    """What AWS or the provider would refuse and no model knows."""
    cloudformation: tuple[str, Mapping[str, str]] | None = None
    """Its type in CloudFormation, and names of inputs that differ there; an empty one is left out."""
    gone: frozenset[str] = frozenset()
    """AWS' codes that mean that it does not exist."""

    @property
    def in_place(self) -> frozenset[str]:
        """Inputs that change without a replacement."""
        return frozenset(name for update in self.updates for name in update.inputs.split()) | names(self.local) | TAGS

    @property
    def modelled(self) -> frozenset[str]:
        """Inputs that it takes, without the tags of a type that has none."""
        own = names(self.fixed) | self.in_place | {"region"}
        return own if self.tagging else own - TAGS

    def plain(self, name: str, values: Values) -> Any:
        """An input in the form in which it is compared."""
        value = values.get(name)
        return self.compared[name](value, values) if name in self.compared and value is not None else value


def names(text: str) -> frozenset[str]:
    """Names with spaces between."""
    return frozenset(text.split())
