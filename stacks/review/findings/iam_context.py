"""A policy that findings are about, and the words for what its statements allow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stacks.review.comparing import canonical
from stacks.review.finding import Finding, Rule, Sentence, Weight, say
from stacks.review.findings import iam_documents, whose
from stacks.review.findings.iam_patterns import EVERYTHING, service_of
from stacks.review.findings.iam_statements import Pattern, Statement, covers
from stacks.review.preview import Step
from stacks.review.values import Value, items

TELLING = ("Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition")
"""Elements of a statement that say what it allows."""

Difference = tuple[str, Value, Value]
"""A path, what was there, and what is going to be there."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """The policy that a finding is about."""

    step: Step
    path: str
    """Where it is in the resource."""
    who: Sentence
    """Who has the rights that it gives; not used where it is about its own resource."""
    is_new: bool
    """Whether there was none."""
    before: tuple[Statement, ...]
    """Its statements before."""

    def finding(self, rule: Rule, weight: Weight, what: Sentence, where: Difference) -> Finding:
        """A finding about it."""
        field, before, after = where
        return Finding(
            rule=rule,
            weight=weight,
            urn=self.step.urn,
            what=what,
            field=field,
            before=before,
            after=after,
            options=iam_documents.options(self.step),
        )

    def may(self, verb: str, statement: Statement, calls: Sequence[Pattern] = ()) -> Sentence:
        """A sentence that says who may call what, on what; of the statement's calls only these, if any are given."""
        actions = calls or statement.actions
        if statement.not_actions:
            call = say(f"{verb} make every call but {{}}", whose.listed(actions))
        elif any(one in EVERYTHING for one in actions):
            call = say(f"{verb} make every call")
        elif actions and all(map(service_of, actions)):
            call = say(f"{verb} make every call of {{}}", whose.listed(dict.fromkeys(map(service_of, actions))))
        else:
            call = say(f"{verb} call {{}}", whose.listed(actions))
        who = principals(statement) if iam_documents.is_of_resource(self.step) else self.who
        return whose.joined(who, call, self.on(statement))

    def on(self, statement: Statement) -> Sentence:
        """On what a statement allows or denies."""
        if iam_documents.is_of_resource(self.step):
            return say("on {}", self.step.name)
        if statement.not_resources:
            return say("on every resource but {}", whose.listed(statement.resources, 2))
        if "*" in statement.resources:
            return say("on every resource")
        return say("on {}", whose.listed(statement.resources, 2))

    def former(self, statement: Statement) -> Statement | None:
        """The statement that it was before: of the same Sid, or else about the same."""
        alike = [other for other in self.before if other.allows == statement.allows]
        named = [other for other in alike if "Sid" in statement.written and other.label == statement.label]
        overlapping = [
            other
            for other in alike
            if set(other.actions) & set(statement.actions)
            or other.resources == statement.resources
            or covers(statement, other)
        ]
        return next(iter((*named, *overlapping)), None)

    def moves(self, statement: Statement, after: Sequence[Statement]) -> bool:
        """Whether it takes the place of a former one whose own rights are not given any more."""
        former = self.former(statement)
        return (
            former is not None and former.actions == statement.actions and not any(covers(one, former) for one in after)
        )

    def difference(self, statement: Statement) -> Difference:
        """Path, former and new value of what is different in a statement: of one element where it is only one."""
        field = f"{self.path}.Statement[{statement.label}]"
        former = self.former(statement)
        if former is None:
            return field, None, shown(statement)
        before, after = shown(former), shown(statement)
        differing = [key for key in TELLING if canonical(items(before.get(key))) != canonical(items(after.get(key)))]
        if len(differing) == 1:
            key = differing[0]
            return f"{field}.{key}", before.get(key), after.get(key)
        kept = differing or TELLING
        return (
            field,
            {key: before[key] for key in kept if key in before},
            {key: after[key] for key in kept if key in after},
        )


def principals(statement: Statement) -> Sentence:
    """Whom a statement of a resource's policy is about."""
    names = [name for _, name in statement.principals]
    if statement.not_principals:
        return say("everyone but {}", whose.listed(names))
    return say("anyone") if "*" in names else say("{}", whose.listed(names))


def shown(statement: Statement) -> Mapping[str, Any]:
    """A statement without what does not change its meaning."""
    return {key: statement.written[key] for key in TELLING if key in statement.written}
