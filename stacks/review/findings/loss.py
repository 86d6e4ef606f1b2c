"""Findings about what is lost when a resource is replaced or deleted."""

from stacks.review.finding import PreviewCheck, Rule, StepCheck

RULES: tuple[Rule, ...] = ()
STEP_CHECKS: tuple[StepCheck, ...] = ()
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
