"""Rights of roles in Kubernetes, compared by what they allow instead of by how their rules are written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import Any

from stacks.review.findings.kubernetes import texts
from stacks.review.values import Hidden, items, mapping

EVERY = "*"
MOST = 2000
"""Rights of a role that are looked at: roles written by people give dozens."""


@dataclass(frozen=True, kw_only=True)
class Right:
    """What may be done with what."""

    group: str
    """API group, empty for the core group; `*` for every one, as in the other fields."""
    resource: str
    """Kind of object in the plural, with a subresource after a slash; a path of the API when it begins with one."""
    verb: str
    name: str
    """Name of the one object that it is about."""

    @property
    def noun(self) -> str:
        """The kind of object as kubectl writes it, as `jobs.batch`."""
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @property
    def is_everything(self) -> bool:
        """Whether it is every verb on every kind of object, those of the core group included."""
        return self.group in ("", EVERY) and self.resource == self.verb == self.name == EVERY

    @property
    def is_wild(self) -> bool:
        """Whether it is every verb, or about every kind of object."""
        return EVERY in (self.verb, self.resource) or self.resource.startswith("*/")

    def covers(self, other: "Right") -> bool:
        """Whether it includes another."""
        return (
            self.group in (EVERY, other.group)
            and _is_part(other.resource, self.resource)
            and self.verb in (EVERY, other.verb)
            and self.name in (EVERY, other.name)
        )


def rules_of(value: object) -> list[Right]:
    """The field `rules` of a role as rights; what is not a rule, or not known, is left out."""
    return list(islice((right for rule in items(value) for right in _rights(mapping(rule))), MOST))


def added(before: Sequence[Right], after: Iterable[Right]) -> list[Right]:
    """What was not allowed before."""
    exact = set(before)
    wide = [right for right in before if EVERY in f"{right.group}{right.resource}{right.verb}{right.name}"]
    return [
        right for right in dict.fromkeys(after) if right not in exact and not any(old.covers(right) for old in wide)
    ]


def words(rights: Iterable[Right]) -> str:
    """Rights as text: `pods: create, delete; secrets: get (login)`."""
    by_noun: dict[tuple[str, str], set[str]] = {}
    for right in rights:
        by_noun.setdefault((right.noun, right.name), set()).add(right.verb)
    return "; ".join(
        f"{noun}: {', '.join(sorted(verbs))}" + ("" if name == EVERY else f" ({name})")
        for (noun, name), verbs in sorted(by_noun.items())
    )


def _rights(rule: Mapping[str, Any]) -> Iterable[Right]:
    verbs, names = texts(rule.get("verbs")), texts(rule.get("resourceNames"))
    if not names and not items(rule.get("resourceNames")) and not isinstance(rule.get("resourceNames"), Hidden):
        names = [EVERY]  # names that are not known yet are names all the same
    kinds = product(texts(rule.get("apiGroups")) or [""], texts(rule.get("resources")), verbs, names)
    paths = product([""], texts(rule.get("nonResourceURLs")), verbs, [EVERY])
    for group, resource, verb, name in chain(kinds, paths):
        yield Right(group=group, resource=resource, verb=verb, name=name)


def _is_part(resource: str, of: str) -> bool:
    if of.startswith("*/"):  # `*/scale` is that subresource of everything
        return resource.endswith(of[1:])
    if of.startswith("/") and of.endswith(EVERY):  # a path of the API
        return resource.startswith(of[:-1])
    return of in (EVERY, resource)
