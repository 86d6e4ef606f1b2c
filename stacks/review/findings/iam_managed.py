"""Findings about policies that AWS or others keep, and that roles, users and groups are given."""

from collections.abc import Iterable

from stacks.review.finding import Finding, PreviewCheck, Rule, StepCheck, Weight, say
from stacks.review.findings import iam_documents, whose
from stacks.review.preview import Step
from stacks.review.values import Value, at, items

MANAGED = Rule(
    name="iam-managed-policy",
    tells="somebody is given a policy that AWS or others keep",
    why="What it allows is not in this stack, and whoever keeps it can change it at any time.",
)
ATTACHMENTS = (
    "aws:iam/rolePolicyAttachment:",
    "aws:iam/userPolicyAttachment:",
    "aws:iam/groupPolicyAttachment:",
    "aws:iam/policyAttachment:",
    "aws:iam/rolePolicyAttachmentsExclusive:",
)
WIDE_NAMES = ("AdministratorAccess", "PowerUserAccess", "SystemAdministrator", "DatabaseAdministrator")
"""Policies of AWS' own by which nearly everything may be done.
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html"""


def check_managed(step: Step) -> Iterable[Finding]:
    """Which kept policies are given that were not before."""
    if step.op not in whose.TOLD:
        return
    field, before = _given(step, step.old)
    field, after = _given(step, step.new)
    # Another role is given them when the attachment is replaced.
    moved = step.old is not None and any(at(step.old, key) != at(step.new, key) for key in ("role", "user", "group"))
    for arn in after:
        if arn in before and not moved:
            continue
        if not isinstance(arn, str):
            # A policy of the same change, which is told where it is written.
            continue
        name = arn.rpartition("/")[2]
        wide = name in WIDE_NAMES or name.endswith("FullAccess")
        who = iam_documents.subject(step)
        if name in WIDE_NAMES:
            what = whose.joined(who, say("may make nearly every call, by the policy {}", name))
        elif wide:
            what = whose.joined(who, say("may make every call that the policy {} is about, on every resource", name))
        else:
            what = whose.joined(who, say("may do what the policy {} allows", name))
        yield Finding(
            rule=MANAGED,
            weight=Weight.DANGER if wide else Weight.NOTICE,
            urn=step.urn,
            what=what,
            field=field,
            before=_shown(field, before),
            after=_shown(field, after),
            options=("task_role_policy_arns",) if whose.is_ours(step) else (),
        )


def _given(step: Step, properties: object) -> tuple[str, list[Value]]:
    if step.type.startswith(ATTACHMENTS):
        field = "policyArns" if at(properties, "policyArns") is not None else "policyArn"
        value = at(properties, field)
        return field, items(value) or ([value] if value is not None else [])
    if step.type == iam_documents.ROLE:
        return "managedPolicyArns", items(at(properties, "managedPolicyArns"))
    return "", []


def _shown(field: str, arns: list[Value]) -> Value:
    return (arns[0] if arns else None) if field == "policyArn" else (arns or None)


RULES: tuple[Rule, ...] = (MANAGED,)
STEP_CHECKS: tuple[StepCheck, ...] = (check_managed,)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
