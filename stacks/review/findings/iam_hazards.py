"""Rights that are wide in themselves: wildcards, roles that may be handed on, callers that may be anybody."""

from stacks.review.finding import Finding, Rule, Sentence, Weight, say
from stacks.review.findings import iam_documents, whose
from stacks.review.findings.iam_context import Context
from stacks.review.findings.iam_patterns import (
    EVERYTHING,
    changes_something,
    has_wildcard,
    knows_resources,
    only_harmless,
    passes_roles,
    reaches_widely,
    service_of,
)
from stacks.review.findings.iam_statements import Pattern, Statement

WILDCARD_ACTION = Rule(
    name="iam-wildcard-action",
    tells="a policy allows all calls, all of a service, or all whose names begin alike",
    why="Calls that AWS adds later are allowed too, and nobody has looked at those that the flow never makes.",
)
WILDCARD_RESOURCE = Rule(
    name="iam-wildcard-resource",
    tells="a policy allows calls on every resource that could be allowed on some",
    why="It reaches what belongs to others in the account, not only what the flow works with.",
)
PASS_ROLE = Rule(
    name="iam-pass-role",
    tells="a policy allows to hand a role to a service (`iam:PassRole`)",
    why="Who hands a role to a service can do by it all that the role allows.",
)
PUBLIC_PRINCIPAL = Rule(
    name="iam-public-principal",
    tells="a policy of a resource lets anyone in, from any account",
    why="Callers of other accounts are let in, with no login of yours.",
)
RULES = (WILDCARD_ACTION, WILDCARD_RESOURCE, PASS_ROLE, PUBLIC_PRINCIPAL)
PASSED_TO = "iam:passedtoservice"
"""The condition that says to which service a role may be handed."""
CONFINING = (
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceowner",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceip",
    "aws:vpcsourceip",
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:userid",
    "aws:username",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
    "elasticfilesystem:accessedviamounttarget",
)
"""Keys of conditions by which "anyone" is somebody after all.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"""


def of_identity(context: Context, statement: Statement, more: Statement) -> tuple[list[Finding], set[Pattern]]:
    """Hazards in what a role, a user or a group may do now, and the calls that they are about.

    Args:
        context: the policy.
        statement: the statement as it is going to be.
        more: as much of it as is new.
    """
    wide, calls = reaches_widely(more), more.actions
    open_weight = Weight.WARNING if more.conditions else Weight.DANGER
    everything: list[Pattern] = [one for one in calls if more.not_actions or one in EVERYTHING]
    services = [one for one in calls if service_of(one) and one not in everything]
    passing = [one for one in calls if passes_roles(one) and one not in everything]
    patterns = [one for one in calls if has_wildcard(one) and one not in (*everything, *services, *passing)]
    families = [one for one in patterns if changes_something(one) and knows_resources(one)]
    single = [one for one in calls if wide and not has_wildcard(one) and one not in passing and knows_resources(one)]
    writing = [one for one in single if changes_something(one)]
    reading = [one for one in single if not changes_something(one)]
    found: list[Finding] = []

    def tell(rule: Rule, weight: Weight, what: Sentence) -> None:
        found.append(context.finding(rule, weight, what, context.difference(statement)))

    if everything:
        weight = Weight.WARNING if more.not_actions and not wide else Weight.DANGER
        tell(WILDCARD_ACTION, weight, context.may("may", more))
    if services:
        names = list(map(service_of, services))
        known = [one for one in services if knows_resources(one)]
        weight = Weight.DANGER if "iam" in names else open_weight if wide and known else Weight.WARNING
        tell(WILDCARD_ACTION, weight, context.may("may", more, services))
    if families:
        weight = open_weight if wide else Weight.WARNING
        tell(WILDCARD_ACTION, weight, context.may("may", more, families))
    if passing and not _is_ordinary(context, statement, more):
        what = whose.joined(context.who, _passing(more))
        tell(PASS_ROLE, Weight.DANGER if wide else Weight.WARNING, what)
    if writing:
        weight = Weight.WARNING if only_harmless(writing) else open_weight
        tell(WILDCARD_RESOURCE, weight, context.may("may", more, writing))
    # Of a policy that is new there is one notice for all that is ordinary in it.
    if reading and not writing and not context.is_new:
        tell(WILDCARD_RESOURCE, Weight.NOTICE, context.may("may", more, reading))
    told = [*everything, *services, *families, *writing]
    if any(finding.rule is PASS_ROLE for finding in found):
        told += passing
    if not context.is_new:
        told += reading
    return found, set(told)


def of_resource(context: Context, statement: Statement, more: Statement) -> list[Finding]:
    """The hazard in what others may do with a resource now: that they may be anybody."""
    anyone = more.not_principals or any(name == "*" for _, name in more.principals)
    if not anyone:
        return []
    confined = any(key in CONFINING for _, key in more.conditions)
    if confined and context.is_new:
        return []
    what = say("anyone, from any account, may call {} on {}", whose.listed(more.actions), context.step.name)
    if confined:
        calls = whose.listed(more.actions)
        what = say("anyone who meets a condition may call {} on {}", calls, context.step.name)
    weight = Weight.WARNING if confined else Weight.DANGER
    return [context.finding(PUBLIC_PRINCIPAL, weight, what, context.difference(statement))]


def _passing(more: Statement) -> Sentence:
    roles = say("every role") if reaches_widely(more) else say("{}", whose.listed(more.resources, 2))
    services = [
        value for (_, key), values in more.conditions.items() if key == "iam:passedtoservice" for value in values
    ]
    to = say("to {} (iam:PassRole)", whose.listed(services)) if services else say("to any service (iam:PassRole)")
    return whose.joined(say("may hand"), roles, to)


def _is_ordinary(context: Context, statement: Statement, more: Statement) -> bool:
    """Whether it is how those who start runs hand them their own roles, which Penstock itself writes."""
    confined = any(key == PASSED_TO for _, key in more.conditions)
    as_ever = context.is_new or context.moves(statement, (statement,))
    return iam_documents.is_needed(context.step) and confined and as_ever and not reaches_widely(more)
