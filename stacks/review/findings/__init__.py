"""All findings: one file for each matter, each with its rules and the pure functions that find them."""

from stacks.review.finding import PreviewCheck, Rule, StepCheck
from stacks.review.findings import (
    cost,
    documents,
    environments,
    iam,
    images,
    limits,
    loss,
    network_policies,
    pod_security,
    pod_templates,
    public_addresses,
    rbac,
    security_groups,
    services,
    task_definitions,
    trust,
    versions,
)

_MATTERS = (
    environments,
    iam,
    trust,
    rbac,
    security_groups,
    public_addresses,
    services,
    network_policies,
    pod_security,
    loss,
    images,
    task_definitions,
    pod_templates,
    limits,
    documents,
    cost,
    versions,
)

RULES: tuple[Rule, ...] = tuple(rule for matter in _MATTERS for rule in matter.RULES)
"""Every kind of finding, by matter."""
STEP_CHECKS: tuple[StepCheck, ...] = tuple(check for matter in _MATTERS for check in matter.STEP_CHECKS)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = tuple(check for matter in _MATTERS for check in matter.PREVIEW_CHECKS)
