"""Findings about what is lost when a resource is replaced or deleted."""

import re
from collections.abc import Iterable

from stacks.review.finding import Finding, PreviewCheck, Rule, Sentence, StepCheck, Weight, say
from stacks.review.findings import whose
from stacks.review.findings.losses import DATA, IN_NETWORKS, NETWORK, RUNS, loss
from stacks.review.preview import Op, Preview, Step
from stacks.review.values import Value, at
from stacks.review.workloads import document

ENVIRONMENT = Rule(
    name="environment-removed",
    tells="a whole environment is removed",
    why="Nobody can start a run in it any more, and what runs in it now is lost with it.",
)
PROTECTED = Rule(
    name="protected-deleted",
    tells="what is protected is to be deleted or replaced",
    why="Pulumi refuses the whole change; who has protected it had a reason.",
)
UNPROTECTED = Rule(
    name="protection-removed",
    tells="Pulumi no longer refuses to delete a resource",
    why="The next change can delete it without any further question.",
)
LEFT = Rule(
    name="left-behind",
    tells="a resource leaves the stack, but the object itself stays",
    why="It goes on costing and being reachable, and no stack looks after it.",
)
GONE = (Op.DELETE, Op.REPLACE, Op.FORGET)


def check_loss(step: Step) -> Iterable[Finding]:
    """What is lost with a resource, and whether Pulumi would refuse."""
    if step.op in GONE and (step.protected_before or step.type not in IN_NETWORKS):
        yield from _gone(step)
    if step.protected_before and not step.protected_after and step.op in (Op.SAME, Op.UPDATE):
        what = say("{} is no longer protected: Pulumi would delete it", step.name)
        yield _finding(step, UNPROTECTED, Weight.WARNING, what, ("protect", True, False))


def check_networks(preview: Preview) -> Iterable[Finding]:
    """What is lost with parts of networks, where the network itself stays; where it does not, that says it all."""
    if any(step.type == NETWORK and step.op in GONE for step in preview.steps):
        return
    for step in preview.steps:
        if step.op in GONE and step.type in IN_NETWORKS and not step.protected_before:
            yield from _gone(step)


def _gone(step: Step) -> Iterable[Finding]:
    field = _reason(step)
    if step.protected_before and step.op is not Op.FORGET:
        verb = "replaced" if step.op is Op.REPLACE else "deleted"
        what = say(f"{{}} is to be {verb} and is protected: Pulumi refuses", step.name)
        yield _finding(step, PROTECTED, Weight.DANGER, what, field)
        return
    if whose.is_environment(step):
        if step.op is Op.FORGET:
            what = say("the environment {} leaves the stack, but stays where it is", step.name)
            yield _finding(step, LEFT, Weight.NOTICE, what, field)
        elif step.op is Op.DELETE:
            what = say("the environment {} is removed, and penstock run no longer finds it", step.name)
            yield _finding(step, ENVIRONMENT, Weight.DANGER, what, field, "kind", "environment_name")
        return
    lost = loss(step)
    if lost is None or (step.op is Op.REPLACE and not (lost.replaced and document(step, step.old) is None)):
        return
    options = lost.options if whose.is_ours(step) else ()
    if step.retained or step.op is Op.FORGET or at(step.old, "skipDestroy") in (True, "true"):
        what = say(f"the {lost.noun} {{}} leaves the stack, but stays where it is", step.name)
        yield _finding(step, LEFT, Weight.NOTICE, what, field, *options)
    elif document(step, step.old) is not None:
        what = say("the environment document of {} is deleted, and penstock env pull fails", whose.of_environment(step))
        yield _finding(step, ENVIRONMENT, Weight.WARNING, what, field, *options)
    else:
        yield _finding(step, lost.rule, lost.weight, _lost(step, lost.noun, lost.lost), field, *options)


def _lost(step: Step, noun: str, lost: str) -> Sentence:
    if step.op is Op.DELETE:
        return say(f"the {noun} {{}} is deleted: {lost}", step.name)
    if not step.replace_reasons:
        return say(f"the {noun} {{}} is replaced: {lost}", step.name)
    verb = "changes" if len(step.replace_reasons) == 1 else "change"
    reasons = whose.listed(step.replace_reasons)
    return say(f"the {noun} {{}} is replaced because {{}} {verb}: {lost}", step.name, reasons)


def _reason(step: Step) -> tuple[str, Value, Value]:
    """The one property that forces the replacement, with its values; nothing where there is none or are several."""
    if step.op is not Op.REPLACE or len(step.replace_reasons) != 1:
        return "", None, None
    reason = step.replace_reasons[0]
    path = [int(part) if part.isdecimal() else part for part in re.findall(r"[^.\[\]\"]+", reason)]
    before, after = at(step.old, *path), at(step.new, *path)
    return reason, before, after


def _finding(
    step: Step,
    rule: Rule,
    weight: Weight,
    what: Sentence,
    where: tuple[str, Value, Value],
    *options: str,
) -> Finding:
    field, before, after = where
    return Finding(
        rule=rule, weight=weight, urn=step.urn, what=what, field=field, before=before, after=after, options=options
    )


RULES: tuple[Rule, ...] = (ENVIRONMENT, PROTECTED, DATA, RUNS, UNPROTECTED, LEFT)
STEP_CHECKS: tuple[StepCheck, ...] = (check_loss,)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = (check_networks,)
