"""`Diff`: what changes in place, and what makes a replacement."""

from collections.abc import Collection
from dataclasses import dataclass

from tests.testbed.aws.provider.checking import DEFAULTS
from tests.testbed.aws.provider.resource import ResourceType
from tests.testbed.aws.provider.values import Values, differences, same


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What differs between the inputs of before and of now."""

    inputs: tuple[str, ...]
    replaces: tuple[str, ...]
    """Those of the inputs whose change is a replacement."""
    paths: dict[str, str]
    """What has happened at each path: ADD, DELETE or UPDATE, with _REPLACE where that is a replacement."""
    delete_first: bool
    """Whether the old one must go before the new one, as it has the same name, given by the program."""


def changes(kind: ResourceType, old: Values, new: Values, ignored: Collection[str] = ()) -> Changes:
    """Compare inputs.

    Args:
        kind: what the tables say of the type.
        old: the inputs of before.
        new: those of now.
        ignored: inputs whose changes are none.
    """
    also = frozenset(kind.replace_also(old, new)) if kind.replace_also else frozenset()
    changed, replaces, paths = [], [], {}
    for name in sorted((old.keys() | new.keys()) - {DEFAULTS} - set(ignored)):
        before, now = kind.plain(name, old), kind.plain(name, new)
        if same(before, now) or (name == "region" and before is None):
            continue
        must = name not in kind.in_place or name in also
        for path, verb in _paths(name, kind, old, new):
            paths[path] = f"{verb}_REPLACE" if must else verb
        changed.append(name)
        replaces += [name] if must else []
    auto = kind.autoname
    named = (
        auto is not None and auto.input not in new.get(DEFAULTS, ()) and same(old.get(auto.input), new.get(auto.input))
    )
    return Changes(inputs=tuple(changed), replaces=tuple(replaces), paths=paths, delete_first=bool(replaces) and named)


def _paths(name: str, kind: ResourceType, old: Values, new: Values) -> list[tuple[str, str]]:
    if name in kind.compared and name in old and name in new:
        return [(name, "UPDATE")]
    before, now = ({name: values[name]} if name in values else {} for values in (old, new))
    return list(differences(before, now))
