"""Findings about fields of pods and their templates."""

from stacks.review.finding import PreviewCheck, Rule, StepCheck

RULES: tuple[Rule, ...] = ()
STEP_CHECKS: tuple[StepCheck, ...] = ()
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
