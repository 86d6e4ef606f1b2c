"""Findings about how much, how long and how many."""

from stacks.review.finding import PreviewCheck, Rule, StepCheck

RULES: tuple[Rule, ...] = ()
STEP_CHECKS: tuple[StepCheck, ...] = ()
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
