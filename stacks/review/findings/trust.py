"""Findings about who may take a role of AWS."""

from stacks.review.finding import PreviewCheck, Rule, StepCheck

RULES: tuple[Rule, ...] = ()
STEP_CHECKS: tuple[StepCheck, ...] = ()
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
