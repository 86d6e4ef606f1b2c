"""Findings about who may take a role of AWS.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user.html
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from stacks.review.finding import Finding, PreviewCheck, Rule, Sentence, StepCheck, Weight, say
from stacks.review.findings import iam_documents, whose
from stacks.review.findings.iam_context import Context, Difference, shown
from stacks.review.findings.iam_hazards import CONFINING
from stacks.review.findings.iam_statements import Pattern, Statement, covers, gained, statements
from stacks.review.preview import Step
from stacks.review.values import Hidden, at, tree

ANYONE = Rule(
    name="trust-anyone",
    tells="anyone, from any account, may take a role",
    why="Whoever has an account at AWS gets all that the role allows.",
)
ACCOUNT = Rule(
    name="trust-other-account",
    tells="another account may take a role without a condition",
    why="Who that is, is decided over there, and nobody here is asked.",
)
FEDERATED = Rule(
    name="trust-federated-open",
    tells="a login from outside takes a role without a condition that says which workload it must be",
    why="The same issuer vouches for workloads of strangers; only the condition on `sub` keeps them out.",
)
CHANGED = Rule(
    name="trust-changed",
    tells="somebody may take a role who could not",
    why="Who takes a role gets all that it allows.",
)
SUBJECT_OPERATORS = ("stringequals", "stringlike", "foranyvalue:stringequals", "foranyvalue:stringlike")
"""Operators that let nobody through who has no such claim."""
WHOLE_SUBJECTS = (("repo:", "/:"), ("system:serviceaccount:", ":"), ("project_path:", "/:"))
"""Beginnings of subjects, as of GitHub, EKS and GitLab, and signs that must follow in turn before a wildcard does."""


def check_trust(step: Step) -> Iterable[Finding]:
    """Who may take a role who could not before."""
    if step.type != iam_documents.ROLE or step.op not in whose.TOLD:
        return
    old, new = (tree(at(side, iam_documents.TRUST)) for side in (step.old, step.new))
    context = Context(
        step=step,
        path=iam_documents.TRUST,
        who=say("the role {}", step.name),
        is_new=old is None,
        before=tuple(statements(old)),
    )
    if isinstance(new, Hidden):
        if old is not new:
            what = say("who may take the role {} is known after the change only", step.name)
            yield _finding(step, CHANGED, Weight.NOTICE, what, (context.path, old, new))
        return
    after = statements(new)
    for statement in after:
        more = gained(context.before, statement) if statement.allows else None
        if more is not None:
            yield from _judged(context, statement, more)
    for former in context.before:
        if not former.allows and not any(covers(one, former) for one in after):
            what = say("a Deny is gone or narrower that kept somebody from taking the role {}", step.name)
            field = f"{context.path}.Statement[{former.label}]"
            yield _finding(step, CHANGED, Weight.WARNING, what, (field, shown(former), None))


def _judged(context: Context, statement: Statement, more: Statement) -> Iterator[Finding]:
    step, difference = context.step, context.difference(statement)
    principals = [
        one
        for one in more.principals
        if not any(covers(former, replace(more, principals=(one,))) for former in context.before)
    ]
    names = [name for _, name in principals]
    if more.not_principals or "*" in names:
        confined = any(key in CONFINING or key == "sts:externalid" for _, key in more.conditions)
        who = "anyone who meets a condition" if confined else "anyone with an account at AWS"
        weight = Weight.WARNING if confined else Weight.DANGER
        yield _finding(step, ANYONE, weight, say(f"{who} may take the role {{}}", step.name), difference)
        return
    own = _own_account(step)
    others = [name for kind, name in principals if kind == "AWS" and own and _account(name) not in ("", own)]
    if others and not more.conditions:
        what = say("{} of another account may take the role {}", whose.listed(others), step.name)
        yield _finding(step, ACCOUNT, Weight.DANGER, what, difference)
        return
    issuers = [name for kind, name in principals if kind == "Federated"]
    if issuers and (found := _openness(more)):
        weight, text = found
        named = whose.listed(str(name).rpartition("oidc-provider/")[2] for name in issuers)
        yield _finding(step, FEDERATED, weight, say(text, named, step.name), difference)
        return
    if not context.is_new:
        what = say("{} may now take the role {}", whose.listed(names), step.name)
        yield _finding(step, CHANGED, Weight.WARNING, what, difference)
    elif rest := [name for kind, name in principals if kind != "Service"]:
        what = say("{} may take the role {}", whose.listed(rest), step.name)
        yield _finding(step, CHANGED, Weight.NOTICE, what, difference)


def _openness(statement: Statement) -> tuple[Weight, str] | None:
    """How much a login from outside is left open, as weight and sentence; None when it is said who it must be."""
    anybody = "anyone whom {} vouches for may take the role {}"
    needed = (":sub",) if any("oidc-provider/" in str(name) for _, name in statement.principals) else (":sub", ":aud")
    claims = {
        (operator, value)
        for (operator, key), values in statement.conditions.items()
        if key.endswith(needed) and operator in SUBJECT_OPERATORS
        for value in values
    }
    if not claims:
        return Weight.DANGER, anybody
    patterns = [value for operator, value in claims if operator.endswith("stringlike") and isinstance(value, str)]
    patterns = [value for value in patterns if "*" in value or "?" in value]
    if not all(map(_names_whole_subject, patterns)):
        return Weight.DANGER, "workloads of strangers whom {} vouches for may take the role {}"
    return (
        (Weight.WARNING, "any branch or workload alike whom {} vouches for may take the role {}") if patterns else None
    )


def _names_whole_subject(pattern: str) -> bool:
    fixed = re.split(r"[*?]", pattern, maxsplit=1)[0]
    for beginning, signs in WHOLE_SUBJECTS:
        if fixed.startswith(beginning):
            rest = fixed.removeprefix(beginning)
            for sign in signs:
                before, found, rest = rest.partition(sign)
                if not (before and found):
                    return False
            return True
    return bool(fixed)


def _own_account(step: Step) -> str:
    for side in (step.old_outputs, step.new_outputs, step.new):
        for key in ("arn", "permissionsBoundary"):
            if account := _account(at(side, key)):
                return account
    return ""


def _account(name: Pattern | None) -> str:
    """The account in an ARN, or that a name is; empty when there is none."""
    if not isinstance(name, str):
        return ""
    account = name.split(":")[4] if name.count(":") > 4 else name
    return account if re.fullmatch(r"\d{12}", account) else ""


def _finding(step: Step, rule: Rule, weight: Weight, what: Sentence, where: Difference) -> Finding:
    field, before, after = where
    return Finding(rule=rule, weight=weight, urn=step.urn, what=what, field=field, before=before, after=after)


RULES: tuple[Rule, ...] = (ANYONE, ACCOUNT, FEDERATED, CHANGED)
STEP_CHECKS: tuple[StepCheck, ...] = (check_trust,)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
