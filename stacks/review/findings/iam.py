"""Findings about rights that policies of AWS give."""

from stacks.review.finding import PreviewCheck, Rule, StepCheck

RULES: tuple[Rule, ...] = ()
STEP_CHECKS: tuple[StepCheck, ...] = ()
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
