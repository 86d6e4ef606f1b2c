"""Findings about environments that are new."""

from collections.abc import Iterator

from stacks.review.finding import Finding, PreviewCheck, Rule, StepCheck, Weight, say
from stacks.review.findings.whose import is_environment
from stacks.review.preview import Op, Step

CREATED = Rule(
    name="environment-created",
    tells="an environment is new",
    why="Flows can run there after the change, with the rights and at the costs that are told beside.",
)
RULES: tuple[Rule, ...] = (CREATED,)


def created(step: Step) -> Iterator[Finding]:
    """An environment that there was not before."""
    if is_environment(step) and step.op == Op.CREATE:
        name = (step.new or {}).get("environment_name")
        kind = step.kind.removesuffix("Environment")
        yield Finding(
            rule=CREATED,
            weight=Weight.NOTICE,
            urn=step.urn,
            what=say("the environment {} is new, a {}", name if isinstance(name, str) and name else step.name, kind),
            options=("kind", "environment_name"),
        )


STEP_CHECKS: tuple[StepCheck, ...] = (created,)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
