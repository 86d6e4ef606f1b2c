"""Findings about rights that policies of AWS give.

https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from stacks.review.finding import Finding, PreviewCheck, Rule, Sentence, StepCheck, Weight, say
from stacks.review.findings import iam_documents, iam_hazards, iam_managed, whose
from stacks.review.findings.iam_context import Context, Difference, shown
from stacks.review.findings.iam_patterns import changes_something
from stacks.review.findings.iam_statements import Statement, covers, gained, statements
from stacks.review.preview import Op, Step
from stacks.review.values import UNKNOWN, Hidden, Value

WIDENED = Rule(
    name="iam-widened",
    tells="a policy allows more calls, more resources or more callers than before, or denies less",
    why="Everybody who has these rights now has more of them, runs that go on already included.",
)
ADDED = Rule(
    name="iam-statement-added",
    tells="a policy allows something that nothing allowed before",
    why="Rights should be those that the flow needs, and no more.",
)
NOT_KNOWN = Rule(
    name="iam-not-known",
    tells="what a policy allows is not known before the change is made",
    why="Nobody can judge it before; ARNs that are computed from names make it readable.",
)


def check_policies(step: Step) -> Iterable[Finding]:
    """What the policies of a resource allow that they did not allow before."""
    if step.op not in whose.TOLD:
        return
    old = {document.path: document.policy for document in iam_documents.documents(step, step.old)}
    new = {document.path: document.policy for document in iam_documents.documents(step, step.new)}
    for path in sorted({*old, *new}):
        context = Context(
            step=step,
            path=path,
            who=iam_documents.subject(step),
            is_new=path not in old,
            before=tuple(statements(old.get(path))),
        )
        policy = new.get(path)
        if isinstance(policy, Hidden):
            if old.get(path) is not policy:
                yield _not_known(context, (path, old.get(path), policy))
            continue
        yield from _gains(context, statements(policy))
        yield from _denials(context, statements(policy))


def _gains(context: Context, after: Sequence[Statement]) -> Iterator[Finding]:
    rest: list[tuple[Statement, Statement]] = []
    for statement in after:
        more = gained(context.before, statement) if statement.allows else None
        if more is None:
            continue
        if iam_documents.is_of_resource(context.step):
            found, told = iam_hazards.of_resource(context, statement, more), set(more.actions)
        else:
            found, told = iam_hazards.of_identity(context, statement, more)
        yield from found
        if not found or not set(more.actions) <= told:
            rest.append((statement, more))
    if context.is_new:
        if rest:
            yield _new_policy(context, [more for _, more in rest])
        return
    if rest and iam_documents.is_needed(context.step) and all(context.moves(statement, after) for statement, _ in rest):
        yield _moved(context, [statement for statement, _ in rest])
        return
    for statement, more in rest:
        yield _more(context, statement, more)


def _new_policy(context: Context, rest: Sequence[Statement]) -> Finding:
    calls = list(dict.fromkeys(action for statement in rest for action in statement.actions))
    number = f"{len(calls)} call{'s' if len(calls) != 1 else ''}"
    if len(rest) == 1:
        what = context.may("may", rest[0])
    elif iam_documents.is_of_resource(context.step):
        callers = dict.fromkeys(name for statement in rest for _, name in statement.principals)
        what = say(
            f"a new policy of {{}} lets {{}} make {number}, as {{}}",
            context.step.name,
            whose.listed(callers),
            whose.listed(calls),
        )
    else:
        what = whose.joined(context.who, say(f"may make {number} by a new policy, as {{}}", whose.listed(calls)))
    together: Value = {statement.label: shown(statement) for statement in rest}
    return context.finding(ADDED, Weight.NOTICE, what, (context.path, None, together))


def _moved(context: Context, rest: Sequence[Statement]) -> Finding:
    """What Penstock itself writes, about other resources than before: as when an environment gets another name."""
    what = whose.joined(say("the rights of"), context.who, say("move to other resources"))
    formers = [former for statement in rest if (former := context.former(statement))]
    before: Value = {former.label: shown(former) for former in formers}
    now: Value = {statement.label: shown(statement) for statement in rest}
    return context.finding(WIDENED, Weight.NOTICE, what, (context.path, before, now))


def _more(context: Context, statement: Statement, more: Statement) -> Finding:
    former = context.former(statement)
    difference = context.difference(statement)
    hidden = [*more.actions, *more.resources].count(UNKNOWN)
    if hidden and former and not set(more.resources) - {UNKNOWN}:
        return _not_known(context, difference)
    what = context.may("may now", more)
    if former is None:
        weight = Weight.WARNING if any(map(changes_something, more.actions)) else Weight.NOTICE
        return context.finding(ADDED, weight, what, difference)
    return context.finding(WIDENED, Weight.WARNING, what, difference)


def _denials(context: Context, after: Sequence[Statement]) -> Iterator[Finding]:
    for former in context.before:
        if former.allows or any(covers(statement, former) for statement in after):
            continue
        stopped = say("anyone") if iam_documents.is_of_resource(context.step) else context.who
        what = whose.joined(
            say("a Deny is gone or narrower that stopped"),
            stopped,
            say("from calling {}", whose.listed(former.actions)),
            context.on(former),
        )
        if context.step.op is Op.REPLACE and any(_is_about_another(one, former) for one in after):
            continue
        now = next((one for one in after if not one.allows and one.label == former.label), None)
        field = f"{context.path}.Statement[{former.label}]"
        remains: Mapping[str, Any] | None = shown(now) if now else None
        yield context.finding(WIDENED, Weight.WARNING, what, (field, shown(former), remains))


def _is_about_another(statement: Statement, former: Statement) -> bool:
    """Whether a Deny is as before but for the resource, which is another one when its policy is replaced."""
    return covers(replace(statement, resources=former.resources), former)


def _not_known(context: Context, difference: Difference) -> Finding:
    what = Sentence(f"what {context.who.text} may do is only known after the change", context.who.names)
    if iam_documents.is_of_resource(context.step):
        what = say("who may do what with {} is known after the change only", context.step.name)
    else:
        what = whose.joined(say("what"), context.who, say("may do is known after the change only"))
    return context.finding(NOT_KNOWN, Weight.NOTICE, what, difference)


RULES: tuple[Rule, ...] = (*iam_hazards.RULES, *iam_managed.RULES, WIDENED, ADDED, NOT_KNOWN)
STEP_CHECKS: tuple[StepCheck, ...] = (check_policies, *iam_managed.STEP_CHECKS)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
